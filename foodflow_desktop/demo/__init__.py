"""``make run``: server, simulators and kiosk as processes, and the scripted shift over them.

The script acts only through the window (touches and keys over the kiosk's remote socket) and
the devices (the simulators' control socket); nothing here writes a fact. The count is a
witness's: see ``witness``.
"""

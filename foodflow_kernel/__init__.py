"""The pure rules that kiosk and server must agree on.

Standard library and pydantic only (numpy inside ``stats``, cryptography inside
``wire.sign``). A weight judged at the kiosk and judged again at the server runs
the same function from here.
"""

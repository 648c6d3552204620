"""Sync, the server's side: bytes first, meaning later; decisions go back by a dense feed.

The protocol and its traps are specified in ``docs/`` (sync); fact to verb in ``verbs.py``,
table to master row in ``master.py``. Everything else here knows no plant.
"""

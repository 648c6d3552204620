"""Files that people attach to records: taken in pieces, checked, scanned, stored once, served when clean.

Nothing that was said of a file counts: its size and SHA-256 are recomputed, its type is what its
bytes look like, and whatever is not on the list of types is refused.
"""

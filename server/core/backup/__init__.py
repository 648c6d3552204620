"""Copies of the whole cluster: taken, archived, proven by restoring them, and brought back.

``folder`` says what lies where, ``programs`` runs PostgreSQL's own, ``beside`` starts a second server on
a copy, ``taking``, ``proving`` and ``restoring`` are the three verbs. What a company's data must be
for a copy to count as good is told by the caller: this package knows no table of a company but the
feed's epoch.
"""

"""States and moves of food safety: lot, hold, deviation (fsq.md)."""

from __future__ import annotations

from enum import StrEnum

from foodflow_kernel.machines.machine import Machine


class LotState(StrEnum):
    """A lot's own status. A hold is not a state: it lies over whatever state the lot is in."""

    expected = "expected"
    quarantine = "quarantine"
    released = "released"
    depleted = "depleted"
    rejected = "rejected"
    disposed = "disposed"


_L = LotState
LOT: Machine[LotState] = Machine(
    "lot",
    start=_L.expected,
    moves={
        (_L.expected, "receive"): _L.quarantine,
        (_L.quarantine, "release"): _L.released,
        (_L.released, "quarantine"): _L.quarantine,
        (_L.quarantine, "reject"): _L.rejected,
        (_L.released, "deplete"): _L.depleted,
        (_L.rejected, "dispose"): _L.disposed,
    },
)


class HoldState(StrEnum):
    """A hold over a lot. Only the server, by a QA manager's signature, ends one."""

    open = "open"
    released = "released"
    disposed = "disposed"


_H = HoldState
HOLD: Machine[HoldState] = Machine(
    "hold",
    start=_H.open,
    moves={(_H.open, "release"): _H.released, (_H.open, "dispose"): _H.disposed},
)


class DeviationState(StrEnum):
    """A deviation, from the breach to its closing signature."""

    open = "open"
    contained = "contained"
    investigating = "investigating"
    disposition = "disposition"
    capa = "capa"
    verified = "verified"
    closed = "closed"
    void = "void"


_V = DeviationState
DEVIATION: Machine[DeviationState] = Machine(
    "deviation",
    start=_V.open,
    moves={
        (_V.open, "contain"): _V.contained,
        (_V.contained, "investigate"): _V.investigating,
        (_V.investigating, "dispose"): _V.disposition,
        (_V.disposition, "capa"): _V.capa,
        (_V.capa, "verify"): _V.verified,
        (_V.verified, "close"): _V.closed,
        (_V.open, "void"): _V.void,
        (_V.contained, "void"): _V.void,
        (_V.investigating, "void"): _V.void,
    },
)

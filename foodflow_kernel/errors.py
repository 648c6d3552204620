"""The error tree: what can go wrong, with a stable code and a sentence for a worker.

::

    FoodFlowError
    ├── NotFound          the thing does not exist, or is not yours to see
    ├── NotAllowed        you may not do this
    ├── Invalid           what was sent cannot be right
    ├── Refused           it is right in form, but a rule of the plant says no
    │   └── IllegalMove   the state does not allow this move
    ├── DeviceError       a scale, scanner, probe or line signal
    │   ├── Silent        no answer in time
    │   ├── Garbled       an answer that is not in the device's language
    │   ├── Overload      the device says: outside what it can measure
    │   └── Unplugged     the port or address is not there
    ├── StoreError        the terminal's own store
    │   ├── DiskFull      no room for one more record
    │   └── Damaged       the file does not pass its own check
    └── SyncError
        ├── Unreachable   no answer from the server
        ├── Unauthorised  the server does not accept this device
        ├── Untrusted     the server's certificate is not the one paired with
        └── TooOld        this version may no longer send

Expected outcomes are returned values, not exceptions. HTTP mapping lives in
``server/core/http.py`` alone; sentences live in ``foodflow_kernel/sentences.py``.
"""

from __future__ import annotations

from typing import Any

from foodflow_kernel import sentences


class FoodFlowError(Exception):
    """Anything this product refuses or fails at, on purpose.

    Args:
        code: stable, ``lower_snake``; callers and translations key on it.
        data: the facts of the case, safe to show and to log.
    """

    def __init__(self, code: str, /, **data: Any) -> None:
        super().__init__(code)
        self.code = code
        self.data = data

    @property
    def sentence(self) -> str:
        """One plain English sentence that says what happened and what to do."""
        return sentences.sentence(self.code, self.data)

    def __str__(self) -> str:
        shown = ", ".join(f"{k}={v}" for k, v in self.data.items())
        return f"{self.code}: {self.sentence}" + (f" ({shown})" if shown else "")


class NotFound(FoodFlowError):
    """The thing does not exist, or belongs to somebody else (same answer on purpose)."""


class NotAllowed(FoodFlowError):
    """The actor lacks the permission, the signature or the session for this."""


class Invalid(FoodFlowError):
    """The input cannot be right: wrong form, wrong unit, out of its domain."""


class Refused(FoodFlowError):
    """The input is well-formed, but a rule of the plant says no."""


class IllegalMove(Refused):
    """The state machine has no such move from the present state."""

    def __init__(self, machine: str, state: str, move: str) -> None:
        super().__init__("illegal_move", machine=machine, state=state, move=move)


class DeviceError(FoodFlowError):
    """A measuring or scanning device failed; the last good value stays, with its age."""


class Silent(DeviceError):
    """No answer from the device in time."""


class Garbled(DeviceError):
    """Bytes that are not in the device's language."""


class Overload(DeviceError):
    """The device reports a load or value outside what it can measure."""


class Unplugged(DeviceError):
    """The port or network address of the device is not there, or went away."""


class StoreError(FoodFlowError):
    """The terminal's own store cannot do what it must."""


class DiskFull(StoreError):
    """No room for one more record."""


class Damaged(StoreError):
    """The store does not pass its own check."""


class SyncError(FoodFlowError):
    """The exchange with the server failed; nothing is lost, the journal keeps it."""


class Unreachable(SyncError):
    """No answer from the server."""


class Unauthorised(SyncError):
    """The server does not accept this device or its token."""


class Untrusted(SyncError):
    """The server's certificate is not the one this terminal was paired with."""


class TooOld(SyncError):
    """The server requires a newer version of this program."""

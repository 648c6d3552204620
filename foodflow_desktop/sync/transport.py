"""HTTP over the pinned CA, and the words for what can go wrong on the way.

The only trust root is the CA that pairing left on this terminal: no system store, no proxy from
the environment. Everything above sees typed errors with a plain sentence.

httpx is loaded by the first exchange: 0.2 s for which the kiosk's window need not wait.
"""

from __future__ import annotations

import contextlib
import ssl
import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from foodflow_kernel.errors import (
    FoodFlowError,
    Invalid,
    NotAllowed,
    NotFound,
    Refused,
    SyncError,
    TooOld,
    Unauthorised,
    Unreachable,
    Untrusted,
)
from foodflow_kernel.wire.protocol import PROTOCOL

if TYPE_CHECKING:
    import httpx

CONNECT_S = 5.0
READ_S = 20.0

HEADERS = {"X-Sync-Protocol": str(PROTOCOL)}


class Throttled(SyncError):
    """The server asks for patience."""


class TooLarge(SyncError):
    """The server wants smaller batches."""


class Conflict(SyncError):
    """The server's log and ours differ: ``reason``, ``have``, ``hash`` in ``data``."""


class Gone(SyncError):
    """The place in the feed is gone: fetch a snapshot."""


def trust(ca_pem: str) -> ssl.SSLContext:
    """A TLS context that believes this one CA and nobody else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=ca_pem)
    except (ValueError, ssl.SSLError) as error:
        raise Untrusted("ca_unreadable") from error
    return context


def limits_of(read_s: float = READ_S) -> httpx.Timeout:
    """Time-outs [s] of real time."""
    import httpx  # noqa: PLC0415  # see the module

    return httpx.Timeout(read_s, connect=CONNECT_S)


def async_client(hub: str, ca_pem: str) -> httpx.AsyncClient:
    """A client for one connection's worth of work."""
    import httpx  # noqa: PLC0415  # see the module

    async def stamp(request: httpx.Request) -> None:  # httpx awaits it
        _stamp(request)

    return httpx.AsyncClient(
        base_url=hub,
        verify=trust(ca_pem),
        timeout=limits_of(),
        trust_env=False,
        headers=HEADERS,
        http1=True,
        event_hooks={"request": [stamp]},
    )


def client(hub: str, ca_pem: str) -> httpx.Client:
    """A blocking client."""
    import httpx  # noqa: PLC0415  # see the module

    return httpx.Client(
        base_url=hub,
        verify=trust(ca_pem),
        timeout=limits_of(),
        trust_env=False,
        headers=HEADERS,
        event_hooks={"request": [_stamp]},
    )


def _stamp(request: httpx.Request) -> None:
    """Give a request an id of its own: the server's log and audit have it, and so does an error shown here."""
    request.headers["X-Request-Id"] = uuid.uuid4().hex


@contextlib.contextmanager
def named_errors() -> Iterator[None]:
    """Turn what httpx raises into the error tree.

    Raises:
        Untrusted: `certificate_untrusted`.
        Unreachable: `hub_unreachable`.
    """
    import httpx  # noqa: PLC0415  # see the module

    try:
        yield
    except (httpx.TransportError, httpx.InvalidURL, ssl.SSLError) as error:
        if _is_certificate(error):
            raise Untrusted("certificate_untrusted") from error
        raise Unreachable("hub_unreachable", why=type(error).__name__) from error


def check(answer: httpx.Response) -> httpx.Response:
    """The answer if it is a success.

    Raises:
        Unauthorised, TooOld, Throttled, TooLarge, Conflict, Gone, Unreachable, NotFound, NotAllowed,
        Refused, Invalid: by status, with the server's code and data.
    """
    if answer.is_success:
        return answer
    code, data = _problem(answer)
    raise _error(answer.status_code, code, data)


_BY_STATUS: Mapping[int, type[FoodFlowError]] = {
    401: Unauthorised,
    403: NotAllowed,
    404: NotFound,
    409: Refused,
    410: Gone,
    413: TooLarge,
    426: TooOld,
    429: Throttled,
}
_SERVER_FAILED = 500


def _error(status: int, code: str, data: dict[str, Any]) -> FoodFlowError:
    if code in ("push_behind", "push_fork"):
        return Conflict(code, **data)
    if status >= _SERVER_FAILED:
        return Unreachable("hub_failed", status=status, request_id=data.get("request_id"))
    return _BY_STATUS.get(status, Invalid)(code, **data)


def _problem(answer: httpx.Response) -> tuple[str, dict[str, Any]]:
    try:
        body = answer.json()
    except ValueError:
        return "hub_answer_unreadable", {"status": answer.status_code}
    if not isinstance(body, dict):
        return "hub_answer_unreadable", {"status": answer.status_code}
    code = str(body.pop("code", "hub_answer_unreadable"))
    return code, {name: value for name, value in body.items() if name not in ("type", "title", "status", "detail")}


def _is_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False

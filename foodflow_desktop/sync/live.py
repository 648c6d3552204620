"""What needs the server now: the laptop's sign-in, reports and actions, over the same pinned trust.

Blocking and typed by the error tree; called off the UI thread. Both tokens live in memory only and
end with the program or ``sign_out``. A refresh token may be sent once: one thread at a time does it,
the others go on with the access token while it holds, and wait when it does not.
"""

from __future__ import annotations

import contextlib
import threading
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from foodflow_desktop.sync import transport
from foodflow_desktop.sync.pairing import fetch_ca
from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import FoodFlowError, Unauthorised
from foodflow_kernel.wire.reports import Board, SyncHealth, Trace

__all__ = ["Live", "fetch_ca"]

API = "/api/v1"
GOODBYE_S = 3.0
"""How long signing out waits for the server [s, real time]: the tokens are forgotten here in any case."""


class Live:
    """A person's session with the hub."""

    def __init__(self, base_url: str, ca_pem: str, clock: Clock) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = transport.client(self.base_url, ca_pem)
        self._clock = clock
        self._token = self._refresh_token = ""
        self._refresh_at = self._ends_at = clock.now()
        self._refreshing = threading.Lock()
        self.me: dict[str, Any] | None = None
        """Who is signed in, as ``GET /me`` says it."""
        self.heard_at: datetime | None = None

    def sign_in(self, tenant: str, login: str, password: str, totp: str = "") -> dict[str, Any]:
        """Sign a person in (e-mail or login code); what ``GET /me`` says of them.

        Raises:
            Unauthorised: `sign_in_failed`, `totp_needed`, `totp_wrong`. Unreachable, Untrusted: nobody was asked.
        """
        body = {"tenant": tenant, "login": login, "password": password} | ({"totp": totp} if totp else {})
        with self._refreshing:
            self._token = ""
            self._keep(self._call("POST", f"{API}/auth/login", json=body))
        self.me = self._call("GET", f"{API}/me")
        return self.me

    def _keep(self, session: dict[str, Any]) -> None:
        """Use these tokens from now on, and refresh when a third of the access token's time is gone."""
        self._token, self._refresh_token = str(session["access_token"]), str(session["refresh_token"])
        lasts = timedelta(seconds=float(session["expires_in_s"]))
        self._refresh_at, self._ends_at = self._clock.now() + lasts / 3, self._clock.now() + lasts

    def _refresh(self) -> None:
        """Keep the session alive while it is used.

        Raises:
            Unauthorised: the session is over; it is forgotten here too.
        """
        now = self._clock.now()
        if now < self._refresh_at or not self._refreshing.acquire(blocking=now >= self._ends_at):
            return
        try:
            if self._refresh_token and self._clock.now() >= self._refresh_at:  # nobody did while this one waited
                body = {"refresh_token": self._refresh_token}
                self._keep(self._call("POST", f"{API}/auth/refresh", json=body))
        except Unauthorised:
            self._token = self._refresh_token = ""
            raise
        finally:
            self._refreshing.release()

    def sign_out(self) -> None:
        """End the session at the server if it can be reached; forget person and tokens in any case."""
        with self._refreshing:  # what is being refreshed would be kept after this
            last, self._token, self._refresh_token, self.me = self._refresh_token, "", "", None
        if last:
            with contextlib.suppress(FoodFlowError):
                self._call("POST", f"{API}/auth/logout", json={"refresh_token": last}, timeout=GOODBYE_S)

    def close(self) -> None:
        """Close the connections."""
        self.sign_out()
        self._http.close()

    def board(self) -> Board:
        """The line board."""
        return Board.model_validate(self.get("plant-ops/board"))

    def sync_health(self) -> SyncHealth:
        """All terminals and what waits for a person."""
        return SyncHealth.model_validate(self.get("sync/health"))

    def trace(self, lot_id: UUID, direction: str = "both") -> Trace:
        """Where a lot came from, went to, or both."""
        return Trace.model_validate(self.get(f"fsq/lots/{lot_id}/trace", direction=direction))

    def get(self, path: str, **query: Any) -> Any:
        """Read a resource below ``/api/v1``.

        Raises:
            Unauthorised: `not_signed_in`, `token_expired`. SyncError, NotFound, NotAllowed, Refused, Invalid.
        """
        return self._signed("GET", path, params={name: str(value) for name, value in query.items()})

    def post(self, path: str, body: Any = None) -> Any:
        """Create or act below ``/api/v1`` (``fsq/holds/{id}:release``); errors as ``get``."""
        return self._signed("POST", path, json=body if body is not None else {})

    def patch(self, path: str, body: Any, version: int) -> Any:
        """Change a resource that still has this version; errors as ``get``."""
        return self._signed("PATCH", path, json=body, headers={"If-Match": f'"{version}"'})

    def _signed(self, method: str, path: str, **more: Any) -> Any:
        if not self._token:
            raise Unauthorised("not_signed_in")
        self._refresh()
        if not self._token:
            raise Unauthorised("not_signed_in")
        return self._call(method, f"{API}/{path}", **more)

    def _call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Any:
        auth = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        with transport.named_errors():
            answer = transport.check(self._http.request(method, path, headers={**auth, **(headers or {})}, **more))
        self.heard_at = self._clock.now()
        return None if answer.status_code == HTTPStatus.NO_CONTENT or not answer.content else answer.json()

"""Is the hub there, and is it the one this terminal was paired with? For ``doctor``."""

from __future__ import annotations

from foodflow_desktop.sync import transport
from foodflow_kernel.errors import FoodFlowError


def reach(hub: str, ca_pem: str) -> tuple[bool, str]:
    """Whether the hub answers over the pinned CA, and a sentence."""
    try:
        with transport.named_errors(), transport.client(hub, ca_pem) as http:
            transport.check(http.get("/api/v1/ca"))
    except FoodFlowError as error:
        return False, f"{hub}: {error.sentence}"
    return True, f"{hub} answers with the certificate it was paired with"

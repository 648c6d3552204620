"""A paired terminal to test with, and drafts to record in it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from foodflow_desktop.store import Draft, Options, Store, SyncStatus, Terminal
from foodflow_kernel.clock import Clock, FakeClock
from foodflow_kernel.rules.weight import WeightVerdict
from foodflow_kernel.wire import bodies

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
DEVICE = UUID(int=7)
USER = UUID(int=1041)
LINE = UUID(int=2)
BATCH = UUID(int=418)
LOT = UUID(int=2311)
HOLD = UUID(int=55)
QUIET = Options(reserve_bytes=0, witness_s=None)


def a_terminal(device: UUID = DEVICE, hub: str = "https://127.0.0.1:1", ca_pem: str = "") -> Terminal:
    return Terminal(device=device, hub=hub, ca_pem=ca_pem, paired_at=datetime(2026, 11, 23, 8, tzinfo=UTC), name="T-07")


def opened(folder: Path, clock: Clock | None = None, options: Options = QUIET) -> Store:
    """An open store of a paired terminal."""
    store = Store.open(folder, clock or FakeClock(), KEY, options)
    if store.terminal is None:
        store.pair(a_terminal(), KEY)
    return store


def settled(store: Store) -> SyncStatus:
    """The status with all that was recorded: whoever records is answered before the status is."""
    store.pragmas()  # each writer comes to this when it has told everybody
    return store.status()


def weighing(number: int = 1, *, note: str | None = None) -> Draft:
    body = bodies.Weighing(
        batch_id=BATCH,
        lot_id=LOT,
        item_id=UUID(int=600),
        equipment_id=None,
        check_id=UUID(int=30),
        sample_no=number,
        net_g=Decimal("603.4"),
        tare_g=Decimal("12.0"),
        source=bodies.Source.scale,
        limits=bodies.WeightLimits(
            spec_id=UUID(int=9), version=1, low_g=Decimal(591), target_g=Decimal(600), high_g=Decimal(615)
        ),
        verdict=WeightVerdict.in_tolerance,
        reason_code=note,
    )
    return Draft(body, USER, LINE)


def hold(lot: UUID = LOT, hold_id: UUID = HOLD) -> Draft:
    return Draft(bodies.HoldPlaced(hold_id=hold_id, lot_id=lot, reason="cook temperature too low"), USER, LINE)


def samples(count: int = 600) -> Draft:
    body = bodies.Telemetry(
        sensor_id=UUID(int=14),
        from_at=datetime(2026, 11, 23, 9, tzinfo=UTC),
        period_ms=100,
        step=Decimal("0.1"),
        first=740,
        deltas=tuple((i % 3) - 1 for i in range(count - 1)),
    )
    return Draft(body, None, LINE)

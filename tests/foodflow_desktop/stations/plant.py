"""The demo plant's line 2 as master rows, as the mockups show it, and a terminal on it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from foodflow_desktop.hardware.config import HardwareConfig
from foodflow_desktop.hardware.hub import Hardware
from foodflow_desktop.stations.context import Context, Job, Session
from foodflow_desktop.stations.pins import Pins
from foodflow_desktop.store import Draft, Options, Store, Terminal, queries
from foodflow_kernel.clock import FakeClock
from foodflow_kernel.machines.fsq import LotState
from foodflow_kernel.machines.identity import UserState
from foodflow_kernel.machines.plant_ops import BatchState, WorkOrderState
from foodflow_kernel.units import Uom
from foodflow_kernel.wire import bodies, master, pin
from foodflow_kernel.wire.exchange import FeedCursor, FeedHeader, FeedRow

SPACE = UUID("6f0d7a2e-0000-4000-8000-000000000000")
PEPPER = b"p" * 32
AT = datetime(2026, 11, 23, 10, 10, 7, tzinfo=UTC)
STARTED = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
QA_PIN, OPERATOR_PIN = "5836", "4271"


def idof(name: str) -> UUID:
    """A stable id by name."""
    return uuid5(SPACE, name)


def _names(en: str, es: str) -> dict[str, str]:
    return {"en": en, "es": es}


_BASES = {code: pin.for_device(pin.new_base(code), PEPPER) for code in (QA_PIN, OPERATOR_PIN)}


def _user(login: str, name: str, es: str, roles: tuple[str, ...], code: str) -> master.User:
    return master.User(
        id=idof(login),
        login_code=login,
        short_no=login[-4:],
        printed_name=name,
        names=_names(name, es),
        roles=roles,
        permissions=(),
        pin_hash=_BASES[code],
        status=UserState.active,
    )


LINE_2, LINE_3 = idof("line 2"), idof("line 3")
SOUP, BASE, SALT, BASIL = idof("soup"), idof("base"), idof("salt"), idof("basil")
OIL, CUP, FILM, PEANUT = idof("oil"), idof("cup"), idof("film"), idof("peanut")
BATCH, LOT, ORDER = idof("batch"), idof("lot"), idof("order")
COOK, METAL, PH = idof("cook v3"), idof("metal v1"), idof("ph v1")

ACTIONS = (
    master.CcpAction(
        code="cook_longer",
        names=_names("Cook longer, re-check", "Cocer más y repetir"),
        hints=_names("Re-check task here at {at}", "Control aquí a las {at}"),
        icon="pot",
        recheck_min=11,
    ),
    master.CcpAction(
        code="close_kettle",
        names=_names("Close kettle 2", "Cerrar marmita 2"),
        hints=_names("Fill from kettle 1 only", "Llenar solo de la marmita 1"),
        icon="lock",
    ),
    master.CcpAction(
        code="wait_for_qa",
        names=_names("Wait for the QA manager", "Esperar al jefe de calidad"),
        hints=_names("Everything stays on hold", "Todo sigue retenido"),
        icon="people",
    ),
    master.CcpAction(
        code="other",
        names=_names("Other", "Otra"),
        hints=_names("Note needed", "Nota obligatoria"),
        icon="other",
        needs_note=True,
    ),
)


def _ccp(name: str, no: str, en: str, es: str, parameter: str, **over: Any) -> master.Ccp:
    given: dict[str, Any] = {"unit": None, "frequency_min": 30, "place": {}, "icon": parameter}
    return master.Ccp(
        id=idof(name), ccp_id=idof(no), ccp_no=no, version=1, line_id=LINE_2, names=_names(en, es), parameter=parameter,
        **(given | over),
    )  # fmt: skip


def _item(name: str, code: str, en: str, es: str, kind: str = "ingredient", **over: Any) -> master.Item:
    given: dict[str, Any] = {"base_uom": Uom.KGM}
    return master.Item(id=idof(name), code=code, names=_names(en, es), kind=kind, **(given | over))


def _lot(name: str, code: str, item: UUID, **over: Any) -> master.Lot:
    given: dict[str, Any] = {"kind": "raw", "status": LotState.released, "is_held": False, "qty": 500, "uom": Uom.KGM}
    return master.Lot(id=idof(name), lot_code=code, item_id=item, **(given | over))


DOWNTIME = (
    ("jam", "Product jam", "Atasco de producto", "breakdown", "jam"),
    ("film_change", "Film or label change", "Cambio de film o etiqueta", "changeover", "roll"),
    ("breakdown", "Breakdown", "Avería", "breakdown", "wrench"),
    ("no_material", "No material", "Sin material", "starved", "box"),
    ("upstream", "Upstream stopped", "Parada aguas arriba", "starved", "upstream"),
    ("downstream", "Downstream full", "Lleno aguas abajo", "blocked", "downstream"),
    ("detector", "Detector reject", "Rechazo del detector", "quality", "detector"),
    ("no_crew", "No crew", "Sin personal", "starved", "crew"),
    ("break", "Break", "Descanso", "planned", "coffee"),
    ("cleaning", "Cleaning", "Limpieza", "cleaning", "spray"),
    ("changeover", "Changeover", "Cambio de producto", "changeover", "swap"),
    ("other", "Other", "Otro", None, "question"),
)
PLANNED = ("break", "cleaning", "changeover")
SCRAP = (
    ("underfill", "Underfilled", "Mal llenado", "scale"),
    ("bad_seal", "Bad seal", "Mal sellado", "cup"),
    ("damaged", "Damaged pack", "Envase dañado", "box"),
    ("detector", "Detector reject", "Rechazo del detector", "detector"),
    ("startup", "Start-up", "Arranque", "play"),
    ("spill", "Spill", "Derrame", "question"),
)


def _reasons() -> list[master.Reason]:
    found = [
        master.Reason(id=idof(f"downtime {code}"), tree="downtime", code=code, names=_names(en, es), category=category,
                      icon=icon, sort=place, is_planned=code in PLANNED)
        for place, (code, en, es, category, icon) in enumerate(DOWNTIME)
    ]  # fmt: skip
    return found + [
        master.Reason(id=idof(f"scrap {code}"), tree="scrap", code=code, names=_names(en, es), icon=icon, sort=place)
        for place, (code, en, es, icon) in enumerate(SCRAP)
    ]


def entities() -> dict[str, list[master.Entity]]:
    """The rows by entity."""
    return {
        "plant": [master.Plant(id=idof("plant"), code="P1", name="Plant 1", tz="UTC")],
        "line": [
            master.Line(id=LINE_2, plant_id=idof("plant"), code="L2", name="Line 2", names=_names("Line 2", "Línea 2")),
            master.Line(id=LINE_3, plant_id=idof("plant"), code="L3", name="Line 3", names=_names("Line 3", "Línea 3")),
        ],
        "item": [
            _item("soup", "TBS600", "Tomato Basil Soup 600 g", "Sopa de tomate y albahaca 600 g", "finished",
                  base_uom=Uom.H87, allergens=("celery",), unit_names=_names("cups", "vasos")),
            _item("base", "TOMB", "Tomato base", "Base de tomate"),
            _item("salt", "SALT", "Salt", "Sal"),
            _item("basil", "BASP", "Basil purée", "Puré de albahaca", gtin14="09506000134352",
                  allergens=("celery",), place="Cold store B · rack 4"),
            _item("oil", "OLIO", "Olive oil", "Aceite de oliva"),
            _item("cup", "CUP6", "Cup 600 ml", "Vaso 600 ml", "packaging", base_uom=Uom.H87),
            _item("film", "FILM", "Lid film", "Film de tapa", "packaging", base_uom=Uom.H87,
                  unit_names=_names("rolls", "rollos")),
            _item("peanut", "PNUT", "Peanut paste", "Pasta de cacahuete", gtin14="09506000134369",
                  allergens=("peanut",)),
            _item("satay", "SAT250", "Peanut Satay Sauce 250 g", "Salsa satay 250 g", "finished",
                  base_uom=Uom.H87, allergens=("peanut",)),
        ],
        "bom": [
            master.Bom(
                id=idof("bom"), item_id=SOUP, revision="4", batch_qty=Decimal(4800), uom=Uom.H87,
                lines=(
                    master.BomLine(item_id=BASE, qty_per=Decimal(1200), uom=Uom.KGM, step=1),
                    master.BomLine(item_id=SALT, qty_per=Decimal(9), uom=Uom.KGM, step=2),
                    master.BomLine(item_id=BASIL, qty_per=Decimal(180), uom=Uom.KGM, step=3),
                    master.BomLine(item_id=OIL, qty_per=Decimal(30), uom=Uom.KGM, step=4),
                    master.BomLine(item_id=CUP, qty_per=Decimal(4800), uom=Uom.H87, step=5),
                    master.BomLine(item_id=FILM, qty_per=Decimal(2), uom=Uom.H87, step=6),
                ),
            )
        ],
        "work_order": [
            master.WorkOrder(
                id=ORDER, wo_no="WO-261123-02", item_id=SOUP, bom_id=idof("bom"), line_id=LINE_2,
                qty_planned=Decimal(4800), uom=Uom.H87, status=WorkOrderState.released, batch_id=BATCH,
                start_at=STARTED, end_at=STARTED + timedelta(hours=5),
            )
        ],
        "batch": [
            master.Batch(
                id=BATCH, batch_no="B-2611-0418", line_id=LINE_2, item_id=SOUP, work_order_id=ORDER,
                status=BatchState.running, planned_qty=Decimal(4800), uom=Uom.H87, output_lot_id=LOT,
                started_at=STARTED, pri_s=Decimal("3.333"),
            )
        ],
        "lot": [
            _lot("lot", "TBS-261123-02", SOUP, kind="finished", status=LotState.quarantine, uom=Uom.H87),
            _lot("basil lot", "BP-261117-A", BASIL, gtin14="09506000134352", supplier_lot="S-88213",
                 expiry_on=date(2026, 12, 14), allergens=("celery",)),
            _lot("peanut lot", "PP-261109-C", PEANUT, gtin14="09506000134369", expiry_on=date(2027, 2, 1),
                 allergens=("peanut",), line_id=LINE_3),
            _lot("held salt", "SA-1", SALT, is_held=True),
            _lot("old oil", "OO-1", OIL, expiry_on=date(2026, 11, 22)),
            _lot("new oil", "OO-2", OIL, status=LotState.quarantine),
            _lot("line 3 salt", "SA-3", SALT, line_id=LINE_3),
            _lot("salt lot", "SA-2", SALT, expiry_on=date(2027, 6, 1)),
        ],
        "user": [
            _user("FFB-1041", "Operator 1041", "Operario 1041", ("OP",), OPERATOR_PIN),
            _user("FFB-2003", "QA 2003", "Calidad 2003", ("QT",), QA_PIN),
        ],
        "equipment": [
            master.Equipment(
                id=idof("P-14"), tag="P-14", names=_names("Probe P-14", "Sonda P-14"), line_id=LINE_2,
                equipment_class="probe", unit="°C", range_min=Decimal(-40), range_max=Decimal(125),
                resolution=Decimal("0.1"), calib_due_on=date(2027, 1, 12),
            ),
            master.Equipment(
                id=idof("MD-2"), tag="MD-2", names=_names("Detector MD-2", "Detector MD-2"), line_id=LINE_2,
                equipment_class="detector",
            ),
            master.Equipment(
                id=idof("kettle 2"), tag="K-2", names=_names("Kettle 2", "Marmita 2"), line_id=LINE_2,
                equipment_class="kettle",
            ),
        ],
        "ccp": [
            _ccp("cook v3", "CCP-1", "Cook temperature", "Temperatura de cocción", "temperature", unit="°C",
                 place=_names("Kettle 2", "Marmita 2"), crit_min=Decimal("74.0"), jump=Decimal(15), actions=ACTIONS,
                 instrument_id=idof("P-14"), vessel_id=idof("kettle 2"), vessel_qty=Decimal(212), vessel_uom=Uom.KGM,
                 icon="thermometer"),
            _ccp("metal v1", "CCP-2", "Metal detector", "Detector de metales", "metal", icon="metal",
                 place=_names("Line 2 infeed", "Entrada línea 2"), pieces=("Fe 1.5", "NF 2.0", "SS 2.5"),
                 instrument_id=idof("MD-2"), for_operators=True),
            _ccp("ph v1", "CP-4", "pH of finished soup", "pH de la sopa", "ph", frequency_min=240,
                 place=_names("lab bench", "laboratorio"), crit_max=Decimal("4.60"), icon="flask"),
        ],
        "reason": [
            master.Reason(id=idof("spill"), tree="over_issue", code="spill", sort=1,
                          names=_names("Spilled", "Derrame")),
            master.Reason(id=idof("thick"), tree="over_issue", code="too_thick", sort=2,
                          names=_names("Too thick", "Muy espeso")),
            *_reasons(),
        ],
        "sensor": [
            master.Sensor(id=idof("TT-2"), tag="TT-2", names=_names("Kettle 2", "Marmita 2"), kind="temp", unit="°C",
                          line_id=LINE_2, range_min=Decimal(-40), range_max=Decimal(125), period_ms=100,
                          step=Decimal("0.1")),
        ],
        "terminal": [
            master.Terminal(id=idof("T-07"), name="T-07", plant_id=idof("plant"), line_id=LINE_2,
                            area="Cook & Fill hall"),
        ],
    }  # fmt: skip


def load(store: Store, rows: dict[str, list[master.Entity]]) -> None:
    """Give the store all its master data, as a snapshot would."""
    store.cache.begin_snapshot()
    store.cache.stage([_row(entity, row, 0, 1) for entity, many in rows.items() for row in many])
    store.cache.swap(FeedCursor(epoch="e", seq=0))


def change(store: Store, entity: str, row: master.Entity, *, version: int = 2, retired: bool = False) -> None:
    """One row changed on the server, as a feed page would bring it."""
    cursor = store.master.cursor
    assert cursor is not None
    seq = cursor.seq + 1
    header = FeedHeader(epoch="e", first=seq, last=seq, more=False)
    store.cache.apply(header, [_row(entity, row, seq, version, retired=retired)])


def _row(entity: str, row: master.Entity, seq: int, version: int, *, retired: bool = False) -> FeedRow:
    data = row.model_dump(mode="json")
    return FeedRow(seq=seq, entity=entity, id=row.id, version=version, retired=retired, data=data)


def open_terminal(folder: Path, clock: Any = None) -> Context:
    """A paired terminal on line 2 with the plant's master data; close ``context.store`` after."""
    clock = clock or FakeClock(AT)
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    store = Store.open(folder, clock, key, Options(reserve_bytes=0, witness_s=None))
    store.pair(Terminal(device=idof("T-07"), hub="https://hub:8443", ca_pem="", paired_at=AT), key)
    load(store, entities())
    store.heard(clock.now())
    return Context(store, Hardware(HardwareConfig(), clock), clock, Pins(clock, PEPPER), Session())


def sign_in(context: Context, login: str) -> None:
    """Somebody touches a tile or scans a badge."""
    context.session.user = context.store.master.users_by_badge[login]
    context.session.identified_by = "badge"
    context.session.since = context.clock.now()


def run(job: Job[Any] | None) -> None:
    """Do a gesture's work here and now."""
    assert job is not None
    try:
        result = job.work()
    except Exception as error:
        if job.failed is not None:
            job.failed(error)
        raise
    job.done(result)


def count(context: Context, pieces: int) -> None:
    """The line made some pieces."""
    now = context.clock.now()
    body = bodies.LineCount(line_id=LINE_2, batch_id=BATCH, delta=pieces, total=pieces, raw=pieces, from_at=now)
    context.store.record(Draft(body, performed_by=None, line_id=LINE_2))


def kinds(context: Context) -> list[str]:
    """What was recorded, oldest first, the line's own counts left out."""
    with context.store.reading() as db:
        found = queries.entries(db, limit=1000)
    order = sorted(found, key=lambda one: (one.recorded_at, one.lane, one.seq))
    return [one.kind for one in order if one.kind != "line_count"]

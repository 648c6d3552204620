"""What the demo plant makes and of what: items, recipes, reasons, checks. Data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from foodflow_kernel.units import Uom

D = Decimal
KG, PIECE = Uom.KGM, Uom.H87


def named(en: str, es: str) -> dict[str, str]:
    """A name in the plant's two languages."""
    return {"en": en, "es": es}


@dataclass(frozen=True, slots=True)
class ItemData:
    """An item; ``reference`` is its GS1 item reference within the company's prefix."""

    code: str
    en: str
    es: str
    kind: str
    uom: Uom
    reference: int
    allergens: tuple[str, ...] = ()
    units: dict[str, str] = field(default_factory=dict)
    per_case: int | None = None
    place: str = ""
    shelf_days: int | None = None


CUPS, PIES = named("cups", "vasos"), named("pies", "pasteles")
JARS, POTS, ROLLS = named("jars", "frascos"), named("pots", "potes"), named("rolls", "rollos")

ITEMS: tuple[ItemData, ...] = (
    ItemData("CPP400", "Chicken Pot Pie 400 g", "Pastel de pollo 400 g", "finished", PIECE, 1001,
             ("wheat", "milk", "egg", "celery"), PIES, 12, shelf_days=60),
    ItemData("TBS600", "Tomato Basil Soup 600 g", "Sopa de tomate y albahaca 600 g", "finished", PIECE, 1002,
             ("celery",), CUPS, 12, shelf_days=45),
    ItemData("PSS250", "Peanut Satay Sauce 250 g", "Salsa satay de cacahuete 250 g", "finished", PIECE, 1003,
             ("peanut", "soy"), JARS, 24, shelf_days=365),
    ItemData("FYG150", "Fruit Yogurt 150 g", "Yogur de frutas 150 g", "finished", PIECE, 1004,
             ("milk",), POTS, 24, shelf_days=28),
    ItemData("TOMBASE", "Tomato base", "Base de tomate", "ingredient", KG, 2001, place="Tank T-3"),
    ItemData("SALT", "Salt", "Sal", "ingredient", KG, 2002, place="Dry store · rack 1"),
    ItemData("BASILP", "Basil purée", "Puré de albahaca", "ingredient", KG, 2003, ("celery",),
             place="Cold store B · rack 4"),
    ItemData("OLIVEOIL", "Olive oil", "Aceite de oliva", "ingredient", KG, 2004, place="Dry store · rack 2"),
    ItemData("CUP600", "Cup 600 ml", "Vaso 600 ml", "packaging", PIECE, 3001, place="Packaging · bay 2"),
    ItemData("LIDFILM", "Lid film", "Film de tapa", "packaging", PIECE, 3002, units=ROLLS, place="Packaging · bay 3"),
    ItemData("CHICKFILL", "Chicken filling", "Relleno de pollo", "ingredient", KG, 2005, ("celery", "milk"),
             place="Cold store A · rack 1"),
    ItemData("PASTRY", "Pastry sheet", "Lámina de masa", "ingredient", KG, 2006, ("wheat", "egg", "milk"),
             place="Cold store A · rack 3"),
    ItemData("PEANUTP", "Peanut paste", "Pasta de cacahuete", "ingredient", KG, 2007, ("peanut",),
             place="Allergen store · rack 1"),
    ItemData("COCOMILK", "Coconut milk", "Leche de coco", "ingredient", KG, 2008, place="Dry store · rack 5"),
    ItemData("SOYSAUCE", "Soy sauce", "Salsa de soja", "ingredient", KG, 2009, ("soy", "wheat"),
             place="Allergen store · rack 2"),
    ItemData("YOGBASE", "Yogurt base", "Base de yogur", "ingredient", KG, 2010, ("milk",), place="Tank Y-1"),
    ItemData("FRUITPREP", "Fruit preparation", "Preparado de frutas", "ingredient", KG, 2011,
             place="Cold store B · rack 1"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RecipeData:
    """A recipe for a batch quantity: (item, quantity, step)."""

    item: str
    revision: str
    batch_qty: int
    parts: tuple[tuple[str, str, int], ...]


RECIPES: tuple[RecipeData, ...] = (
    RecipeData("TBS600", "4", 4800, (("TOMBASE", "1200", 1), ("SALT", "9", 2), ("BASILP", "180", 3),
                                     ("OLIVEOIL", "30", 4), ("CUP600", "4800", 5), ("LIDFILM", "2", 6))),
    RecipeData("CPP400", "7", 8400, (("CHICKFILL", "2100", 1), ("BASILP", "60", 2), ("PASTRY", "1176", 3))),
    RecipeData("PSS250", "2", 7200, (("PEANUTP", "720", 1), ("COCOMILK", "900", 2), ("SOYSAUCE", "126", 3))),
    RecipeData("FYG150", "3", 9600, (("YOGBASE", "1200", 1), ("FRUITPREP", "240", 2))),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LineData:
    """A line and what it makes: PRI [s] per piece, weight limits [g]."""

    number: int
    item: str
    kind: str
    area: str
    pri_s: str
    weights: tuple[str, str, str, str]
    allergens: tuple[str, ...] = ()


LINES: tuple[LineData, ...] = (
    LineData(1, "CPP400", "bake", "Bakery hall", "2.462", ("392", "400", "412", "18.0"), ("wheat", "milk", "egg")),
    LineData(2, "TBS600", "fill", "Cook & Fill hall", "3.333333", ("591", "600", "615", "12.0"), ("celery",)),
    LineData(3, "PSS250", "fill", "Cook & Fill hall", "2.702", ("246", "250", "257", "160.0"), ("peanut", "soy")),
    LineData(4, "FYG150", "fill", "Dairy hall", "1.859", ("147", "150", "155", "5.2"), ("milk",)),
)

REASONS: tuple[dict[str, Any], ...] = (
    {"tree": "downtime", "code": "jam", "names": named("Product jam", "Atasco de producto"),
     "category": "breakdown", "icon": "jam"},
    {"tree": "downtime", "code": "film_change", "names": named("Film or label change", "Cambio de film o etiqueta"),
     "category": "changeover", "icon": "roll"},
    {"tree": "downtime", "code": "breakdown", "names": named("Breakdown", "Avería"),
     "category": "breakdown", "is_failure": True, "icon": "wrench"},
    {"tree": "downtime", "code": "no_material", "names": named("No material", "Falta material"),
     "category": "starved", "icon": "box"},
    {"tree": "downtime", "code": "upstream", "names": named("Upstream stopped", "Parada aguas arriba"),
     "category": "starved", "icon": "upstream"},
    {"tree": "downtime", "code": "downstream", "names": named("Downstream full", "Salida llena"),
     "category": "blocked", "icon": "downstream"},
    {"tree": "downtime", "code": "detector", "names": named("Detector reject", "Rechazo del detector"),
     "category": "quality", "icon": "detector"},
    {"tree": "downtime", "code": "no_crew", "names": named("No crew", "Falta personal"),
     "category": "starved", "icon": "crew"},
    {"tree": "downtime", "code": "break", "names": named("Break", "Descanso"),
     "category": "planned", "is_planned": True, "icon": "coffee"},
    {"tree": "downtime", "code": "cleaning", "names": named("Cleaning", "Limpieza"),
     "category": "cleaning", "is_planned": True, "icon": "spray"},
    {"tree": "downtime", "code": "changeover", "names": named("Changeover", "Cambio de producto"),
     "category": "changeover", "is_planned": True, "icon": "swap"},
    {"tree": "downtime", "code": "other", "names": named("Other", "Otro"), "category": None, "icon": "question"},
    {"tree": "scrap", "code": "underfill", "names": named("Underfilled", "Mal llenado"), "icon": "scale"},
    {"tree": "scrap", "code": "bad_seal", "names": named("Bad seal", "Mal sellado"), "icon": "cup"},
    {"tree": "scrap", "code": "damaged", "names": named("Damaged pack", "Envase dañado"), "icon": "box"},
    {"tree": "scrap", "code": "detector", "names": named("Detector reject", "Rechazo del detector"),
     "icon": "detector"},
    {"tree": "scrap", "code": "startup", "names": named("Start-up", "Arranque"), "icon": "play"},
    {"tree": "scrap", "code": "spill", "names": named("Spill", "Derrame"), "icon": "question"},
    {"tree": "weight", "code": "filler_low", "names": named("Filler set too low", "Dosificador bajo"), "icon": "scale"},
    {"tree": "weight", "code": "filler_high", "names": named("Filler set too high", "Dosificador alto"),
     "icon": "scale"},
    {"tree": "weight", "code": "product_thick", "names": named("Product too thick", "Producto espeso"), "icon": "pot"},
    {"tree": "weight", "code": "air", "names": named("Air in product", "Aire en el producto"), "icon": "ring"},
    {"tree": "weight", "code": "other", "names": named("Other", "Otro"), "icon": "question"},
    {"tree": "over_issue", "code": "spill", "names": named("Spilled", "Derrame"), "icon": "question"},
    {"tree": "over_issue", "code": "too_thick", "names": named("Too thick", "Muy espeso"), "icon": "pot"},
    {"tree": "over_issue", "code": "left_in_drum", "names": named("Left in the drum", "Queda en el bidón"),
     "icon": "box"},
)  # fmt: skip

COOK_ACTIONS: tuple[dict[str, Any], ...] = (
    {"code": "cook_longer", "names": named("Cook longer, re-check", "Cocer más y repetir"),
     "hints": named("Re-check task here at {at}", "Control aquí a las {at}"), "icon": "pot", "recheck_min": 11},
    {"code": "close_kettle", "names": named("Close kettle 2", "Cerrar marmita 2"),
     "hints": named("Fill from kettle 1 only", "Llenar solo de la marmita 1"), "icon": "lock"},
    {"code": "wait_for_qa", "names": named("Wait for the QA manager", "Esperar al jefe de calidad"),
     "hints": named("Everything stays on hold", "Todo sigue retenido"), "icon": "crew"},
    {"code": "other", "names": named("Other", "Otra"),
     "hints": named("Note needed", "Nota obligatoria"), "icon": "question", "needs_note": True},
)  # fmt: skip

PLAIN_ACTIONS: tuple[dict[str, Any], ...] = (
    {"code": "stop_line", "names": named("Stop the line", "Parar la línea"),
     "hints": named("Until QA says go on", "Hasta que calidad lo permita"), "icon": "pause"},
    {"code": "repeat_check", "names": named("Repeat the check", "Repetir el control"),
     "hints": named("Re-check task here at {at}", "Control aquí a las {at}"), "icon": "undo", "recheck_min": 10},
    {"code": "wait_for_qa", "names": named("Wait for the QA manager", "Esperar al jefe de calidad"),
     "hints": named("Everything stays on hold", "Todo sigue retenido"), "icon": "crew"},
    {"code": "other", "names": named("Other", "Otra"),
     "hints": named("Note needed", "Nota obligatoria"), "icon": "question", "needs_note": True},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CheckData:
    """A critical control point or quality point of a line, with its limits."""

    line: int
    no: str
    kind: str
    hazard: str
    en: str
    es: str
    place: dict[str, str]
    parameter: str
    icon: str
    unit: str | None = None
    crit_min: str | None = None
    crit_max: str | None = None
    op_min: str | None = None
    op_max: str | None = None
    jump: str | None = None
    pieces: tuple[str, ...] = ()
    every_min: int | None = None
    instrument: str | None = None
    vessel: str | None = None
    vessel_kg: str | None = None
    for_operators: bool = False
    actions: tuple[dict[str, Any], ...] = PLAIN_ACTIONS


METAL = ("Fe 1.5", "NF 2.0", "SS 2.5")


def _metal(line: int, no: str, detector: str) -> CheckData:
    place = named(f"Line {line} infeed", f"Entrada línea {line}")
    return CheckData(
        line, no, "ccp", "metal", "Metal detector", "Detector de metales", place, "metal", "detector", unit="mm",
        pieces=METAL, every_min=30, instrument=detector, for_operators=True,
    )  # fmt: skip


CHECKS: tuple[CheckData, ...] = (
    CheckData(2, "CCP-1", "ccp", "Salmonella survival", "Cook temperature", "Temp. de cocción",
              named("Kettle 2", "Marmita 2"), "temperature", "thermometer", "°C", crit_min="74.0", op_min="75.0",
              jump="15", every_min=30, instrument="P-14", vessel="K-2", vessel_kg="212", actions=COOK_ACTIONS),
    _metal(2, "CCP-2", "MD-2"),
    CheckData(2, "CP-4", "preventive_control", "C. botulinum growth", "pH of finished soup", "pH de la sopa",
              named("lab bench", "laboratorio"), "ph", "flask", "pH", crit_max="4.60", jump="0.5", every_min=120,
              instrument="PH-1"),
    CheckData(2, "CCP-3", "ccp", "C. perfringens growth", "Chill to 5 °C", "Enfriar a 5 °C",
              named("blast chiller 1", "abatidor 1"), "time", "snowflake", "min", crit_max="240", every_min=180,
              instrument="BC-1"),
    CheckData(2, "QP-6", "quality_point", "leak", "Seal strength", "Fuerza de sellado",
              named("5 cups", "5 vasos"), "force", "cup", "N", crit_min="18", jump="10", every_min=120,
              instrument="SF-1"),
    CheckData(1, "CCP-1", "ccp", "Salmonella survival", "Core temperature", "Temp. interior",
              named("Oven 1", "Horno 1"), "temperature", "thermometer", "°C", crit_min="74.0", jump="15",
              every_min=60, instrument="P-11"),
    _metal(3, "CCP-2", "MD-3"),
    CheckData(4, "CCP-1", "ccp", "pathogen survival", "Pasteuriser temperature", "Temp. de pasteurización",
              named("Pasteuriser", "Pasteurizador"), "temperature", "thermometer", "°C", crit_min="72.0", jump="10",
              every_min=60, instrument="P-41"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AssetData:
    """Equipment; instruments carry range, resolution and due dates."""

    tag: str
    line: int | None
    kind: str
    en: str
    es: str
    unit: str | None = None
    low: str | None = None
    high: str | None = None
    resolution: str | None = None
    calib_days: int | None = None
    test_g: str | None = None
    test_tolerance_g: str | None = None
    test_every_min: int | None = None


def _scale(number: int) -> AssetData:
    return AssetData(
        f"SC-0{number}", number, "scale", f"Scale SC-0{number}", f"Balanza SC-0{number}", "g", "0", "3000", "0.1",
        49, "500", "0.5", 240,
    )  # fmt: skip


def _probe(tag: str, line: int) -> AssetData:
    return AssetData(tag, line, "probe", f"Probe {tag}", f"Sonda {tag}", "°C", "-40", "125", "0.1", 49)


ASSETS: tuple[AssetData, ...] = (
    *(_scale(number) for number in (1, 2, 3, 4)),
    _probe("P-11", 1), _probe("P-14", 2), _probe("P-41", 4),
    AssetData("MD-2", 2, "detector", "Metal detector MD-2", "Detector de metales MD-2", "mm", calib_days=120),
    AssetData("MD-3", 3, "detector", "Metal detector MD-3", "Detector de metales MD-3", "mm", calib_days=120),
    AssetData("K-1", 2, "kettle", "Kettle 1", "Marmita 1"),
    AssetData("K-2", 2, "kettle", "Kettle 2", "Marmita 2"),
    AssetData("CNT-2", 2, "counter", "Line 2 counter", "Contador línea 2"),
    AssetData("LP-2", 2, "printer", "Label printer LP-2", "Impresora LP-2"),
    AssetData("BC-1", 2, "chiller", "Blast chiller 1", "Abatidor 1", "min", "0", "600", "1", 200),
    AssetData("PH-1", None, "ph_meter", "pH meter PH-1", "Medidor de pH PH-1", "pH", "0", "14", "0.01", 25),
    AssetData("SF-1", None, "gauge", "Seal tester SF-1", "Medidor de sellado SF-1", "N", "0", "100", "0.1", 150),
    AssetData("FH-4", 3, "filler", "Filler head 4", "Cabezal de llenado 4"),
)  # fmt: skip

PEOPLE: tuple[tuple[str, str, str, str, str], ...] = (
    ("1041", "Operator 1041", "Operario 1041", "OP", "4271"),
    ("1057", "Operator 1057", "Operario 1057", "OP", "4271"),
    ("1066", "Operator 1066", "Operario 1066", "OP", "4271"),
    ("2003", "QA 2003", "Calidad 2003", "QT", "5836"),
    ("2008", "QA 2008", "Calidad 2008", "QT", "5836"),
    ("3001", "Supervisor 3001", "Supervisor 3001", "SV", "6942"),
    ("4001", "QA manager 4001", "Jefe de calidad 4001", "QM", "7395"),
)
"""Number, printed name, Spanish name, role, PIN. Passwords are in ``seed.PASSWORDS``."""

LOTS: tuple[tuple[str, str, str, str, str, int, int | None], ...] = (
    ("TB-261122-B", "TOMBASE", "TB-2211", "Campo Rosso", "6200", 5, None),
    ("SA-261001-D", "SALT", "88-4410", "Saltworks", "250", 300, None),
    ("BP-261117-A", "BASILP", "S-88213", "Verde Foods", "480", 21, None),
    ("OO-261105-F", "OLIVEOIL", "OL-5521", "Oliva Sur", "220", 180, None),
    ("CU-261102-C", "CUP600", "PK-7719", "PackPro", "14400", 700, None),
    ("LF-261110-E", "LIDFILM", "FM-0921", "PackPro", "12", 700, None),
    ("CF-261122-A", "CHICKFILL", "CK-1102", "Granja Norte", "2600", 6, 1),
    ("PA-261120-B", "PASTRY", "MB-3321", "Mill & Bake", "1500", 20, 1),
    ("PP-261109-C", "PEANUTP", "NUT-553", "Nutty Co", "900", 200, 3),
    ("CM-261030-A", "COCOMILK", "CC-8841", "Cocos Ltd", "1100", 250, 3),
    ("SS-261015-B", "SOYSAUCE", "SY-2230", "Shoyu House", "200", 300, 3),
    ("YB-261122-A", "YOGBASE", "DY-9001", "Dairy Vale", "1500", 9, 4),
    ("FP-261118-C", "FRUITPREP", "FR-7713", "Fruit & Co", "300", 40, 4),
)
"""Lot code, item, supplier lot, supplier, quantity, days to expiry, line it is staged for."""

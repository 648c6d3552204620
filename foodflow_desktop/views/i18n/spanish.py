"""Spanish: the tables of all screens as one. Each family of screens keeps its own file."""

from __future__ import annotations

from foodflow_desktop.views.i18n import es_floor, es_laptop, es_line, es_station

SPANISH: dict[str, str] = {**es_floor.TABLE, **es_line.TABLE, **es_station.TABLE, **es_laptop.TABLE}
"""English to Spanish. Glossary (ux.md, section 10): batch lote de producción, lot lote, hold retenido,
deviation desviación, scrap merma, stop parada, check control, allergen alérgeno."""

"""Words, numbers and times in the language of the screen."""

from foodflow_desktop.views.i18n.i18n import (
    LANGUAGES,
    age,
    clock,
    current,
    day,
    day_of,
    length,
    mark,
    named,
    number,
    percent,
    sentence,
    tr,
    typed,
    use,
    use_zone,
)

__all__ = [
    "LANGUAGES",
    "age",
    "clock",
    "current",
    "day",
    "day_of",
    "length",
    "mark",
    "named",
    "number",
    "percent",
    "sentence",
    "tr",
    "typed",
    "use",
    "use_zone",
]

"""Make the kiosk's copy of Inter: tabular figures that widen nothing but figures.

    python installer/inter_figures.py "Inter[opsz,wght].ttf" foodflow_desktop/views/theme/fonts/inter-figures.ttf

Inter 4 makes hyphen, space, colon and point of tabular text as wide as a figure ("T - 07") and gives
the tabular 1 a foot. Here ``tnum`` changes figures only and its 1 is the plain one in a figure's width.
Needs fontTools, which the product does not; run it again when a new Inter is taken.
"""

from __future__ import annotations

import sys

from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._g_l_y_f import Glyph, GlyphComponent
from fontTools.varLib.instancer import instantiateVariableFont

FIGURES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FAMILY = "Inter Figures"
ROUND_XY_TO_GRID, ARGS_ARE_XY_VALUES = 0x0004, 0x0002


def make(source: str, target: str) -> None:
    """Read Inter's variable font, write ours."""
    font = TTFont(source)
    _only_figures(font)
    _plain_one(font, _offset_of_one(source))
    for record in font["name"].names:
        if record.nameID in (1, 4, 16):
            record.string = FAMILY
        elif record.nameID in (3, 6):
            record.string = FAMILY.replace(" ", "")
    font.save(target)


def _only_figures(font: TTFont) -> None:
    """``tnum`` maps the ten figures and nothing else."""
    table = font["GSUB"].table
    tabular = {
        lookup
        for record in table.FeatureList.FeatureRecord
        if record.FeatureTag == "tnum"
        for lookup in record.Feature.LookupListIndex
    }
    for place in tabular:
        for subtable in table.LookupList.Lookup[place].SubTable:
            single = getattr(subtable, "ExtSubTable", subtable)
            single.mapping = {name: f"{name}.tf" for name in FIGURES if name in single.mapping}


def _offset_of_one(source: str) -> int:
    """How far right the plain 1 stands in the middle of a figure's width, at the weight and size most text has."""
    font = instantiateVariableFont(TTFont(source), {"wght": 650, "opsz": 18})
    return round((font["hmtx"]["one.tf"][0] - font["hmtx"]["one"][0]) / 2)


def _plain_one(font: TTFont, offset: int) -> None:
    """The tabular 1 is the plain 1, moved; its width stays (HVAR), its outline follows the plain one's variations."""
    part = GlyphComponent()
    part.glyphName, part.x, part.y = "one", offset, 0
    part.flags = ROUND_XY_TO_GRID | ARGS_ARE_XY_VALUES
    glyph = Glyph()
    glyph.numberOfContours, glyph.components = -1, [part]
    glyph.recalcBounds(font["glyf"])
    font["glyf"]["one.tf"] = glyph
    font["gvar"].variations["one.tf"] = []
    font["hmtx"]["one.tf"] = (font["hmtx"]["one.tf"][0], glyph.xMin)


if __name__ == "__main__":
    make(*sys.argv[1:3])

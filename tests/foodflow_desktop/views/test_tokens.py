"""The contrast table of ux.md, section 8, computed from the tokens themselves."""

import pytest

from foodflow_desktop.views.theme.tokens import TOKENS, Theme, hex_of

TEXT, GRAPHIC, INK = 4.5, 3.0, 7.0

PAIRS = [
    ("lineStrong", "surface", GRAPHIC),
    ("ink", "surface", INK),
    ("ink", "bg", INK),
    ("ink2", "surface", INK),
    ("ink2", "surface2", INK),
    ("ink3", "surface", TEXT),
    ("ink3", "bg", TEXT),
    ("onBar", "bar", INK),
    ("onBar2", "bar", INK),
    ("onBar", "barSoft", INK),
    ("onBar2", "barSoft", INK),
    ("onAccent", "accent", INK),
    ("accentInk", "accentSoft", INK),
    ("accent", "surface", TEXT),
    ("ok", "okSoft", TEXT),
    ("onWarn", "warnFill", INK),
    ("warn", "warnSoft", TEXT),
    ("onState", "crit", TEXT),
    ("crit", "critSoft", TEXT),
    ("hold", "holdSoft", INK),
    ("off", "offSoft", TEXT),
    ("neutral", "surface", GRAPHIC),
    ("focus", "surface", GRAPHIC),
]

EXPECTED = {
    ("lineStrong", "surface"): (4.1, 5.0, 21),
    ("ink", "surface"): (16.4, 14.3, 21),
    ("ink2", "surface"): (8.0, 9.1, 21),
    ("ink3", "surface"): (5.7, 6.6, 16.8),
    ("onBar", "bar"): (14.6, 17.5, 21),
    ("onAccent", "accent"): (7.2, 8.9, 11.9),
    ("accentInk", "accentSoft"): (7.8, 8.4, 8.9),
    ("ok", "okSoft"): (5.5, 6.9, 11.0),
    ("onWarn", "warnFill"): (9.2, 10.6, 11.7),
    ("warn", "warnSoft"): (6.1, 8.5, 10.9),
    ("onState", "crit"): (6.9, 8.7, 10.4),
    ("crit", "critSoft"): (5.7, 6.5, 8.7),
    ("hold", "holdSoft"): (10.0, 10.1, 10.6),
    ("off", "offSoft"): (7.6, 6.6, 18.9),
}


def luminance(colour):
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", list(Theme))
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_every_pair_is_readable(theme, ink, ground, least):
    assert contrast(hex_of(ink, theme), hex_of(ground, theme)) >= least


@pytest.mark.parametrize(("pair", "ratios"), EXPECTED.items())
def test_tokens_have_the_contrast_of_the_design(pair, ratios):
    for theme, ratio in zip(Theme, ratios, strict=True):
        assert contrast(hex_of(pair[0], theme), hex_of(pair[1], theme)) == pytest.approx(ratio, abs=0.11)


def test_every_token_is_a_colour_in_every_theme():
    for values in TOKENS.values():
        assert len(values) == 3
        assert all(len(value) == 7 and value.startswith("#") for value in values)

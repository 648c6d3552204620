"""The colour tokens of ux.md, section 8: name -> (light, dark, high contrast)."""

from __future__ import annotations

from enum import StrEnum


class Theme(StrEnum):
    """The three themes."""

    light = "light"
    dark = "dark"
    high_contrast = "high_contrast"


TOKENS: dict[str, tuple[str, str, str]] = {
    "bg": ("#E9EDF0", "#0E171E", "#000000"),
    "surface": ("#FFFFFF", "#17232C", "#000000"),
    "surface2": ("#F3F5F7", "#1E2D38", "#111111"),
    "line": ("#D3DAE0", "#2C3E4B", "#FFFFFF"),
    "lineStrong": ("#71808D", "#7E92A1", "#FFFFFF"),
    "ink": ("#13212D", "#EDF3F6", "#FFFFFF"),
    "ink2": ("#43525F", "#B7C5CF", "#FFFFFF"),
    "ink3": ("#5A6874", "#98A9B5", "#E6E6E6"),
    "bar": ("#13242F", "#0A1117", "#000000"),
    "onBar": ("#F2F6F8", "#F2F6F8", "#FFFFFF"),
    "onBar2": ("#B3C2CC", "#B3C2CC", "#FFFFFF"),
    "onSide": ("#C6D3DB", "#C6D3DB", "#FFFFFF"),
    "onSideHere": ("#FFFFFF", "#FFFFFF", "#FFFFFF"),
    "markHigh": ("#FFFFFF", "#FFFFFF", "#FFFFFF"),
    "markLow": ("#8FD0F5", "#8FD0F5", "#8FD0F5"),
    "barCircle": ("#D9E6EF", "#D9E6EF", "#FFFFFF"),
    "barSoft": ("#20353F", "#1C2A33", "#111111"),
    "barTile": ("#1F4A63", "#1B3B50", "#1F4A63"),
    "barLine": ("#2A404D", "#22323D", "#FFFFFF"),
    "barPale": ("#E4EBF0", "#E4EBF0", "#FFFFFF"),
    "onPale": ("#13242F", "#13242F", "#000000"),
    "onPale2": ("#3A4E5B", "#3A4E5B", "#000000"),
    "accent": ("#0E5A97", "#74B9F3", "#5CD0FF"),
    "onAccent": ("#FFFFFF", "#06131D", "#000000"),
    "accentSoft": ("#E2EEF8", "#17334A", "#00263A"),
    "accentInk": ("#0B4A7E", "#A9D4F8", "#5CD0FF"),
    "accentBar": ("#74B9F3", "#74B9F3", "#5CD0FF"),
    "ok": ("#0A6A57", "#5AD1B0", "#4DF0BE"),
    "okSoft": ("#DCF0E9", "#12372F", "#00281C"),
    "warnFill": ("#F4B52A", "#FFC34D", "#FFD23F"),
    "onWarn": ("#2A1A00", "#2A1A00", "#2A1A00"),
    "warn": ("#8A4A00", "#FFC34D", "#FFD23F"),
    "warnLine": ("#E7C98A", "#E7C98A", "#FFD23F"),
    "warnSoft": ("#FFF0CE", "#3B2C0C", "#2B2200"),
    "crit": ("#B11E17", "#FF8B7F", "#FF9C92"),
    "critBar": ("#FF8B7F", "#FF8B7F", "#FF9C92"),
    "onState": ("#FFFFFF", "#1A0503", "#000000"),
    "critSoft": ("#FCE5E2", "#451C19", "#3A0500"),
    "hold": ("#54156F", "#EBCBFA", "#E9B8FF"),
    "holdSoft": ("#F1E4F8", "#351F43", "#2B0A3A"),
    "off": ("#2F475A", "#A9BDCC", "#FFFFFF"),
    "offSoft": ("#DDE5EB", "#24343F", "#111111"),
    "neutral": ("#82919D", "#6F8291", "#C8C8C8"),
    "track": ("#DDE3E8", "#2A3B47", "#333333"),
    "focus": ("#0E5A97", "#74B9F3", "#FFE100"),
}
"""``onBar2``, ``onSide``, ``onSideHere``, ``barSoft``, ``barLine``, ``accentBar``, ``critBar`` and the logo's ``mark``
tokens stand on the dark bar or sidebar, in every theme."""


def hex_of(name: str, theme: Theme) -> str:
    """The colour of a token in a theme."""
    light, dark, high = TOKENS[name]
    return {Theme.light: light, Theme.dark: dark, Theme.high_contrast: high}[theme]

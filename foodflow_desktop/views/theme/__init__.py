"""One look for every screen: colours, type, icons, all from one token table (ux.md, section 8)."""

from foodflow_desktop.views.theme.theme import (
    colour,
    current,
    font,
    is_high_contrast,
    pixmap,
    px,
    rounded,
    scale,
    sheet,
    use,
)

__all__ = ["colour", "current", "font", "is_high_contrast", "pixmap", "px", "rounded", "scale", "sheet", "use"]

"""Icons as SVG shapes on a 24x24 field, stroke 2, drawn for this product.

``INK`` is the icon's colour, ``INSIDE`` what is drawn on a filled shape of it.
"""

from __future__ import annotations

ICONS: dict[str, str] = {
    "arrow": '<path d="M3 12h17M13.5 5.5L20 12l-6.5 6.5"/>',
    "back": '<path d="M20 12H4M10 6l-6 6 6 6"/>',
    "backspace": '<path d="M8.6 4.2H21.6a.9.9 0 0 1 .9.9v13.8a.9.9 0 0 1-.9.9H8.6L1.6 12zM12 9.2l5.6 5.6M17.6 9.2L12 14.8"/>',
    "badge": '<rect x="2.6" y="5.2" width="18.8" height="16.6" rx="2.5"/><path d="M8.8 5.2V2.2h6.4v3" /><path d="M11.2 4.2h1.6" stroke-width="1.4"/><circle cx="12" cy="12" r="2.5"/><path d="M7.6 18.8a4.4 4.4 0 0 1 8.8 0"/>',
    "barcode": '<path d="M3 8V4h4M17 4h4v4M21 16v4h-4M7 20H3v-4M7.4 8v8M10.2 8v8M12.6 8v8M16.6 8v8"/>',
    "box": ('<path d="M12 2l9.2 4.9v10.2L12 22l-9.2-4.9V6.9zM2.8 6.9L12 11.8l9.2-4.9M12 11.8V22"/>'),
    "check": (
        '<circle cx="12" cy="12" r="9.5" fill="INK"/><path d="M7.6 12.4l3 3 5.8-5.9" stroke="INSIDE" stroke-width="2.6"/>'
    ),
    "check_line": '<circle cx="12" cy="12" r="9"/><path d="M8 12.3l2.8 2.8L16 9.8"/>',
    "chevron": '<path d="M9 5l7 7-7 7"/>',
    "clipboard": (
        '<rect x="4.8" y="3.9" width="14.4" height="17.5" rx="2"/><path d="M8.7 3.9V2.6h6.6v1.3M8.5 12.9l2.6 2.6 4.8-5.2"/>'
    ),
    "clock": '<circle cx="12" cy="12" r="9"/><path d="M12 6.8V12l3 2.5"/>',
    "cloud_off": (
        '<path d="M3.4 4.2L20 20.4M7.2 8.2A5.7 5.7 0 0 0 7.8 19.4h9.7a4.6 4.6 0 0 0 1.5-.25'
        'M21.4 16.9A4.6 4.6 0 0 0 17.6 10.2h-.3A6.8 6.8 0 0 0 9.7 5.9"/>'
    ),
    "cloud_ok": (
        '<path d="M7.5 19a5 5 0 0 1-.7-9.95A6.5 6.5 0 0 1 19 10.5 4.3 4.3 0 0 1 17.5 19z"/><path d="M9.5 13.5l2 2 3.5-3.5"/>'
    ),
    "cloud_up": (
        '<path d="M7.5 19a5 5 0 0 1-.7-9.95A6.5 6.5 0 0 1 19 10.5 4.3 4.3 0 0 1 17.5 19z"/><path d="M12 16v-5M9.8 13l2.2-2.2 2.2 2.2"/>'
    ),
    "cup": '<path d="M5 7.5h14L17 21H7zM4 4h16v3.5H4z"/>',
    "crew": (
        '<circle cx="9.5" cy="8" r="4"/><path d="M2.5 20.5a7 7 0 0 1 14 0M16 4.5a4 4 0 0 1 0 7.5M18.5 14.5a7 7 0 0 1 3 6"/>'
    ),
    "crit": (
        '<path d="M8 2.5h8L21.5 8v8L16 21.5H8L2.5 16V8z" fill="INK"/><path d="M12 7v5.8M12 16.5v.2" stroke="INSIDE" stroke-width="2.7"/>'
    ),
    "crit_out": '<path d="M8 2.5h8L21.5 8v8L16 21.5H8L2.5 16V8z" fill="INK" stroke="none"/><path d="M12 7v5.8M12 16.5v.2" stroke="INSIDE" stroke-width="2.7"/>',
    "coffee": ('<path d="M4 9.5h13v7a4 4 0 0 1-4 4H8a4 4 0 0 1-4-4zM17 11h1.5a2.5 2.5 0 0 1 0 5H17M8 3v3M12.5 3v3"/>'),
    "detector": (
        '<path d="M4 21.3V10.6a8 8 0 0 1 16 0v10.7M8.2 21.3V10.8a3.8 3.8 0 0 1 7.6 0v10.5M2.2 21.3h7.6M14.2 21.3h7.6"/>'
    ),
    "dots": (
        '<g fill="INK" stroke="none"><circle cx="4.4" cy="12" r="2.6"/><circle cx="12" cy="12" r="2.6"/><circle cx="19.6" cy="12" r="2.6"/></g>'
    ),
    "download": '<path d="M12 4v11M7 11l5 5 5-5M4 20.5h16"/>',
    "downstream": '<path d="M20 4v16M4 12h12M11 7l5 5-5 5"/>',
    "flag": ('<path d="M5 21.5V3.6h13.8l-3.2 4.6 3.2 4.6H5"/>'),
    "flask": '<path d="M9 3h6M10 3v6.5L4.8 18.6A1.8 1.8 0 0 0 6.4 21.3h11.2a1.8 1.8 0 0 0 1.6-2.7L14 9.5V3M7.5 15h9"/>',
    "globe": '<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c-5 5-5 13 0 18M12 3c5 5 5 13 0 18"/>',
    "grid": (
        '<rect x="3.5" y="3.5" width="7" height="7" rx="1.5"/><rect x="13.5" y="3.5" width="7" height="7" rx="1.5"/><rect x="3.5" y="13.5" width="7" height="7" rx="1.5"/><rect x="13.5" y="13.5" width="7" height="7" rx="1.5"/>'
    ),
    "hand": (
        '<path d="M8 12V5.5a1.5 1.5 0 0 1 3 0V11V4a1.5 1.5 0 0 1 3 0v7V5.5a1.5 1.5 0 0 1 3 0V14a7 7 0 0 1-7 7c-3 0-4.5-1.5-6-4.5l-1.5-3a1.5 1.5 0 0 1 2.6-1.5L8 14.5"/>'
    ),
    "info": '<circle cx="12" cy="12" r="9"/><path d="M12 11v5.5M12 7.6v.2"/>',
    "jam": '<path d="M3.4 7.8h18.4M3.4 16.1h18.4M9.4 9.9l6.6 4.4M16 9.9l-6.6 4.4"/>',
    "keyboard": '<rect x="2.5" y="5.5" width="19" height="13" rx="2"/><path d="M6.5 9.7h.1M10.2 9.7h.1M13.8 9.7h.1M17.4 9.7h.1M8 14.3h8"/>',
    "leaf": '<path d="M4.5 19.5C3 10 9 4.5 20 4.5c0 11-6 16-14 13M4.5 19.5c2-5 5-7.5 9.5-9.5"/>',
    "lid": '<path d="M6.5 9l1.5 11.5h8L17.5 9M3.5 9h17M7 3.5h10"/>',
    "list": '<path d="M8 6h13M8 12h13M8 18h13M3.5 6h.1M3.5 12h.1M3.5 18h.1"/>',
    "lock": (
        '<rect x="2.8" y="10.4" width="18.4" height="12" rx="2.2" fill="INK" stroke="none"/><path d="M7.5 10.5V7.5a4.5 4.5 0 0 1 9 0v3"/>'
    ),
    "logo": '<path d="M4 13l8-5.5 8 5.5M4 18.5l8-5.5 8 5.5"/>',
    "logout": '<path d="M10 4H5v16h5M15 8l4 4-4 4M19 12H10"/>',
    "monitor": '<rect x="2.5" y="4" width="19" height="13" rx="2"/><path d="M12 17v3.5M8.5 20.5h7"/>',
    "octagon": '<path d="M8 2.8h8L21.2 8v8L16 21.2H8L2.8 16V8z"/><path d="M12 7.5v5.5M12 16.4v.2"/>',
    "padlock": '<rect x="5" y="11" width="14" height="10" rx="2"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/>',
    "pallet": (
        '<path d="M4 3.5h7v6H4zM13 3.5h7v6h-7zM4 9.5h7v6H4zM13 9.5h7v6h-7zM2.5 20.5h19M5 17.5v3M12 17.5v3M19 17.5v3"/>'
    ),
    "pause": ('<circle cx="12" cy="12" r="9.8"/><path d="M9.7 8.2v7.6M14.3 8.2v7.6"/>'),
    "pencil": '<path d="M4 20l1-4.5L16.5 4l3.5 3.5L8.5 19zM14 6.5l3.5 3.5"/>',
    "people": '<circle cx="9.5" cy="8" r="4"/><path d="M2.5 20.5a7 7 0 0 1 14 0M16 4.5a4 4 0 0 1 0 7.5M18.5 14.5a7 7 0 0 1 3 6"/>',
    "phone": '<path d="M5 3.5h4l1.8 5-2.3 1.6a11.5 11.5 0 0 0 5.4 5.4l1.6-2.3 5 1.8v4a1.8 1.8 0 0 1-2 1.8C10.5 20.2 3.8 13.5 3.2 5.5A1.8 1.8 0 0 1 5 3.5z"/>',
    "play": ('<circle cx="12" cy="12" r="9.8"/><path d="M9.8 8.4v7.2l6.6-3.6z" fill="INK" stroke-width="1.4"/>'),
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "pot": (
        '<path d="M4 9.5h16v6.5a4 4 0 0 1-4 4H8a4 4 0 0 1-4-4zM1.8 12.5H4M20 12.5h2.2M8.8 6.6l1-3.4M13.8 6.6l1-3.4"/>'
    ),
    "printer": '<path d="M6.5 9V3.5h11V9M6.5 17.5H4V9h16v8.5h-2.5M6.5 14.5h11v6.5h-11z"/>',
    "question": (
        '<circle cx="12" cy="12" r="9"/><path d="M9.2 9.3a2.9 2.9 0 1 1 4.3 2.5c-1 .6-1.5 1.2-1.5 2.2M12 17v.2"/>'
    ),
    "ring": '<circle cx="12" cy="12" r="6.5"/>',
    "roll": '<circle cx="8.3" cy="8.8" r="5.8"/><circle cx="8.3" cy="8.8" r="1.4"/><path d="M8.3 14.6H22v5.4h-8.6"/>',
    "scale": (
        '<path d="M7.4 3.6h9.2M12 3.6v2.6M7 10.6a5 4.4 0 0 1 10 0M5.9 10.6h12.2a.8.8 0 0 1 .8.7l1.4 8.6a.8.8 0 0 1-.8.9H4.5a.8.8 0 0 1-.8-.9l1.4-8.6a.8.8 0 0 1 .8-.7z"/>'
    ),
    "scan": '<path d="M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M7.6 8.6v6.8M10.3 8.6v6.8M12.6 8.6v6.8M16.4 8.6v6.8"/>',
    "search": '<circle cx="11" cy="11" r="6.5"/><path d="M20.5 20.5L16 16"/>',
    "share": (
        '<circle cx="5" cy="12" r="2.5"/><circle cx="18.5" cy="5.5" r="2.5"/><circle cx="18.5" cy="18.5" r="2.5"/><path d="M7.5 12h3c3 0 2.5-6.5 5.5-6.5M10.5 12c3 0 2.5 6.5 5.5 6.5"/>'
    ),
    "snow": '<path d="M12 2.5v19M3.8 7.2l16.4 9.6M20.2 7.2L3.8 16.8M9.5 4.5L12 7l2.5-2.5M9.5 19.5L12 17l2.5 2.5M4 11.2l3.3-.9-.9-3.3M20 12.8l-3.3.9.9 3.3M4 12.8l3.3.9-.9 3.3M20 11.2l-3.3-.9.9-3.3"/>',
    "sound": '<path d="M4 9.5v5h3.5l5 4v-13l-5 4zM16 9a4.2 4.2 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11"/>',
    "sound_off": '<path d="M4 9.5v5h3.5l5 4v-13l-5 4zM16.5 9.5l5 5M21.5 9.5l-5 5"/>',
    "spray": '<rect x="8.6" y="11.6" width="7.6" height="10.6" rx=".8"/><path d="M9.9 11.6V5.2h6.6M9.9 8.3h5v3.3M18.7 4.7h.1M21.5 2.7h.1M21.5 7.3h.1M18.7 10.1h.1"/>',
    "sprout": '<path d="M12 21v-9M12 12C12 8 9 6 5 6c0 4 3 6 7 6zM12 10c0-4 3-6 7-6 0 4-3 6-7 6z"/>',
    "swap": '<path d="M3.4 8.2h16M14.4 3.8l5 4.4-5 4.9M21.5 16.8h-15.4M10.9 12.1l-4.9 4.7 4.9 4.9"/>',
    "sync": (
        '<path d="M3.5 11.5a8.6 8.6 0 0 1 14.7-5.4l2.3 2.3M20.5 3.4v5h-5M20.5 12.5a8.6 8.6 0 0 1-14.7 5.4l-2.3-2.3M3.5 20.6v-5h5"/>'
    ),
    "tag": '<path d="M3 6h11.5L21 12l-6.5 6H3z"/><circle cx="8" cy="12" r="1.5"/>',
    "thermometer": '<path d="M9.5 14V5a2.5 2.5 0 0 1 5 0v9a4.5 4.5 0 1 1-5 0zM12 9v8"/>',
    "tick": '<path d="M5 12.5l4.5 4.5L19.5 7"/>',
    "trash": (
        '<path d="M3.4 6.3h17.2M9 6.3V4.4a.9.9 0 0 1 .9-.9h4.2a.9.9 0 0 1 .9.9v1.9M5.5 6.3l1 14a1 1 0 0 0 1 .9h9a1 1 0 0 0 1-.9l1-14M10 10.4v6.6M14 10.4v6.6"/>'
    ),
    "truck": (
        '<path d="M2 6h12v10H2zM14 10h4.5l3 3.5V16H14z"/><circle cx="6.5" cy="17.5" r="2"/><circle cx="17.5" cy="17.5" r="2"/>'
    ),
    "undo": '<path d="M4 9h10.5a5.5 5.5 0 0 1 0 11H8M8 4.5L3.5 9 8 13.5"/>',
    "upstream": '<path d="M4 4v16M8 12h12M15 7l5 5-5 5"/>',
    "user": '<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5a7.5 7.5 0 0 1 15 0"/>',
    "warn": (
        '<path d="M12 3.5L22 20.5H2z" fill="INK" stroke-linejoin="round"/><path d="M12 10v4.5M12 17.4v.2" stroke="INSIDE"/>'
    ),
    "wrench": '<path d="M18.7 3.5C13.8 2.3 10.4 5.6 11 10.7L3.3 18.3l3.1 3.1 7.7-7.3c4.7.8 8.3-1.5 8.4-6.5l-4.4 3.3-3.8-3.3z"/>',
    "x": '<path d="M5 5l14 14M19 5L5 19"/>',
    "approx": ('<path d="M2.5 9.3c2.2-3 4.6-3 7-.8s5 2.3 7.2.6l4.8-2.6M2.5 17c2.2-3 4.6-3 7-.8s5 2.3 7.2.6l4.8-2.6"/>'),
    "check_ring": ('<circle cx="12" cy="12" r="9.2"/><path d="M8 12.3l2.8 2.8L16 9.8"/>'),
    "plug_off": (
        '<path d="M3 3l18 18M9 3v4M15 3v4M10.5 7H18v4a6 6 0 0 1-.8 3M6.5 8.5V11a5.5 5.5 0 0 0 8 4.9M12 17v4.5"/>'
    ),
    "speaker": ('<path d="M11.5 5L7 9H3.5v6H7l4.5 4zM15 9.5a4 4 0 0 1 0 5M17.8 7a7.5 7.5 0 0 1 0 10"/>'),
    "speaker_off": ('<path d="M11.5 5L7 9H3.5v6H7l4.5 4zM16 9.5l5 5M21 9.5l-5 5"/>'),
    "triangle": ('<path d="M12 3.5L22 20.5H2z" fill="INK" stroke-linejoin="round"/>'),
    "usb": (
        '<path d="M12 20.5V4.8M10.2 6.4L12 4.4l1.8 2M12 17.5c-3-.5-4.2-1.7-4.2-4.3v-1.8M12 15.2c3-.5 4.2-1.7 4.2-3.7V9.7"/><circle cx="7.8" cy="10.3" r="1.1"/><path d="M15.3 7.9h1.8v1.8h-1.8z"/>'
    ),
    "weight": (
        '<circle cx="12" cy="5" r="2.9"/><path d="M8.6 8.6h6.8a1 1 0 0 1 1 .8l2.6 10.4a1 1 0 0 1-1 1.2H6a1 1 0 0 1-1-1.2L7.6 9.4a1 1 0 0 1 1-.8z"/>'
    ),
    "stop": (
        '<path d="M7.4 1h9.2L23 7.4v9.2L16.6 23H7.4L1 16.6V7.4z" fill="INK" stroke="none"/><path d="M12 6.6v6.6" stroke="INSIDE" stroke-width="2.9"/><circle cx="12" cy="17.6" r="1.75" fill="INSIDE" stroke="none"/>'
    ),
}

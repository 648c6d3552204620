"""Every screen with its mockup's own data, mockup left, ours right. ``make shots`` writes .shots/.

Each module here has ``SHOTS: tuple[Shot, ...]`` and is listed in ``__main__.MODULES``. The
mockups are design material and do not ship: ``FOODFLOW_MOCKUPS`` names their folder.
"""

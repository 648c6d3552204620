"""Speed as figures beside a floor or a peer measured in the same run. ``make bench`` writes docs/benchmarks.md.

Each module here has ``measure() -> list[Figure]`` and is listed in ``__main__.MODULES``.
"""

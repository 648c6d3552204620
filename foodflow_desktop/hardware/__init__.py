"""Scales, scanners, probes and line signals: bytes in, typed readings out."""

"""Screen logic without Qt: each station returns an immutable picture and takes gestures."""

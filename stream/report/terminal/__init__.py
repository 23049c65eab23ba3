"""Report of a run on the terminal."""

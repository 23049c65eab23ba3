"""The parts of `scripts/bench.py`: who is measured, at what, and how the runs alternate."""

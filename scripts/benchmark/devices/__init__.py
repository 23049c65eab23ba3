"""Parts of `scripts/bench_device.py`, one file each; `case.py` has what they share."""

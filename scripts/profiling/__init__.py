"""The parts of `scripts/profile_step.py`, which shows where the time of a training step goes."""

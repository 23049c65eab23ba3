"""Deliberate faults, and the checks of a run after them.

`kills`, `damages` and `writes` have the trials of the three parts of `fault_campaign.py`; `disk` simulates a disk that
fails; `world` has the small runs; `sameness` compares two runs. Tests use `disk`, `damages` and `sameness`.
"""

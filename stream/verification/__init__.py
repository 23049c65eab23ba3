"""Verification: checks the proof of a run from the files in its folder.

checks     `verify`: runs all checks; `whole_record`: an intact run, for code that uses one
chain      reads the folder; checks the hashes of the ledger
recorded   `RecordedRun`: the state of a run, computed from its ledger
keys       settings, keys and recipes
stored     the files of the store
cells      the cells of R and the certificates
scores     the cells that evaluations of other runs in the store certify
documents  results.json and R.csv
sources    encoded data and files of the backbone
rerun      evaluates cells again
validation computes validation scores again, for rerun
study      a study: its members and study.json
grid       which members a study has
learned    Deltas, learners and backbone of a finished run
verdict    `Finding`, `Outcome` and `Verdict`: the result of checks

Rooms above may import `verify`, `Finding` and `Verdict` from here, and the public names of `chain`, `checks`,
`learned`, `recorded` and `sources`. Verification imports `engine` and the rooms below it.
"""

from __future__ import annotations

from stream.verification.checks import verify
from stream.verification.verdict import Finding, Verdict

__all__ = ["Finding", "Verdict", "verify"]

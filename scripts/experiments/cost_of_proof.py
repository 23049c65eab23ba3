"""The cost of the proof: the share of a run that hashing, ledger and certificates take, and what certificates save.

A stream of the 26 twins runs twice in this process. With `full`, every past task is evaluated again after every
arrival. With `audited`, a task is evaluated at its arrival, one past task per arrival is audited, and all tasks are
evaluated once more at the end: 26 + 25 + 26 evaluations of an isolated learner instead of 351. Calls that only the
proof needs are timed; a call inside another one counts once. R must be the same in both runs, bit for bit.

    python scripts/experiments/cost_of_proof.py --out runs/proof
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import study
from options import run_options

import learners.delta.delta
import stream.engine.events
import stream.execution.evaluate_job
import stream.execution.workbench
import stream.storage.fits
from stream import InputError, Results, run
from stream.storage.keys import RunInputs
from stream.storage.ledger import Ledger

LEARNERS = "full:isolated,full:sequential,topk:1,layernorm,adapter,adapterbias:share=alpha:l0,head"
LIMIT = 0.02  # share of the run that a user would not notice
# Kind -> functions that only the proof needs: the object that holds the name, and the name.
PROOF: dict[str, tuple[tuple[Any, str], ...]] = {
    "backbone hashed after each job": ((stream.execution.workbench, "changed_tensor"),),
    "Deltas hashed, when made and when read": ((learners.delta.delta, "tensor_digest"),),
    "logits, predictions and plans hashed": ((stream.execution.evaluate_job, "content_id"),),
    "keys of jobs": ((RunInputs, "key"), (stream.storage.fits, "recipe_id")),
    "ledger: chain, write, flush to disk": ((Ledger, "append"),),
    "certificates": ((stream.engine.events, "check_certificate"),),
}


@contextmanager
def timed(seconds: dict[str, float]) -> Iterator[None]:
    """Add to `seconds`, by kind, the time of the calls of `PROOF`. A call inside another belongs to the outer one."""
    inside = False
    originals: list[tuple[Any, str, Any]] = []

    def clocked(kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            nonlocal inside
            if inside:
                return function(*given, **named)
            inside, begun = True, time.perf_counter()
            try:
                return function(*given, **named)
            finally:
                inside = False
                seconds[kind] = seconds.get(kind, 0.0) + time.perf_counter() - begun

        return call

    try:
        for kind, places in PROOF.items():
            for owner, name in places:
                originals.append((owner, name, getattr(owner, name)))
                setattr(owner, name, clocked(kind, getattr(owner, name)))
        yield
    finally:
        for owner, name, function in originals:
            setattr(owner, name, function)


@run_options(
    source="simulated",
    learners=LEARNERS,
    train_examples=120,
    test_examples=40,
    epochs=3,
    max_length=40,
    without=["evaluate", "workers"],
)
def main(settings: dict[str, Any], out: study.Out = Path("runs/proof")) -> None:
    console = study.open_console()
    found: dict[str, dict[str, Any]] = {}
    runs: dict[str, Results] = {}
    for mode in ("full", "audited"):
        folder = out / mode
        if folder.exists():
            shutil.rmtree(folder)  # otherwise only the rest of a continued run would be timed
        seconds: dict[str, float] = {}
        begun = time.perf_counter()
        with timed(seconds):
            handle = study.progress_printer(console, str(folder))
            runs[mode] = run(out=folder, evaluate=mode, workers=1, seed=0, handle=handle, **settings)
        total, proof = time.perf_counter() - begun, sum(seconds.values())
        evaluations = {
            name: proof.cells_measured + proof.cells_partly_measured + proof.cells_audited
            for name, proof in ((name, learner.retention) for name, learner in runs[mode].items())
        }
        found[mode] = {"seconds": total, "proof": proof, "part": proof / total, "parts": seconds}
        found[mode]["cells_run"] = evaluations
    for name, learner in runs["full"].items():
        if runs["audited"][name].rows() != learner.rows():
            raise InputError("R differs between the modes", where=f"learner {name}", expected="the same bits")
    rows = [[kind, *(_share(found[mode], kind) for mode in found)] for kind in PROOF]
    rows.append(["all", *(f"{each['proof']:.2f} s, {100 * each['part']:.2f} %" for each in found.values())])
    rows.append(["the whole run, one process", *(f"{each['seconds']:.1f} s" for each in found.values())])
    rows.append([f"under {LIMIT:.0%}", *("holds" if each["part"] < LIMIT else "fails" for each in found.values())])
    isolated = [name for name, learner in runs["full"].items() if learner.sharing == "isolated"]
    for name in isolated[:1]:
        rows.append([f"evaluated cells of R, {name}", *(str(each["cells_run"][name]) for each in found.values())])
    study.show(console, "Cost of the proof; R is the same, bit for bit", ["", *found], rows)
    study.save(out / "cost_of_proof.json", {"settings": settings, "modes": found}, runs["full"], console)


def _share(mode: dict[str, Any], kind: str) -> str:
    seconds = mode["parts"].get(kind, 0.0)
    return f"{seconds:.2f} s, {100 * seconds / mode['seconds']:.2f} %"


if __name__ == "__main__":
    study.command(main, __doc__)

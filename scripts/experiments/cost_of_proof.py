"""What the proof costs: hashing, ledger and certificates as a part of a run, and what certificates save.

The demo's stream runs twice in this process: every past task evaluated again after every arrival (`full`), and with
certificates (`audited`: measured on arrival, one past task audited an arrival, all once more in the end: 26 + 25 + 26
evaluations of an isolated learner, not 351). Calls that exist for the proof alone are timed where they are made;
one inside another counts once. R must be the same, bit for bit.

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
from stream import run
from stream.storage.keys import RunInputs
from stream.storage.ledger import Ledger
from tasks.errors import InputError

LEARNERS = "full:isolated,full:sequential,topk:1,layernorm,adapter,adapterbias:share=alpha:l0,head"
LIMIT = 0.02  # of the run: what a user would not notice
# Of each kind: where it is looked up, and its name.
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
    """Add up, by kind, the time of the calls of `PROOF`; a call inside another belongs to the outer one."""
    inside = False
    honest: list[tuple[Any, str, Any]] = []

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
                honest.append((owner, name, getattr(owner, name)))
                setattr(owner, name, clocked(kind, getattr(owner, name)))
        yield
    finally:
        for owner, name, function in honest:
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
    runs = {}
    for mode in ("full", "audited"):
        folder = out / mode
        if folder.exists():
            shutil.rmtree(folder)  # a run that is continued would be timed in part
        seconds: dict[str, float] = {}
        begun = time.perf_counter()
        with timed(seconds):
            tell = study.teller(console, str(folder))
            runs[mode] = run(out=folder, evaluate=mode, workers=1, seed=0, handle=tell, **settings).as_dict()
        total, proof = time.perf_counter() - begun, sum(seconds.values())
        evaluations = {
            name: each["retention"]["cells_measured"] + each["retention"]["cells_audited"]
            for name, each in runs[mode]["learners"].items()
        }
        found[mode] = {"seconds": total, "proof": proof, "part": proof / total, "parts": seconds}
        found[mode]["cells_run"] = evaluations
    for name, learner in runs["full"]["learners"].items():
        if runs["audited"]["learners"][name]["R"] != learner["R"]:
            raise InputError("R differs between the modes", where=f"learner {name}", expected="the same bits")
    rows = [[kind, *(_share(found[mode], kind) for mode in found)] for kind in PROOF]
    rows.append(["all", *(f"{each['proof']:.2f} s, {100 * each['part']:.2f} %" for each in found.values())])
    rows.append(["the whole run, one process", *(f"{each['seconds']:.1f} s" for each in found.values())])
    rows.append([f"under {LIMIT:.0%}", *("holds" if each["part"] < LIMIT else "fails" for each in found.values())])
    isolated = [name for name, each in runs["full"]["learners"].items() if each["sharing"] == "isolated"]
    for name in isolated[:1]:
        rows.append([f"cells of R run, {name}", *(str(each["cells_run"][name]) for each in found.values())])
    study.show(console, "What the proof costs; R is the same, bit for bit", ["", *found], rows)
    study.save(out / "cost_of_proof.json", {"settings": settings, "modes": found}, runs["full"], console)


def _share(mode: dict[str, Any], kind: str) -> str:
    seconds = mode["parts"].get(kind, 0.0)
    return f"{seconds:.2f} s, {100 * seconds / mode['seconds']:.2f} %"


if __name__ == "__main__":
    study.command(main, __doc__)

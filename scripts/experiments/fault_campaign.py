"""Deliberate faults: killed runs, damaged files, full disks. Does every run end as if nothing had happened?

1. Kills. A run gets SIGKILL (some get SIGTERM or Ctrl-C) at a random instant of its running time, uniformly drawn. The
   same command is given again, sometimes killed once more, and then continues to its end. Results, every R.csv and the
   ledger (Delta ids, logits, predictions) must equal those of an uninterrupted run, bit for bit; no fit may be done
   twice; and `taskstream verify` must pass. To save time, most runs are forks of a process that has loaded the
   libraries. Every tenth is the real command with two workers.
2. Damages. In a finished run, one byte is changed or a file is cut: ledger, Deltas, fit records, results, R.csv,
   config.toml, encoded data, backbone. `taskstream verify` must name the file.
3. Writes. A write point is each creation of a file or folder, each write, synchronisation, renaming and removal of a
   run. At every write point the process dies, or the power fails (which loses everything that was not synchronised), or
   the disk is full or read-only, once or from then on. The run must end with a message that says so, and the same call
   must continue to the same bits.

The backbone is tiny with random weights, and the tasks are simulated. A failed trial is printed, its folder stays, and
the exit code is 1. An interrupted campaign continues where it stopped, because --out stores a line per trial. Delete
that folder to begin a new campaign.

    python scripts/experiments/fault_campaign.py --out runs/faults
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar
from unittest.mock import patch

import study
import typer
from rich.console import Console
from rich.progress import Progress

from stream import InputError
from stream.storage.files import usable_folder
from tasks.content import content_id
from tasks.files import write_atomic

T = TypeVar("T")
# Set before any library reads them: a fork does not have the threads of its parent.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


@dataclass(frozen=True)
class Trials:
    """Runs trials, prints failures, and skips the trials that an earlier call finished.

    Attributes:
        journal: File with a line for each finished trial.
        done: Finished trials -> what went wrong; None if nothing.
    """

    console: Console
    journal: Path
    done: dict[str, str | None]

    def each(
        self, what: str, planned: Sequence[T], attempt: Callable[[T], str | None]
    ) -> Iterable[tuple[T, str | None]]:
        """Run each planned trial; yield it and what went wrong, None if nothing. On a terminal, show a progress bar."""
        # The bar must not start a thread: a fork would lack it.
        with Progress(console=self.console, auto_refresh=False, disable=not self.console.is_terminal) as progress:
            bar = progress.add_task(what, total=len(planned))
            for trial in planned:
                fault = self._once(repr(trial), lambda: attempt(trial))  # noqa: B023 - called at once
                if fault is not None:
                    self.console.print(f"{what}: {fault}", style="bold red", markup=False, soft_wrap=True)
                progress.advance(bar)
                progress.refresh()
                yield trial, fault

    def _once(self, trial: str, attempt: Callable[[], str | None]) -> str | None:
        if trial in self.done:
            return self.done[trial]
        fault = attempt()
        with self.journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps([trial, fault]) + "\n")
        return fault


def open_trials(console: Console, journal: Path) -> Trials:
    """Open the journal and read the trials that an earlier call finished, failed ones included.

    Raises:
        InputError: The code has changed since the earlier call.
    """
    code, done = {"code": source_digest()}, dict[str, str | None]()
    if journal.exists():
        first, *lines = journal.read_text(encoding="utf-8").splitlines() or ["null"]
        if first != json.dumps(code):
            what, fix = "this campaign was begun with other code", "delete the folder, or give another --out"
            raise InputError(what, where=str(journal), fix=fix)
        with suppress(json.JSONDecodeError):  # the last line may be torn
            done.update(json.loads(line) for line in lines)
    write_atomic(journal, "".join(json.dumps(line) + "\n" for line in (code, *done.items())))
    return Trials(console, journal, done)


def source_digest() -> str:
    """Content hash of this project's Python files."""
    root = Path(__file__).parents[2]
    files = sorted(path for room in ("tasks", "learners", "stream", "scripts") for path in (root / room).rglob("*.py"))
    return content_id("source", *(path.read_bytes() for path in files))


def campaign(base: Path, kills: int, damages: int, writes: int | None, seed: int, trials: Trials) -> dict[str, Any]:
    """Run all trials in the folder `base`.

    Args:
        writes: Write points per kind of fault; None means all.

    Returns:
        Kind of fault -> `tried`: number of trials; `failed`: what went wrong, one text per failed trial.
    """
    from faults.damages import files_of, plan_damages, undetected
    from faults.kills import cache_of, kill, open_killing, plan_kills
    from faults.world import save_tiny_backbone
    from faults.writes import open_writes, plan_writes, try_write

    backbone = save_tiny_backbone(base / "backbone")
    found: dict[str, list[str | None]] = {}
    points = open_writes(base)  # first: this run loads modules that libraries load at first use, so the forks have them
    planned = plan_kills(kills, seed)
    killing = open_killing(base, planned)
    for trial, failure in trials.each("kills", planned, lambda trial: kill(killing, trial)):
        found.setdefault(trial.kind, []).append(failure)
    run = killing.references["full"]
    with patch.dict(os.environ, TASKSTREAM_CACHE=str(cache_of(run))):
        files = files_of(run, cache_of(run), backbone)
        chosen = list(plan_damages(files, damages, seed))
        for damage, failure in trials.each("damages", chosen, lambda damage: undetected(run, damage)):
            found.setdefault(f"damaged {damage.kind}", []).append(failure)
    faults = list(plan_writes(points.points, writes))
    for (kind, _), failure in trials.each("writes", faults, lambda one: try_write(points, one[1])):
        found.setdefault(kind, []).append(failure)
    return {
        kind: {"tried": len(each), "failed": [one for one in each if one is not None]} for kind, each in found.items()
    }


def main(
    kills: Annotated[int, typer.Option(min=1, help="Runs killed with SIGKILL.")] = 200,
    damages: Annotated[int, typer.Option(min=0, help="Damages to files of a finished run.")] = 1000,
    writes: Annotated[int | None, typer.Option(min=0, help="Write points per kind of fault. Default: all.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of instants, files and bytes.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder of runs and results.")] = Path("runs/faults"),
) -> None:
    console = study.open_console()
    base = usable_folder(out, f"--out {out}").resolve() / "work"
    trials = open_trials(console, out / f"trials-{seed}.jsonl")
    if any(trials.done.values()):
        base.rename(base.with_name(f"{base.name}-{len(trials.done)}"))  # keeps the folders of failed trials
    shutil.rmtree(base, ignore_errors=True)
    with patch.dict(os.environ, ONE_THREAD):
        found = campaign(base, kills, damages, writes, seed, trials)
    rows = [
        [kind, f"{each['tried']:,}", f"{each['tried'] - len(each['failed']):,}", f"{len(each['failed']):,}"]
        for kind, each in found.items()
    ]
    tried = sum(each["tried"] for each in found.values())
    failed = sum(len(each["failed"]) for each in found.values())
    rows.append(["all", f"{tried:,}", f"{tried - failed:,}", f"{failed:,}"])
    head = ["fault", "tried", "same bits, or file named", "failed"]
    study.show(console, "Faults, and the runs after them", head, rows)
    settings = {"kills": kills, "damages": damages, "writes": writes, "seed": seed}
    study.save(out / "fault_campaign.json", {"settings": settings, "faults": found}, None, console)
    if failed:
        console.print(f"{failed} of {tried} trials failed; their folders are in {base}", style="bold red")
        raise typer.Exit(1)
    trials.journal.unlink()
    shutil.rmtree(base)


if __name__ == "__main__":
    study.command(main, __doc__)

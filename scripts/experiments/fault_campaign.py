"""Faults on purpose: runs killed, files damaged, disks full. Does every run end as if nothing had happened?

1. Kills. A run is sent SIGKILL (a few also SIGTERM or Ctrl-C) at an instant drawn uniformly from the time it takes
   uninterrupted, given again, sometimes killed again, and let go on. Results, every R.csv and the ledger (Delta ids,
   logits, predictions) must be those of the uninterrupted run, bit for bit, no fit done twice, and `taskstream verify`
   must pass. To be quick, most runs are forks of a process that has the libraries loaded; every tenth is the command
   with two workers.
2. Damages. In a finished run a byte is changed, or a file cut: ledger, Deltas, fit records, results, R.csv, encoded
   data, backbone. `taskstream verify` must name the file.
3. Writes. At each write point of a run (each file or folder made, write, synchronisation, renaming, removal) the
   process dies, the power is cut (with it goes all that was not synchronised), the disk is full or read-only, once or
   from then on. The run must end with a message that tells it, and the same call must go on to the same bits.

The backbone is tiny, of random weights; tasks are simulated. What fails is printed, its folder is kept, exit code 1.
A campaign that was interrupted goes on where it stopped: --out keeps a line for each trial. Delete it for a new one.

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

from stream.storage.files import usable_folder
from tasks.content import content_id
from tasks.errors import InputError
from tasks.files import write_atomic

T = TypeVar("T")
# Before any library reads them: the threads of a process do not live on in its forks.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


@dataclass(frozen=True)
class Trials:
    """Where trials are told, and what came of those an earlier call had done."""

    console: Console
    journal: Path
    done: dict[str, str | None]

    def each(
        self, what: str, planned: Sequence[T], attempt: Callable[[T], str | None]
    ) -> Iterable[tuple[T, str | None]]:
        """Each trial and what went wrong with it, told at once; a bar where somebody watches."""
        # No thread of its own, which forks would lack.
        with Progress(console=self.console, auto_refresh=False, disable=not self.console.is_terminal) as progress:
            bar = progress.add_task(what, total=len(planned))
            for trial in planned:
                told = self._once(repr(trial), lambda: attempt(trial))  # noqa: B023 - called at once
                if told is not None:
                    self.console.print(f"{what}: {told}", style="bold red", markup=False, soft_wrap=True)
                progress.advance(bar)
                progress.refresh()
                yield trial, told

    def _once(self, trial: str, attempt: Callable[[], str | None]) -> str | None:
        if trial in self.done:
            return self.done[trial]
        told = attempt()
        with self.journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps([trial, told]) + "\n")
        return told


def open_trials(console: Console, journal: Path) -> Trials:
    """Take up the trials of an earlier call of the same code, those that did harm among them.

    Raises:
        InputError: The earlier call was of other code.
    """
    code, done = {"code": source_digest()}, dict[str, str | None]()
    if journal.exists():
        first, *lines = journal.read_text(encoding="utf-8").splitlines() or ["null"]
        if first != json.dumps(code):
            what, fix = "a campaign of other code was begun here", "delete the folder, or give another --out"
            raise InputError(what, where=str(journal), fix=fix)
        with suppress(json.JSONDecodeError):  # the last line may be torn
            done.update(json.loads(line) for line in lines)
    write_atomic(journal, "".join(json.dumps(line) + "\n" for line in (code, *done.items())))
    return Trials(console, journal, done)


def source_digest() -> str:
    """SHA-256 over the code of this project."""
    root = Path(__file__).parents[2]
    files = sorted(path for room in ("tasks", "learners", "stream", "scripts") for path in (root / room).rglob("*.py"))
    return content_id("source", *(path.read_bytes() for path in files))


def campaign(base: Path, kills: int, damages: int, writes: int | None, seed: int, trials: Trials) -> dict[str, Any]:
    """All trials; returns for each kind of fault how many were tried and what went wrong."""
    from faults.damages import files_of, plan_damages, undetected
    from faults.kills import cache_of, kill, open_killing, plan_kills
    from faults.world import save_tiny_backbone
    from faults.writes import open_writes, plan_writes, try_write

    backbone = save_tiny_backbone(base / "backbone")
    found: dict[str, list[str | None]] = {}
    points = open_writes(base)  # first, as a run loads what libraries load at first use, and the forks have it then
    planned = plan_kills(kills, seed)
    killing = open_killing(base, planned)
    for trial, told in trials.each("kills", planned, lambda trial: kill(killing, trial)):
        found.setdefault(trial.kind, []).append(told)
    run = killing.references["full"]
    with patch.dict(os.environ, TASKSTREAM_CACHE=str(cache_of(run))):
        files = files_of(run, cache_of(run), backbone)
        chosen = list(plan_damages(files, damages, seed))
        for damage, told in trials.each("damages", chosen, lambda damage: undetected(run, damage)):
            found.setdefault(f"damaged {damage.kind}", []).append(told)
    faults = list(plan_writes(points.points, writes))
    for (kind, _), told in trials.each("writes", faults, lambda one: try_write(points, one[1])):
        found.setdefault(kind, []).append(told)
    return {
        kind: {"tried": len(told), "failed": [one for one in told if one is not None]} for kind, told in found.items()
    }


def main(
    kills: Annotated[int, typer.Option(min=1, help="Runs killed with SIGKILL.")] = 200,
    damages: Annotated[int, typer.Option(min=0, help="Damages to files of a finished run.")] = 1000,
    writes: Annotated[int | None, typer.Option(min=0, help="Write points for each fault; all if not given.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of instants, files and bytes.")] = 0,
    out: Annotated[Path, typer.Option(help="Where the runs and the numbers go.")] = Path("runs/faults"),
) -> None:
    console = study.open_console()
    base = usable_folder(out, f"--out {out}").resolve() / "work"
    trials = open_trials(console, out / f"trials-{seed}.jsonl")
    if any(trials.done.values()):
        base.rename(base.with_name(f"{base.name}-{len(trials.done)}"))  # what is left of those that did harm
    shutil.rmtree(base, ignore_errors=True)
    with patch.dict(os.environ, ONE_THREAD):
        found = campaign(base, kills, damages, writes, seed, trials)
    rows = [
        [kind, f"{told['tried']:,}", f"{told['tried'] - len(told['failed']):,}", f"{len(told['failed']):,}"]
        for kind, told in found.items()
    ]
    tried = sum(told["tried"] for told in found.values())
    failed = sum(len(told["failed"]) for told in found.values())
    rows.append(["all", f"{tried:,}", f"{tried - failed:,}", f"{failed:,}"])
    head = ["fault", "tried", "same bits, or file named", "failed"]
    study.show(console, "Faults and what was left of the run", head, rows)
    settings = {"kills": kills, "damages": damages, "writes": writes, "seed": seed}
    study.save(out / "fault_campaign.json", {"settings": settings, "faults": found}, None, console)
    if failed:
        console.print(f"{failed} of {tried} faults did harm; the folders are in {base}", style="bold red")
        raise typer.Exit(1)
    trials.journal.unlink()
    shutil.rmtree(base)


if __name__ == "__main__":
    study.command(main, __doc__)

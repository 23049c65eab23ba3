"""Faults at each write point of a run: the process dies, the power is cut, the disk is full or read-only."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

from faults.disk import PARTS, Died, Disk, Fault
from faults.world import SMALLER, settings_of, wrong
from stream import run
from stream.errors import RunFailed
from tasks.errors import InputError

KINDS = {
    "dies at a write": Fault(0),
    "power cut at a write": Fault(0, power=True),
    "disk full once": Fault(0, errno.ENOSPC),
    "disk full from then on": Fault(0, errno.ENOSPC, lasting=True),
    "read-only once": Fault(0, errno.EROFS),
    "read-only from then on": Fault(0, errno.EROFS, lasting=True),
}


@dataclass(frozen=True)
class Writes:
    """A run without a fault and the number of its write points."""

    base: Path
    reference: Path
    points: int


def open_writes(base: Path) -> Writes:
    """Count the write points of a run, those of encoding its data among them."""
    reference = base / "untouched"
    with _disk(reference) as disk:
        run(**settings_of(base, reference, SMALLER))
    return Writes(base, reference, len(disk.points))


def plan_writes(points: int, most: int | None) -> Iterator[tuple[str, Fault]]:
    """Each kind at each write point, or at `most` of them, evenly spread; before the write, in its midst, or after."""
    for row, (kind, fault) in enumerate(KINDS.items()):
        chosen: Sequence[int] = range(1, points + 1)
        if most is not None and most < points:
            chosen = [1 + ((2 * i + 1) * points + row) // (2 * most) % points for i in range(most)]
        for at in chosen:
            # An error after the write was done is none of a disk's.
            part = PARTS[(at + row) % (3 if fault.error is None else 2)]
            yield kind, replace(fault, at=at, part=part)


def try_write(writes: Writes, fault: Fault) -> str | None:
    """Run into a fault, then go on without; returns what went wrong, None if the end is that of the other run."""
    out = writes.base / "faulty"
    for folder in (out, _cache(out)):
        shutil.rmtree(folder, ignore_errors=True)
    told = _meet(writes, out, fault)
    if told is None:
        try:
            with _disk(out):
                run(**settings_of(writes.base, out, SMALLER))
                told = wrong(out, writes.reference)
        except Exception as error:  # whatever it is, the run cannot go on
            told = f"going on: {type(error).__name__}: {error}"
    return told and f"write point {fault.at}, {fault.part}: {told}"


def _meet(writes: Writes, out: Path, fault: Fault) -> str | None:
    """The run that meets the fault: it must end at it, and say so in a message of its own."""
    try:
        with _disk(out, fault) as disk:
            run(**settings_of(writes.base, out, SMALLER))
    except Died:
        return None
    except (RunFailed, InputError) as error:
        expected = "" if fault.error is None else os.strerror(fault.error)
        return None if disk.struck and expected in str(error) else f"the message does not tell of it: {error}"
    except Exception as error:  # a traceback, for whoever gave the command
        return f"{' '.join(disk.points[-1])}: {type(error).__name__}: {error}"
    # An error may pass where what could not be written is made good, or was only to be tidied up.
    return "the run lived on" if fault.error is None and disk.struck else None


@contextmanager
def _disk(out: Path, fault: Fault | None = None) -> Iterator[Disk]:
    with patch.dict(os.environ, TASKSTREAM_CACHE=str(_cache(out))), Disk((out, _cache(out)), fault) as disk:
        yield disk


def _cache(out: Path) -> Path:
    return out.with_name(f"{out.name}.cache")

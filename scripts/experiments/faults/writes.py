"""Faults at each write point of a run: the process dies, the power fails, the disk is full or read-only."""

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
from stream import InputError, RunFailed, run

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
    """A run without a fault, and the number of its write points."""

    base: Path
    reference: Path
    points: int


def open_writes(base: Path) -> Writes:
    """Run without a fault and count the write points, including those of encoding the data."""
    reference = base / "untouched"
    with _disk(reference) as disk:
        run(**settings_of(base, reference, SMALLER))
    return Writes(base, reference, len(disk.points))


def plan_writes(points: int, most: int | None) -> Iterator[tuple[str, Fault]]:
    """Plan each kind of fault at each write point or at `most` evenly spread ones; before, during or after a write."""
    for row, (kind, fault) in enumerate(KINDS.items()):
        chosen: Sequence[int] = range(1, points + 1)
        if most is not None and most < points:
            chosen = [1 + ((2 * i + 1) * points + row) // (2 * most) % points for i in range(most)]
        for at in chosen:
            # A disk does not report an error after a write that it has done.
            part = PARTS[(at + row) % (3 if fault.error is None else 2)]
            yield kind, replace(fault, at=at, part=part)


def try_write(writes: Writes, fault: Fault) -> str | None:
    """Run with a fault, then continue without one.

    Returns:
        What went wrong; None if the result equals that of the run without a fault.
    """
    out = writes.base / "faulty"
    for folder in (out, _cache(out)):
        shutil.rmtree(folder, ignore_errors=True)
    failure = _run_into(writes, out, fault)
    if failure is None:
        try:
            with _disk(out):
                run(**settings_of(writes.base, out, SMALLER))
                failure = wrong(out, writes.reference)
        except Exception as error:  # whatever it is, the run cannot continue
            failure = f"continuing: {type(error).__name__}: {error}"
    return failure and f"write point {fault.at}, {fault.part}: {failure}"


def _run_into(writes: Writes, out: Path, fault: Fault) -> str | None:
    """Run with the fault. The run must end at the fault with a message that names it; returns what went wrong."""
    try:
        with _disk(out, fault) as disk:
            run(**settings_of(writes.base, out, SMALLER))
    except Died:
        return None
    except (RunFailed, InputError) as error:
        expected = "" if fault.error is None else os.strerror(fault.error)
        return None if disk.struck and expected in str(error) else f"the message does not name the fault: {error}"
    except Exception as error:  # the user would see a traceback
        return f"{' '.join(disk.points[-1])}: {type(error).__name__}: {error}"
    # A run may survive an error if it writes the file in another way, or if the file was only to be removed.
    return "the run did not end" if fault.error is None and disk.struck else None


@contextmanager
def _disk(out: Path, fault: Fault | None = None) -> Iterator[Disk]:
    with patch.dict(os.environ, TASKSTREAM_CACHE=str(_cache(out))), Disk((out, _cache(out)), fault) as disk:
        yield disk


def _cache(out: Path) -> Path:
    return out.with_name(f"{out.name}.cache")

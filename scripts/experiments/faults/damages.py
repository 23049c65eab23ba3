"""Bytes changed and files cut in a finished run and in what it was made from: `verify` must name the file."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stream.verification import verify
from tasks.errors import InputError

CUTS = 0.25  # part of the damages that cut a file; the others flip a byte
# How often a kind of file is chosen; within it each file is as likely as the next.
WEIGHTS = {"ledger": 5, "Delta": 5, "fit record": 3, "results.json": 2, "R.csv": 1, "encoded data": 4, "backbone": 3}


@dataclass(frozen=True)
class Damage:
    """One damage: a file's bytes from `place` on are cut off, or the byte there is changed by `mask`."""

    kind: str
    path: Path
    place: int
    mask: int | None

    @property
    def told(self) -> str:
        how = f"cut to {self.place} bytes" if self.mask is None else f"byte {self.place} changed by {self.mask:#04x}"
        return f"{self.path}: {how}"


def files_of(run: Path, cache: Path, backbone: Path) -> dict[str, list[Path]]:
    """The files of a finished run by kind, none of them empty."""
    folders = {
        "ledger": run.glob("ledger.jsonl"),
        "Delta": run.glob("store/deltas/*.safetensors"),
        "fit record": run.glob("store/fits/*.json"),
        "results.json": run.glob("results.json"),
        "R.csv": run.glob("*/R.csv"),
        "encoded data": cache.glob("encoded/*/*"),
        "backbone": backbone.glob("*"),
    }
    return {kind: sorted(paths) for kind, paths in folders.items()}


def plan_damages(files: dict[str, list[Path]], count: int, seed: int) -> Iterator[Damage]:
    draw = random.Random(seed)
    for kind in draw.choices([*WEIGHTS], [*WEIGHTS.values()], k=count):
        path = draw.choice(files[kind])
        place, cut = draw.randrange(path.stat().st_size), draw.random() < CUTS
        yield Damage(kind, path, place, None if cut else draw.randrange(1, 256))


def undetected(run: Path, damage: Damage) -> str | None:
    """Do a damage, check the run, undo the damage; returns what the check said if it did not name the file."""
    whole = damage.path.read_bytes()
    changed = bytearray(whole)
    if damage.mask is None:
        del changed[damage.place :]
    else:
        changed[damage.place] ^= damage.mask
    damage.path.write_bytes(changed)
    try:
        findings = [finding.file for finding in verify(run).findings]
    except InputError as error:
        findings = [error.where]
    except Exception as error:  # a check that ends in a defect has not found the damage
        return f"{damage.told}: {type(error).__name__}: {error}"
    finally:
        damage.path.write_bytes(whole)
    if any(file.startswith(str(damage.path)) for file in findings):
        return None
    return f"{damage.told}: " + (f"named instead: {', '.join(findings[:3])}" if findings else "not found")

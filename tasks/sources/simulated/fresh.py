"""Fresh tasks without end, drawn from the mechanisms: for studies of scale, and of transfer between related tasks.

A task is drawn from (seed, relatedness, index) alone and its name says these: `sim0_50_0007` is task 7 of seed 0 at
relatedness 0.50. So a longer stream begins with the shorter one, and a name is all that is needed to make it again.

Relatedness R is the share of tasks that come from a small pool: eight families, drawn once for a seed, each a mechanism
with fields to talk about, classes and a register. A task of the pool is a variation of its family: the same mechanism
and classes, one field exchanged for another, other class shares, and texts of its own. The others draw
everything anew. At R = 0 two tasks have something in common by accident alone; at R = 1 every eighth task, on average,
is of the same family. Each task, related or not, has a difficulty of its own, uniform from 0 to 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from tasks.errors import InputError
from tasks.sources.simulated.arguments import read_arguments, real, whole
from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.drafts import KINDS, Draft, build, draw_draft, varied
from tasks.sources.simulated.twin import Twin
from tasks.task import Task

FAMILIES = 8  # few enough that tasks of a stream of some dozens meet their relatives
TRAIN = 2000  # as many as a twin has by default
TEST = 100
MOST = 100_000
NAME = re.compile(r"sim(0|[1-9][0-9]{0,18})_(0|[1-9][0-9]?|100)_([0-9]{4,6})", re.ASCII)
FORM = "simulated:N[:seed=S][:relatedness=R]"


@dataclass(frozen=True)
class Address:
    """What a fresh task is drawn from; `relatedness` in percent."""

    seed: int
    relatedness: int
    index: int

    @property
    def name(self) -> str:
        return f"sim{self.seed}_{self.relatedness}_{self.index:04d}"


def is_fresh(name: str) -> bool:
    """Whether this is the name of a fresh task."""
    return NAME.fullmatch(name) is not None and _address(name).name == name  # no name but the one it is given


def draw_names(text: str) -> tuple[str, ...]:
    """Names of the tasks that `simulated:N[:seed=S][:relatedness=R]`, or the name of one, asks for; else none.

    Raises:
        InputError: A number or argument that cannot be.
    """
    if is_fresh(text):
        return (text,)
    kind, _, rest = text.partition(":")
    if kind != "simulated":
        return ()
    where = f"suite {text}"
    number, *parts = rest.split(":")
    count = read_arguments([f"N={number}"], {"N": whole(1, MOST)}, where)["N"]
    arguments = {"seed": whole(0, 10**18), "relatedness": real(0, 1)}
    values = read_arguments(parts, arguments, where)
    percent = 100 * values.get("relatedness", 0.5)
    if abs(percent - round(percent)) > 1e-9:
        raise InputError("relatedness is given in hundredths", where=where, found=f"{percent / 100:g}")
    return tuple(Address(values.get("seed", 0), round(percent), index).name for index in range(count))


@lru_cache(4096)
def fresh_task(name: str) -> Twin:
    """The task of a name.

    Raises:
        InputError: Not the name of a fresh task.
    """
    if not is_fresh(name):
        raise InputError("not the name of a fresh task", expected="as sim0_50_0007", found=repr(name))
    draft = draft_of(_address(name))
    kind = KINDS[draft.kind]
    mechanism = build(draft, name, difficulty=round(Chance("fresh", name, "difficulty").unit(), 2))
    majority = 100 * max(mechanism.shares)
    best = majority + (100 - majority) * (0.7 + 0.25 * Chance("fresh", name, "noise").unit())  # read by noise=paper
    title = f"{kind.title}: {', '.join(field.replace('_', ' ') for field in draft.fields)} ({draft.register})"
    return Twin(Task(name, title, kind.kind, "accuracy", mechanism.labels), mechanism, best, TRAIN, TEST)


def _address(name: str) -> Address:
    match = NAME.fullmatch(name)
    assert match is not None
    return Address(*map(int, match.groups()))


def draft_of(address: Address) -> Draft:
    """The parameters of a task: those of a family with a variation, or its own."""
    chance = Chance("fresh", address.seed, "task", address.index)
    related = chance.below(100) < address.relatedness  # more relatedness turns more tasks, the same ones first
    if not related:
        return draw_draft(chance)
    family = draw_draft(Chance("fresh", address.seed, "family", chance.below(FAMILIES)))
    return varied(family, chance)

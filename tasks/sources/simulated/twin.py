"""A simulated task: a mechanism that draws meanings and writes texts, label noise, and the ceiling that it sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

from tasks.sources.simulated.ceiling import NOISE, ceiling, clarity_for
from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.meaning import meaning_key
from tasks.suite import TASKS
from tasks.task import Task

LARGEST_TEST = 1000  # a score of 1,000 examples is certain to 1.6 points at worst; real test sets go up to 391,000
# Hashes divide meanings, and texts, among the splits in these shares: the larger one for the split of most rows.
SPLITS = ("train", "train", "validation", "test")
PATIENCE = 400  # meanings tried for one example: each fits its split with probability 1/4 or more
WORDINGS = 8  # texts tried for one meaning, likewise; a meaning that can be said in one way only may be given up


class Mechanism(Protocol):
    """How labels come about; instances are frozen dataclasses, so that a meaning and a text depend on nothing else."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in index order; () for regression."""

    @property
    def shares(self) -> tuple[float, ...]:
        """Class shares [C]; () for regression."""

    @property
    def space(self) -> str:
        """Name of the stream of meanings; tasks with equal spaces ask different things of the same texts."""

    @property
    def difficulty(self) -> float:
        """From 0, what a small encoder learns from a few hundred rows, to 1, as hard as the mechanism can be."""

    @property
    def hard_by(self) -> str:
        """What the difficulty changes, and what 0 and 1 stand for: one sentence for the reader of a report."""

    def draw(self, chance: Chance) -> Any:
        """A meaning: plain data that says all that is said, whose label has the class shares."""

    def label(self, meaning: Any) -> float:
        """The class index, or score, that follows from a meaning."""

    def write(self, meaning: Any, chance: Chance, split: str) -> tuple[str, str | None]:
        """The text (and second text) of a meaning; `split` tells a mechanism whose test texts are of another kind."""


@dataclass(frozen=True)
class Example:
    """One row: texts, the label given, the label that follows from the meaning, and the meaning."""

    text: str
    text_b: str | None
    target: float
    clean: float
    meaning: Any


@dataclass(frozen=True)
class Twin:
    """A simulated task.

    Attributes:
        task: The task, with its label names.
        mechanism: Where meanings, labels and texts come from.
        best: For the twin of a real task, the paper's best score in percent.
        train: Training examples at scale 1.
        test: Validation examples, and test examples.
        noise: Probability that a label is drawn anew from the class shares. `None`: as often as leaves `best` possible.
    """

    task: Task
    mechanism: Mechanism
    best: float
    train: int
    test: int
    noise: float | None = NOISE

    @cached_property
    def clarity(self) -> float:
        """Probability that a label follows from the meaning (see `ceiling`)."""
        if self.noise is None:
            return clarity_for(self.best, self.task.metric, self.mechanism.shares)
        return 1 - self.noise

    @property
    def ceiling(self) -> float:
        """Best expected score, in percent."""
        return ceiling(self.task.metric, self.mechanism.shares, self.clarity)


def twin_of(name: str, mechanism: Mechanism) -> Twin:
    """The twin of a task of the table: its name, kind, metric and sizes; its best score."""
    task = TASKS[name]
    facts = task.paper
    assert facts is not None  # every row of the table has them
    _, best = facts.best
    return Twin(replace(task, labels=mechanism.labels), mechanism, best, facts.train, min(facts.test, LARGEST_TEST))


def example(twin: Twin, seed: int, split: str, index: int) -> Example:
    """The example at a place; it depends on nothing but the twin, the seed, the split and the index.

    No two splits share a meaning, or a text: hashes divide all of them, and a draw that fell to another is repeated.
    """
    mechanism, place = twin.mechanism, (seed, twin.mechanism.space, split, index)
    for attempt in range(PATIENCE):
        meaning = mechanism.draw(Chance(*place, "meaning", attempt))
        if split_of(meaning) != split:
            continue
        said = _said(mechanism, meaning, Chance(*place, "words", attempt), split)
        if said is not None:
            break
    else:
        raise RuntimeError(f"{twin.task.name}: no example for {split} in {PATIENCE} draws")
    text, text_b = said
    clean = mechanism.label(meaning)
    noise = Chance(*place, twin.task.name, "noise")
    target = clean
    if not noise.flip(twin.clarity):
        target = _any_label(mechanism, noise)
    return Example(text, text_b, target, clean, meaning)


def examples(twin: Twin, seed: int, split: str, n: int, start: int = 0) -> Iterator[Example]:
    """`n` examples of a split, from index `start` on."""
    return (example(twin, seed, split, index) for index in range(start, start + n))


def split_of(*content: object) -> str:
    """The split that a meaning, or a text, falls to."""
    return SPLITS[meaning_key(*content) % len(SPLITS)]


def _said(mechanism: Mechanism, meaning: Any, chance: Chance, split: str) -> tuple[str, str | None] | None:
    """A wording whose text falls to the split as well, since two meanings may be said in the same words."""
    for _ in range(WORDINGS):
        text, text_b = mechanism.write(meaning, chance, split)
        if split_of(text.lower(), text_b and text_b.lower()) == split:
            return text, text_b
    return None


def _any_label(mechanism: Mechanism, chance: Chance) -> float:
    """A label drawn from the shares; for regression the score of another meaning."""
    if mechanism.shares:
        return chance.weighted(range(len(mechanism.shares)), mechanism.shares)
    return mechanism.label(mechanism.draw(chance))

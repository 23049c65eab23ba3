"""The simulated source: twins of the paper's tasks and fresh ones, made on the spot, the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from tasks.content import content_id
from tasks.examples import SPLITS, UNLIMITED, Examples, Limits, TaskData, task_data
from tasks.sources.simulated.arguments import read_arguments, real, whole
from tasks.sources.simulated.ceiling import NOISE
from tasks.task import Task

if TYPE_CHECKING:
    from tasks.sources.simulated.twin import Twin

FORMAT = "simulated 2"
MOST_ROWS = 2000  # training rows by default: with fewer, no learner reaches what it can; more make runs long
SCALES = (1e-6, 100.0)
SEEDS = (0, 2**63 - 1)


@dataclass(frozen=True)
class SimulatedSource:
    """Tasks whose texts and labels a generator makes (see `twin`).

    Attributes:
        seed: Seed of all examples. It does not change what the tasks are.
        scale: Training examples in multiples of the real task's, at least one. `None`: as many as the real task has, at
            most `MOST_ROWS`. Validation and test do not depend on it.
        difficulty: Difficulty of all tasks, from 0 to 1; each mechanism says what it changes (`hard_by`). `None`: that
            of each task, chosen so that full fine-tuning of the embedded backbone comes near the paper's score.
        noise: Probability that a label is drawn anew from the class shares. "paper": as often as leaves the best score
            of the paper possible, so that difficulty is made of wrong labels.
    """

    seed: int = 0
    scale: float | None = None
    difficulty: float | None = None
    noise: float | Literal["paper"] = NOISE

    @property
    def name(self) -> str:
        said = [f"seed={self.seed}"] if self.seed else []
        said += [f"scale={self.scale!r}"] if self.scale is not None else []
        said += [f"difficulty={self.difficulty!r}"] if self.difficulty is not None else []
        said += [f"noise={self.noise if self.noise == 'paper' else repr(self.noise)}"] if self.noise != NOISE else []
        return ":".join(("simulated", *said))

    def names(self) -> tuple[str, ...]:
        """The twins, in the paper's order; fresh tasks are endless and not among them."""
        from tasks.sources.simulated.registry import twins

        return tuple(twins())

    def draw(self, text: str) -> tuple[str, ...]:
        """Names of the fresh tasks that a part of a suite asks for: `simulated:N...` or a fresh task's name, else none.

        Raises:
            InputError: A number, argument or name that cannot be.
        """
        from tasks.sources.simulated.fresh import draw_names

        return draw_names(text)

    def task(self, name: str) -> Task:
        """The task, its label names and ceiling known.

        Raises:
            InputError: Neither a twin nor a fresh task.
        """
        twin = self.twin(name)
        return replace(twin.task, ceiling=twin.ceiling)

    def twin(self, name: str) -> Twin:
        """The simulated task of a name, with the difficulty and the noise of this source.

        Raises:
            InputError: Neither a twin nor a fresh task.
        """
        from tasks.sources.simulated.registry import find_twin

        twin = replace(find_twin(name), noise=None if self.noise == "paper" else self.noise)
        if self.difficulty is None:
            return twin
        mechanism: Any = twin.mechanism  # all are dataclasses
        return replace(twin, mechanism=replace(mechanism, difficulty=self.difficulty))

    def load(self, name: str, limits: Limits = UNLIMITED) -> TaskData:
        """Make the examples of a task: of each split the first as many as are asked for.

        Raises:
            InputError: Neither a twin nor a fresh task.
        """
        twin = self.twin(name)
        train, validation, test = (self._split(twin, split, limits) for split in SPLITS)
        notes = (
            f"simulated ({self.name}): texts and labels made by {type(twin.mechanism).__name__}",
            f"difficulty {twin.mechanism.difficulty:g}: {twin.mechanism.hard_by}",
            f"a label follows from its text with probability {twin.clarity:.3f} (clarity), else it is drawn from the "
            f"class shares; the best expected {twin.task.metric} is {twin.ceiling:.1f} (ceiling)",
        )
        return task_data(self.task(name), train, validation, test, notes)

    def fingerprint(self, name: str, limits: Limits = UNLIMITED) -> str:
        """SHA-256 of the generator's code and words, the task, the seed and the number of rows: all `load` rests on."""
        from tasks.sources.simulated.registry import generator_id

        twin = self.twin(name)
        sizes = [str(self.rows(twin, split, limits)) for split in SPLITS]
        facts = (repr(twin.mechanism), repr(twin.task.labels), twin.task.kind, twin.task.metric, repr(twin.clarity))
        return content_id(FORMAT, generator_id(), name, str(self.seed), *sizes, *facts)

    def rows(self, twin: Twin, split: str, limits: Limits = UNLIMITED) -> int:
        """Number of examples of a split."""
        wanted = twin.test
        if split == "train":
            wanted = min(twin.train, MOST_ROWS) if self.scale is None else max(1, round(self.scale * twin.train))
        limit = limits.of(split)
        return wanted if limit is None else min(wanted, limit)

    def _split(self, twin: Twin, split: str, limits: Limits) -> Examples:
        import numpy as np

        from tasks.sources.simulated.twin import examples

        text: list[str] = []
        second: list[str] = []
        target: list[float] = []
        for row in examples(twin, self.seed, split, self.rows(twin, split, limits)):
            text.append(row.text)
            if row.text_b is not None:
                second.append(row.text_b)
            target.append(row.target)
        values = np.array(target)
        regression = twin.task.kind == "regression"
        return Examples(
            tuple(text),
            tuple(second) if second else None,
            values.astype(np.float32) if regression else values.astype(np.int64),
        )


def read_simulated(text: str) -> SimulatedSource:
    """Read `simulated[:seed=S][:scale=X][:difficulty=D][:noise=X|paper]`.

    Raises:
        InputError: An unknown argument or a bad value.
    """
    _, *parts = text.split(":")
    readers = {"seed": whole(*SEEDS), "scale": real(*SCALES), "difficulty": real(0, 1), "noise": _noise}
    return SimulatedSource(**read_arguments(parts, readers, where=f"source {text}"))


def _noise(text: str) -> float | Literal["paper"]:
    """Reads a probability, or "paper"."""
    if text == "paper":
        return "paper"
    try:
        return float(real(0, 1)(text))
    except ValueError as error:
        raise ValueError(f"{error}, or paper") from None

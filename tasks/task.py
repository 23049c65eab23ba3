"""A task as plain data: what it asks, how it is scored, what the papers say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["single", "pair", "regression"]


@dataclass(frozen=True)
class PaperFacts:
    """What Houlsby et al. (2019) print of a task; scores in percent, sizes in examples.

    `classes` is None for regression, `mean_characters` None where the paper does not say. `no_bert` and
    `variable_fine_tune` exist for the 17 additional tasks alone (Table 2).
    """

    suite: Literal["glue9", "additional17"]
    train: int
    validation: int
    test: int
    classes: int | None
    mean_characters: int | None
    fine_tune: float
    adapters: float
    no_bert: float | None = None
    variable_fine_tune: float | None = None
    adapters_64: float | None = None
    epochs: tuple[int, int] | None = None  # (fine-tuning, adapters), Table 4
    standard_errors: tuple[float, float, float] | None = (
        None  # of (fine-tune, variable fine-tune, adapters), over seeds
    )
    source: str = ""

    @property
    def best(self) -> tuple[str, float]:
        """The method with the highest score printed, the first of equals, and that score in percent."""
        scores = {
            "no BERT": self.no_bert,
            "fine-tuned": self.fine_tune,
            "variable fine-tuned": self.variable_fine_tune,
            "adapters": self.adapters,
            "adapters of size 64": self.adapters_64,
        }
        known = {method: score for method, score in scores.items() if score is not None}
        return max(known.items(), key=lambda entry: entry[1])


@dataclass(frozen=True)
class DataFacts:
    """What is measured on a task's released data.

    Attributes:
        majority: Share of the most frequent class in percent; None for regression.
        mean_characters: Mean length of a row, both texts together.
    """

    majority: float | None
    mean_characters: int


@dataclass(frozen=True)
class HubAddress:
    """Where a task lies on the Hugging Face hub: repository, configuration, columns and splits."""

    repository: str
    configuration: str | None = None
    text: str = "text"
    text_b: str | None = None
    label: str = "label"
    splits: tuple[tuple[str, str], ...] = ()  # (our split, theirs); empty: the names they have


@dataclass(frozen=True)
class Task:
    """One data set with its label names, metric and kind.

    Attributes:
        name: Slug, unique in a suite; also the folder name of its data.
        kind: `single` text, `pair` of texts, or `regression` (a pair or a text with a real-valued score).
        metric: Name of the task metric: `accuracy`, `f1`, `matthews` or `spearman`.
        labels: Class names in index order; None before data was seen, () for regression.
        positive: Names any of which may stand for the positive class of `f1`.
        ceiling: Best expected score in percent, where the labels' noise is known, as of simulated tasks; else None.
    """

    name: str
    title: str
    kind: Kind
    metric: str = "accuracy"
    labels: tuple[str, ...] | None = None
    positive: tuple[str, ...] = ()
    paper: PaperFacts | None = None
    hub: HubAddress | None = None
    ceiling: float | None = None

    @property
    def outputs(self) -> int:
        """Width of the head: the number of classes, or 1 for regression."""
        if self.kind == "regression":
            return 1
        if self.labels is not None:
            return len(self.labels)
        if self.paper is not None and self.paper.classes is not None:
            return self.paper.classes
        raise ValueError(f"the classes of task {self.name!r} are not known before its data is read")

"""A task as plain data: its kind, its labels, its metric, and what the papers report about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from string import Formatter
from typing import Literal

Kind = Literal["single", "pair", "regression"]


@dataclass(frozen=True)
class PaperFacts:
    """What Houlsby et al. (2019) report about a task. Scores are in percent.

    Attributes:
        suite: `glue9` or `additional17`.
        train, validation, test: Numbers of examples.
        classes: Number of classes; None for regression.
        mean_characters: Mean length of a text; None if the paper does not report it.
        fine_tune, adapters, adapters_64: Scores of fine-tuning, adapters, and adapters of size 64.
        no_bert, variable_fine_tune: Scores without BERT and of variable fine-tuning; only for the 17 additional tasks
            (Table 2), else None.
        epochs: Epochs of (fine-tuning, adapters), Table 4.
        standard_errors: Standard errors over seeds of (fine-tuning, variable fine-tuning, adapters).
        source: The paper and its table.
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
    epochs: tuple[int, int] | None = None
    standard_errors: tuple[float, float, float] | None = None
    source: str = ""

    @property
    def best(self) -> tuple[str, float]:
        """The method with the highest reported score (the first of equal ones), and the score in percent."""
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
    """What we measured on the released data of a task.

    Attributes:
        majority: Share of the most frequent class in percent; None for regression.
        mean_characters: Mean length of a row in characters, both texts together.
    """

    majority: float | None
    mean_characters: int


@dataclass(frozen=True)
class HubAddress:
    """The location of a task on the Hugging Face hub: repository, configuration, columns and splits.

    Attributes:
        repository: OWNER/NAME.
        configuration: Configuration of the data set; None for the default one.
        text, text_b, label: Names of its columns. `text_b` is None for tasks with one text.
        splits: Pairs (our split, its name on the hub). Empty: all splits with usual names.
        template: How a text is made of several columns, their names in braces. Default: "", it is the column `text`.
    """

    repository: str
    configuration: str | None = None
    text: str = "text"
    text_b: str | None = None
    label: str = "label"
    splits: tuple[tuple[str, str], ...] = ()
    template: str = field(default="", repr=False)  # not in the text of an address, which caches of data rest on

    @property
    def texts(self) -> tuple[str, ...]:
        """Names of the columns that the texts come from."""
        if self.template:
            return tuple(name for _, name, _, _ in Formatter().parse(self.template) if name)
        return (self.text,) if self.text_b is None else (self.text, self.text_b)


@dataclass(frozen=True)
class Task:
    """One data set with its kind, metric and label names.

    Attributes:
        name: Short name, unique in a suite; also the name of the folder of its data.
        title: Name for readers.
        kind: `single` text, `pair` of texts, or `regression` (one or two texts with a real-valued score).
        metric: Name of the task metric: `accuracy`, `f1`, `matthews` or `spearman`. Default: `accuracy`.
        labels: Class names in the order of their indices; () for regression. Default: None, before the data is read.
        positive: Possible names of the positive class of `f1`, see `positive_class`.
        paper: What the paper reports; None for other tasks.
        classes: Number of classes of a known task without `paper`; else None.
        hub: Location on the hub; None if unknown.
        ceiling: Best expected score in percent, if the label noise is known, as for simulated tasks; else None.
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
    classes: int | None = None

    @property
    def positive_class(self) -> int | None:
        """Index of the positive class of `f1`: the first label that is one of `positive`, in any case (`True`, `TRUE`).
        None if there is none."""
        names = {name.casefold() for name in self.positive}
        return next((index for index, label in enumerate(self.labels or ()) if label.casefold() in names), None)

    @property
    def outputs(self) -> int:
        """Width of the head: the number of classes, or 1 for regression."""
        if self.kind == "regression":
            return 1
        if self.labels is not None:
            return len(self.labels)
        known = self.classes if self.paper is None else self.paper.classes
        if known is not None:
            return known
        raise ValueError(f"the classes of task {self.name!r} are not known before its data is read")

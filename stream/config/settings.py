"""`RunConfig`: the settings of a run, each with its meaning, unit and default."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from stream.config.integers import exact_integer
from tasks.paths import user_path


@dataclass(frozen=True)
class Setting:
    """Text about a setting. The command's help, the settings file and the docstring of `stream.run` all use it.

    Attributes:
        help: Meaning of the setting, in one or two sentences.
        group: Heading in the command's help under which the option stands.
        unit: Unit of the number. "" if it has none.
        none: What applies if the setting is None. "" if the setting has a default value.
    """

    help: str
    group: str
    unit: str = ""
    none: str = ""


STREAM, LEARNERS, TRAINING, RUN = GROUPS = (
    "Stream of tasks",
    "Backbone and learners",
    "Training and evaluation",
    "The run",
)

Count = Annotated[int, Field(ge=1)]


class RunConfig(BaseModel):
    """What a run computes, and how. Field names are the command's option names, with underscores."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)  # --help needs no validator

    suite: Annotated[
        str,
        Setting(
            "Tasks that arrive: the name of a suite (houlsby26, glue9, additional17, lm5, lm15), all (every task of "
            "the source), a list of task names, or simulated:N (N new simulated tasks).",
            STREAM,
        ),
    ] = "houlsby26"
    source: Annotated[
        str,
        Setting(
            "Where the examples come from: simulated[:seed=S][:scale=X][:difficulty=D][:noise=X], folder:DIR, "
            "hub[:REVISION], frames:DIR (tables that run(tasks=...) wrote), or SOURCE+frames:DIR (both).",
            STREAM,
        ),
    ] = "simulated"
    backbone: Annotated[
        str,
        Setting(
            "Pretrained encoder: embedded, minilm (needs the extra minilm), a folder, or a hub id. NAME:cls pools by "
            "the first token, NAME:mean by the mean over tokens. A run never changes its weights.",
            LEARNERS,
        ),
    ] = "embedded"
    learners: Annotated[
        str,
        Setting("Learners to compare, separated by commas. `taskstream list learners` shows all of them.", LEARNERS),
    ] = "full:isolated,full:sequential,topk:2,layernorm,adapter:64,adapterbias:share=alpha,head"
    select: Annotated[
        str | None,
        Setting(
            "How learners with alternatives, such as adapter:8/64/256, are searched on each task, by validation scores "
            "alone: grid (all), random:N, halving (all for a few epochs, the best third further), or optuna:N (needs "
            "the extra optuna).",
            LEARNERS,
            none="grid",
        ),
    ] = None
    scope: Annotated[
        str | None,
        Setting(
            "What an alternative is chosen on: task (each task by itself), first:K (the first K tasks; later ones keep "
            "that choice), or twin (the simulated twin of each task).",
            LEARNERS,
            none="task",
        ),
    ] = None
    restarts: Annotated[
        Annotated[int, Field(ge=0, le=999)] | None,
        Setting(
            "Number of further fits of each isolated learner on each task with other seeds. The fit with the best "
            "validation score is kept.",
            LEARNERS,
            none="none",
        ),
    ] = None
    order: Annotated[
        str,
        Setting(
            "Order in which the tasks arrive: paper (the order of the paper), seed:N (a random order), 1 to 6 (the "
            "orders of Progressive Prompts and O-LoRA: 1 to 3 for lm5, 4 to 6 for lm15), or a list of all task names. "
            "Several orders, with ';' between them or given again, make a study, one run for each.",
            STREAM,
        ),
    ] = "paper"
    seed: Annotated[
        int,
        Field(ge=0, lt=2**63),
        Setting(
            "Seed of the run. Every random choice of training derives from it. Several seeds (0,1,2 or 0-4) make a "
            "study, one run for each.",
            RUN,
        ),
    ] = 0
    data_seed: Annotated[
        int,
        Field(ge=0, lt=2**63),
        Setting(
            "Seed that draws the examples where a task has more than the limit. Runs with several seeds then use the "
            "same examples, so their differences are those of training alone.",
            RUN,
        ),
    ] = 0
    epochs: Annotated[
        Annotated[int, Field(ge=0, le=10_000)] | None,
        Setting(
            "Maximum number of passes over the training examples, for all learners. Training stops earlier if the "
            "validation score no longer improves.",
            TRAINING,
            none="each learner's own value",
        ),
    ] = None
    batch_size: Annotated[
        Annotated[int, Field(ge=1, le=65_536)] | None,
        Setting(
            "Size of a training batch, for all learners.",
            TRAINING,
            unit="examples",
            none="each learner's own value, mostly 32",
        ),
    ] = None
    learning_rate: Annotated[
        Annotated[float, Field(gt=0, le=1)] | None,
        Setting("Peak of the learning rate schedule, for all learners.", TRAINING, none="each learner's own value"),
    ] = None
    max_length: Annotated[  # the AdapterBias code's length for its single-text tasks
        int,
        Field(ge=4, le=4096),
        Setting("Maximum length of an example. Longer examples are truncated.", TRAINING, unit="tokens"),
    ] = 128
    train_examples: Annotated[
        Count | None,
        Setting(
            "Maximum number of training examples per task. A task with more examples gives a random sample, drawn "
            "with data_seed.",
            TRAINING,
            none="all",
        ),
    ] = None
    validation_examples: Annotated[
        Count | None,
        Setting("Maximum number of validation examples per task.", TRAINING, none="the value of test_examples"),
    ] = None
    test_examples: Annotated[
        Count | None, Setting("Maximum number of test examples per task.", TRAINING, none="all")
    ] = None
    evaluate: Annotated[
        Literal["full", "audited", "square"],
        Setting(
            "Which tasks are evaluated after each arrival. full: every task that has arrived. square: also the tasks "
            "that have not arrived yet. audited: only the new task and one earlier task; equal hashes certify that the "
            "scores of the other tasks are unchanged, and all tasks are evaluated after the last arrival.",
            TRAINING,
        ),
    ] = "full"
    dtype: Annotated[  # the same on every machine; auto (resolve_config) is not
        Literal["float32", "bfloat16"],
        Setting(
            "Number format of the backbone's arithmetic: float32, bfloat16, or auto (bfloat16 if this processor is "
            "fast at it, else float32).",
            TRAINING,
        ),
    ] = "float32"
    device: Annotated[  # resolve_config finds what auto is
        Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:[0-9]+)?|mps)$")],
        Setting(
            "What computes: cpu, cuda (a graphics card, cuda:N for card N), mps (Apple), or auto (a CUDA card if this "
            "machine has one, else cpu). Results of different devices differ in the last bits and do not mix.",
            TRAINING,
        ),
    ] = "auto"
    pack: Annotated[
        Annotated[int, Field(ge=1, le=256)] | Literal["auto"],
        Setting(
            "Number of Deltas of one learner that go through the encoder together, in fits and in evaluations; auto: "
            "as many as a graphics card has memory for, up to 32, and 1 on a CPU, where packs do not pay. Results "
            "depend on it in the last bits. More than 1 needs one worker.",
            TRAINING,
        ),
    ] = 1
    unseen_labels: Annotated[
        Literal["keep", "refuse"],
        Setting(
            "Validation and test rows whose label no training row has. keep: they stay, and count as wrong. refuse: a "
            "task with such rows is an error.",
            STREAM,
        ),
    ] = "keep"
    columns: Annotated[
        dict[str, str],
        Setting(
            "Names of the columns in your data, for the names text, text_b, label, split and score. text=sentence "
            "holds for all tasks, rte.text_b=second for the task rte. In data with both a label and a score, "
            "mine.label=label says that the label is the target of the task mine.",
            STREAM,
            none="your columns have these names",
        ),
    ] = {}
    out: Annotated[str, Setting("Folder of the run.", RUN)] = "runs/latest"
    store: Annotated[
        str | None,
        Setting(
            "Folder of finished fits. Runs that share a store do not repeat each other's fits.",
            RUN,
            none="the folder store in OUT",
        ),
    ] = None
    workers: Annotated[
        Annotated[int, Field(ge=1, le=256)] | None,
        Setting("Number of worker processes. The results do not depend on it.", RUN, none="one per usable core"),
    ] = None
    log: Annotated[
        str | None,
        Setting(
            "Other tools that log the run, separated by commas: tensorboard, wandb, mlflow (each needs its extra). "
            "Their files are written to OUT. No data leave this machine.",
            RUN,
            none="no tool",
        ),
    ] = None
    plugins: Annotated[
        tuple[str, ...],
        Setting(
            "Python files that define your own learners, metrics or sources. `taskstream new` writes a template. "
            "The run executes their code.",
            LEARNERS,
            none="no file",
        ),
    ] = ()

    protocol: Annotated[
        str | None,
        Setting(
            "Settings that follow a paper: houlsby-glue, houlsby-17, adapterbias, he-unified, or quick (minutes on a "
            "laptop). `taskstream list protocols` says what each does. Your own settings win over it.",
            RUN,
            none="none",
        ),
    ] = None

    @field_validator("*", mode="before")
    @classmethod
    def _exact(cls, value: object, info: ValidationInfo) -> object:
        return exact_integer(value) if number_type(str(info.field_name)) is int else value

    @property
    def other_validation(self) -> int | None:
        """Limit of validation examples if it differs from the limit of test examples, else None."""
        return None if self.validation_examples == self.test_examples else self.validation_examples

    @property
    def training_overrides(self) -> dict[str, str | int | float | None]:
        """Settings that replace each learner's own value, by name. None keeps the learner's value.

        How alternatives are searched is part of them if it is given.
        """
        search = {name: value for name in SEARCH if (value := getattr(self, name)) is not None}
        return {"epochs": self.epochs, "batch_size": self.batch_size, "learning_rate": self.learning_rate, **search}

    @property
    def slots(self) -> int:
        """Number of Deltas in a pass. 1 until `auto` is resolved (`stream.engine.context.prepare`)."""
        return 1 if self.pack == "auto" else self.pack

    @property
    def out_folder(self) -> Path:
        """Path of the run's folder."""
        return user_path(self.out, where="--out")

    @property
    def store_folder(self) -> Path:
        """Path of the store: OUT/store if `store` is None."""
        return user_path(self.store, where="--store") if self.store else self.out_folder / "store"


SEARCH = ("select", "scope", "restarts")  # settings of the search of learners with alternatives
LISTS = ("suite", "learners", "order", "log")  # settings that may be lists; their items are then joined with commas


def number_type(name: str) -> type[int] | type[float] | None:
    """`int` or `float` if the setting `name` is a number, else None."""
    annotation = RunConfig.model_fields[name].annotation
    kinds = {_without_metadata(kind) for kind in (annotation, *get_args(annotation))}
    return int if int in kinds else float if float in kinds else None


def _without_metadata(annotation: Any) -> Any:
    """The type `int` for the annotation `Annotated[int, ...]`."""
    return getattr(annotation, "__origin__", annotation)


def setting(name: str) -> Setting:
    """The text about the setting `name`."""
    return next(entry for entry in RunConfig.model_fields[name].metadata if isinstance(entry, Setting))


def described(name: str) -> str:
    """Meaning, unit and default of the setting `name`, in full sentences."""
    about = setting(name)
    unit = f" Unit: {about.unit}." if about.unit else ""
    default = str(RunConfig.model_fields[name].default).replace(",", ", ")
    return f"{about.help}{unit} Default: {about.none or default}."

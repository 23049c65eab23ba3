"""Settings of a run: where each value came from, checked all at once, written beside the results."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from learners.training.precision import dtype_of_processor
from tasks.errors import InputError, InputErrors, unknown_name
from tasks.paths import user_path


@dataclass(frozen=True)
class Setting:
    """What a reader must know of a setting: said here once for the command's help, the settings file and `stream.run`.

    Attributes:
        help: Its meaning, in one or two sentences.
        unit: Of its number.
        none: What it is when it is not set, where the default is no value of its own.
    """

    help: str
    unit: str = ""
    none: str = ""


Count = Annotated[int, Field(ge=1)]


class RunConfig(BaseModel):
    """What a run computes and how. Field names are the command's options, with underscores."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)  # --help needs no validator

    suite: Annotated[
        str,
        Setting(
            "Tasks that arrive: the name of a suite (houlsby26, glue9, additional17), all (every task of the source), "
            "a list of task names, or simulated:N (N new simulated tasks)."
        ),
    ] = "houlsby26"
    source: Annotated[
        str,
        Setting(
            "Where the examples come from: simulated[:seed=S][:scale=X], folder:DIR, hub[:REVISION], frames:DIR "
            "(tables that run(tasks=...) has written), or SOURCE+frames:DIR (both)."
        ),
    ] = "simulated"
    backbone: Annotated[
        str,
        Setting("Pretrained encoder, which is never changed: embedded, minilm (extra minilm), a folder, or a hub id."),
    ] = "embedded"
    learners: Annotated[str, Setting("Learners to compare, a list; `taskstream list learners` shows all of them.")] = (
        "full:isolated,full:sequential,topk:2,layernorm,adapter:64,adapterbias:share=alpha,head"
    )
    order: Annotated[
        str, Setting("Order in which the tasks arrive: paper, seed:N (random), or a list of all task names.")
    ] = "paper"
    seed: Annotated[int, Field(ge=0, lt=2**63), Setting("Every random choice of the run derives from this seed.")] = 0
    epochs: Annotated[
        Annotated[int, Field(ge=0, le=10_000)] | None,
        Setting(
            "Passes over the training examples, for all learners. At most: training stops earlier when the validation "
            "score no longer improves.",
            none="each learner's own",
        ),
    ] = None
    batch_size: Annotated[
        Annotated[int, Field(ge=1, le=65_536)] | None,
        Setting("Size of a training batch, for all learners.", unit="examples", none="each learner's own, mostly 32"),
    ] = None
    learning_rate: Annotated[
        Annotated[float, Field(gt=0, le=1)] | None,
        Setting("Peak of the learning rate schedule, for all learners.", none="each learner's own"),
    ] = None
    max_length: Annotated[  # the AdapterBias code's length for its single-text tasks
        int, Field(ge=4, le=4096), Setting("Maximum length of a row; the rest is cut off.", unit="tokens")
    ] = 128
    train_examples: Annotated[
        Count | None,
        Setting("Maximum number of training examples of each task; a seeded sample if there are more.", none="all"),
    ] = None
    validation_examples: Annotated[
        Count | None, Setting("Maximum number of validation examples of each task.", none="the same as test_examples")
    ] = None
    test_examples: Annotated[Count | None, Setting("Maximum number of test examples of each task.", none="all")] = None
    evaluate: Annotated[
        Literal["full", "audited", "square"],
        Setting(
            "Which tasks are evaluated after each arrival. full: every task that has arrived. square: also those still "
            "to come. audited: the new task; for the others equal hashes certify that the score is unchanged, one of "
            "them is evaluated to audit this, and all are evaluated at the end."
        ),
    ] = "full"
    dtype: Annotated[  # the same on every machine; auto (resolve_config) is not
        Literal["float32", "bfloat16"],
        Setting("Number format of the backbone's arithmetic: float32, bfloat16, or auto (what suits the processor)."),
    ] = "float32"
    columns: Annotated[
        dict[str, str],
        Setting(
            "Names of your columns, by ours (text, text_b, label, split, score): text = sentence for all tasks, "
            "rte.text_b = second for one.",
            none="your columns have our names",
        ),
    ] = {}
    out: Annotated[str, Setting("Folder of the run.")] = "runs/latest"
    store: Annotated[
        str | None,
        Setting("Folder of finished fits. Runs that share it do no fit twice.", none="the folder store in OUT"),
    ] = None
    workers: Annotated[
        Annotated[int, Field(ge=1, le=256)] | None,
        Setting("Number of worker processes. It changes no result.", none="one per processor core"),
    ] = None
    log: Annotated[
        str | None,
        Setting(
            "Tools that the run is also logged to, a list: tensorboard, wandb, mlflow (each an extra). Their files lie "
            "in OUT; nothing is sent.",
            none="no tool",
        ),
    ] = None
    plugins: Annotated[
        tuple[str, ...],
        Setting(
            "Python files that define learners, metrics or sources of your own, a list; `taskstream new` writes one. "
            "Their code is run.",
            none="no file",
        ),
    ] = ()

    @property
    def other_validation(self) -> int | None:
        """The limit of validation examples, where it is not that of test examples."""
        return None if self.validation_examples == self.test_examples else self.validation_examples

    @property
    def training_overrides(self) -> dict[str, Any]:
        return {"epochs": self.epochs, "batch_size": self.batch_size, "learning_rate": self.learning_rate}

    @property
    def out_folder(self) -> Path:
        return user_path(self.out, where="--out")

    @property
    def store_folder(self) -> Path:
        return user_path(self.store, where="--store") if self.store else self.out_folder / "store"


LISTS = ("suite", "learners", "order", "log")  # settings that may be given as lists; their parts are joined by commas


def setting(name: str) -> Setting:
    """What is said of a setting."""
    return next(entry for entry in RunConfig.model_fields[name].metadata if isinstance(entry, Setting))


def described(name: str) -> str:
    """Meaning, unit and default of a setting, in plain sentences."""
    about = setting(name)
    unit = f" Unit: {about.unit}." if about.unit else ""
    default = str(RunConfig.model_fields[name].default).replace(",", ", ")
    return f"{about.help}{unit} Default: {about.none or default}."


# What may differ when a command is given again for the same folder: more of the same, or where and how it runs.
AMENDABLE = frozenset({"suite", "learners", "order", "out", "store", "workers", "log", "plugins"})


def resolve_config(
    given: Mapping[str, Any], file: Path | None = None, origin: str = "command line"
) -> tuple[RunConfig, dict[str, str]]:
    """Settings from defaults, then a TOML file, then what was given; and the origin of each.

    The dtype `auto` becomes the one that suits this processor, or that of the run which the folder already holds.

    Raises:
        InputErrors: Every unknown name and bad value at once.
    """
    layers = [
        (f"file {file}", _read(file) if file else {}),
        (origin, {k: v for k, v in given.items() if v is not None}),
    ]
    values: dict[str, Any] = {}
    origins = dict.fromkeys(RunConfig.model_fields, "default")
    errors: list[InputError] = []
    for name, layer in layers:
        for key, value in layer.items():
            if key not in RunConfig.model_fields:
                errors.append(unknown_name("setting", key, RunConfig.model_fields, where=name))
                continue
            try:
                values[key], origins[key] = _joined(key, value, name), name
            except InputError as error:
                errors.append(error)
    if values.get("dtype") == "auto":
        values["dtype"], why = _auto(values.get("out"))
        origins["dtype"] += f": auto, {why}"
    try:
        config = RunConfig(**values)
    except ValidationError as error:
        for problem in error.errors():
            key = str(problem["loc"][0])
            what, expected = f"bad value of {key}", problem["msg"].removeprefix("Input should be ")
            expected += " or 'auto'" if key == "dtype" else ""
            errors.append(InputError(what, where=origins[key], expected=expected, found=repr(problem["input"])))
    if errors:
        raise InputErrors(errors)
    return config, origins


def _joined(key: str, value: Any, where: str) -> Any:
    """A list of texts as the one text that stands for it, and one plug-in as a list; anything else as it is."""
    if key == "plugins":
        if isinstance(value, str):
            return [value]
        if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
            raise InputError(f"bad value of {key}", where=where, expected="a list of paths", found=repr(value))
    if key not in LISTS or not isinstance(value, list | tuple):
        return value
    if not value or not all(isinstance(part, str) and part for part in value):
        raise InputError(f"bad value of {key}", where=where, expected="a list of texts, not empty", found=repr(value))
    return ",".join(value)


def _auto(out: Any) -> tuple[str, str]:
    """A dtype, and why this one."""
    folder = user_path(out, where="--out") if isinstance(out, str) else Path(RunConfig.model_fields["out"].default)
    began = _read(folder / "config.toml").get("dtype", "float32") if (folder / "config.toml").exists() else "auto"
    if began != "auto":  # which a run never writes: a user put the settings where the run is to be
        return began, "as this run began"
    return dtype_of_processor(), "what suits this processor"


def config_toml(config: RunConfig, origins: Mapping[str, str]) -> str:
    """The settings as TOML, one a line, with the origin of each as a comment; those left to defaults are commented."""
    lines = ["# Settings of this run; the comment says where each came from.\n"]
    for key, value in config.model_dump().items():
        if value is None:
            lines.append(f"# {key} =   # {origins[key]}\n")
        elif isinstance(value, dict) or (key == "plugins" and not value):
            continue
        else:
            lines.append(f"{tomli_w.dumps({key: value}).rstrip()}  # {origins[key]}\n")
    if config.columns:
        lines.append(tomli_w.dumps({"columns": config.columns}))
    return "".join(lines)


def check_same_run(path: Path, config: RunConfig) -> None:
    """Refuse to mix two runs in one folder: what a row of R depends on must not change when a run goes on.

    Raises:
        InputErrors: Settings that differ from those of the run in the folder.
    """
    if not path.exists():
        return
    before, _ = resolve_config({"out": str(path.parent)}, path)
    errors = [
        InputError(
            f"{key} differs from the run that this folder holds",
            where=str(path),
            expected=repr(old),
            found=repr(new),
            fix="give another --out, or the same settings",
        )
        for key in RunConfig.model_fields
        if key not in AMENDABLE and _told(key, old := getattr(before, key)) != _told(key, new := getattr(config, key))
    ]
    if errors:
        raise InputErrors(errors)


def _told(key: str, value: object) -> object:
    """What of a setting must stay as it was. Where tables lie may change, as a run's folder may be moved: what
    they hold is compared later."""
    if key == "source" and isinstance(value, str) and "frames:" in value:
        return value.rpartition("frames:")[:2]
    return value


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputErrors([InputError("no such file", where=f"--config {file}")]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputErrors([InputError("not a TOML file", where=str(file), found=str(error))]) from None
    except OSError as error:
        found = error.strerror or str(error)
        raise InputErrors([InputError("the file cannot be read", where=str(file), found=found)]) from None

"""Settings of a run: where each value came from, checked all at once, written beside the results."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from learners.training.precision import dtype_of_processor
from tasks.errors import InputError, InputErrors, unknown_name
from tasks.paths import user_path


class RunConfig(BaseModel):
    """What a run computes and how. Field names are the command's options; None leaves a learner's own default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    suite: str = "houlsby26"
    source: str = "simulated"
    backbone: str = "embedded"
    learners: str = "full:isolated,full:sequential,topk:2,layernorm,adapter:64,adapterbias:share=alpha,head"
    order: str = "paper"
    seed: int = Field(0, ge=0, lt=2**63)
    epochs: int | None = Field(None, ge=0, le=10_000)
    batch_size: int | None = Field(None, ge=1, le=65_536)
    learning_rate: float | None = Field(None, gt=0, le=1)
    max_length: int = Field(128, ge=4, le=4096)  # tokens; the AdapterBias code's length for its single-text tasks
    train_examples: int | None = Field(None, ge=1)
    test_examples: int | None = Field(None, ge=1)  # caps validation and test alike
    evaluate: Literal["full", "audited", "square"] = "full"
    dtype: Literal["float32", "bfloat16"] = "float32"  # the same on every machine; auto (resolve_config) is not
    columns: dict[str, str] = {}  # our column name -> the files' column name
    out: str = "runs/latest"
    store: str | None = None  # None: OUT/store
    workers: int | None = Field(None, ge=1, le=256)  # None: one for each core
    log: str | None = None  # tools of others that the run is logged to; changes nothing of it
    plugins: tuple[str, ...] = ()  # Python files that define learners, metrics or sources

    @property
    def training_overrides(self) -> dict[str, Any]:
        return {"epochs": self.epochs, "batch_size": self.batch_size, "learning_rate": self.learning_rate}

    @property
    def out_folder(self) -> Path:
        return user_path(self.out, where="--out")

    @property
    def store_folder(self) -> Path:
        return user_path(self.store, where="--store") if self.store else self.out_folder / "store"


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
            values[key], origins[key] = value, name
    if values.get("dtype") == "auto":
        values["dtype"], why = _auto(values.get("out"))
        origins["dtype"] += f": auto, {why}"
    try:
        config = RunConfig(**values)
    except ValidationError as error:
        for problem in error.errors():
            key = str(problem["loc"][0])
            what, expected = f"bad value of {key}", problem["msg"] + (" or 'auto'" if key == "dtype" else "")
            errors.append(InputError(what, where=origins[key], expected=expected, found=repr(problem["input"])))
    if errors:
        raise InputErrors(errors)
    return config, origins


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
        if key not in AMENDABLE and (old := getattr(before, key)) != (new := getattr(config, key))
    ]
    if errors:
        raise InputErrors(errors)


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

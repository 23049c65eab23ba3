"""Which settings may change when a run continues in its folder."""

from __future__ import annotations

from pathlib import Path

from learners.device import device_named
from stream.config.resolve import resolve_config
from stream.config.settings import RunConfig
from tasks.errors import InputError, InputErrors

# These may change: they add tasks or learners to a run, or say where and how it runs, or which data are refused.
AMENDABLE = frozenset(
    {"suite", "learners", "order", "out", "store", "workers", "log", "plugins", "protocol", "unseen_labels"}
)


def check_same_run(path: Path, config: RunConfig) -> None:
    """Check that a run can continue with these settings. Settings that rows of R depend on must not change.

    Args:
        path: config.toml in the folder of the run. If it does not exist, every setting is allowed.
        config: The settings for the next call.

    Raises:
        InputErrors: All settings that differ from those of the run in the folder.
    """
    if not path.exists():
        return
    before, _ = resolve_config({"out": str(path.parent)}, path)
    errors = [
        InputError(
            f"{key} differs from the run that this folder holds",
            where=str(path),
            expected="not set" if old is None else repr(old),
            found="not set" if new is None else repr(new),
            fix="give another --out, or the same settings",
        )
        for key in RunConfig.model_fields
        if key not in AMENDABLE and _fixed(key, old := getattr(before, key)) != _fixed(key, new := getattr(config, key))
    ]
    if errors:
        raise InputErrors(errors)


def _fixed(key: str, value: object) -> object:
    """The part of a setting that must not change. Another card of the same kind may compute. The path after "frames:"
    may change, because a user may move the run's folder; `check_same_inputs` compares the content of the tables."""
    if key == "source" and isinstance(value, str) and "frames:" in value:
        return value.rpartition("frames:")[:2]
    if key == "device":
        return (device_named("auto") if value == "auto" else str(value)).partition(":")[0]
    return value

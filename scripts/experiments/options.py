"""The options of a run, declared once with their defaults, and a decorator that gives them to a study's command."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from inspect import Parameter
from typing import Any, get_type_hints

import study

# Name in `stream.run` -> declaration, and default if the study gives none. An option without a default here exists only
# in studies that give one.
OPTIONS: dict[str, tuple[Any, Any]] = {
    "suite": (study.Suite, "houlsby26"),
    "source": (study.Source, "simulated"),
    "backbone": (study.Backbone, "embedded"),
    "learners": (study.Learners, Parameter.empty),
    "seed": (study.Seed, Parameter.empty),
    "order": (study.Order, Parameter.empty),
    "data_seed": (study.DataSeed, Parameter.empty),
    "train_examples": (study.TrainExamples, 500),
    "validation_examples": (study.ValidationExamples, Parameter.empty),
    "test_examples": (study.TestExamples, 200),
    "epochs": (study.Epochs, 5),
    "batch_size": (study.BatchSize, 16),
    "max_length": (study.MaxLength, 64),
    "dtype": (study.Dtype, "auto"),
    "evaluate": (study.Evaluate, "audited"),
    "workers": (study.Workers, None),
}

NOT_GIVEN: dict[str, Any] = dict.fromkeys(OPTIONS)  # for a command whose options replace those of a file


def run_options(
    *, without: Collection[str] = (), **defaults: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Replace the parameter `settings` of a study's function by the options of a run.

    The command takes the options one by one. The function gets them as one dict with the keys of `stream.run`.

        @run_options(suite="sst2,rte", seed="0-2", without=["workers"])
        def main(settings: dict[str, Any], out: study.Out = Path("runs/mine")) -> None:

    Args:
        without: Options that the study does not have.
        **defaults: The study's own defaults, by option.

    Raises:
        TypeError: An option has an unknown name.
    """
    if unknown := {*without, *defaults} - {*OPTIONS}:
        raise TypeError(f"unknown options of a run: {', '.join(sorted(unknown))}")
    table = {name: (hint, defaults.get(name, default)) for name, (hint, default) in OPTIONS.items()}
    shared = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=hint)
        for name, (hint, default) in table.items()
        if name not in without and default is not Parameter.empty
    ]

    def decorate(main: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(main, include_extras=True)
        parameters: list[Parameter] = []
        for name, own in inspect.signature(main).parameters.items():
            one = own.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[name])
            parameters += shared if name == "settings" else [one]

        @functools.wraps(main)
        def command(**given: Any) -> None:
            settings = {option.name: given.pop(option.name) for option in shared}
            main(settings=settings, **given)

        # Typer reads both. The hints are resolved above, because their names belong to the study's module.
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return command

    return decorate

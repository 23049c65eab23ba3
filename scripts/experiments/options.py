"""The options of a run, said once: their declarations and defaults, and how the command of a study takes them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from inspect import Parameter
from typing import Any, get_type_hints

import study

# Name in `stream.run` -> its declaration, and the default where a study states none; what has no default here is an
# option of the studies that state one.
OPTIONS: dict[str, tuple[Any, Any]] = {
    "suite": (study.Suite, "houlsby26"),
    "source": (study.Source, "simulated:seed={seed}"),  # other texts each time: intervals include their chance
    "backbone": (study.Backbone, "embedded"),
    "learners": (study.Learners, Parameter.empty),
    "train_examples": (study.TrainExamples, 500),
    "test_examples": (study.TestExamples, 200),
    "epochs": (study.Epochs, 5),
    "batch_size": (study.BatchSize, 16),
    "max_length": (study.MaxLength, 64),
    "dtype": (study.Dtype, "float32"),
    "evaluate": (study.Evaluate, "audited"),
    "workers": (study.Workers, None),
}


def run_options(
    *, without: Collection[str] = (), **defaults: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a study's command the options of a run, in the place of the parameter `settings` of its function.

    The function gets them there as one dict, keyed as `stream.run` takes them.

        @run_options(suite="sst2,rte", without=["workers"])
        def main(settings: dict[str, Any], seeds: study.Seeds = 3) -> None:

    Args:
        without: Options that the study has not.
        **defaults: The study's own, by option.

    Raises:
        TypeError: No option of a run is called that.
    """
    if unknown := {*without, *defaults} - {*OPTIONS}:
        raise TypeError(f"no options of a run: {', '.join(sorted(unknown))}")
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

        # Typer reads both; names in the hints were those of the study's module.
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return command

    return decorate

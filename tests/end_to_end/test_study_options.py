"""The options of a run that studies share: on the command line, and as the mapping that a study's function gets."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from stream.config.settings import RunConfig
from tests.end_to_end.test_experiments import SCRIPTS

Size = Annotated[int, typer.Option(min=2, help="Of what this study is about.")]
Call = tuple[dict[str, Any], int, Path]


@pytest.fixture
def options() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield importlib.import_module("options")


def call(options: Any, *arguments: str, **given: Any) -> tuple[int, str, list[Call]]:
    """Exit code and output of a small study's command with these arguments, and what its function was called with."""
    calls: list[Call] = []

    @options.run_options(**given)  # type: ignore[untyped-decorator]
    def main(*, size: Size = 4, settings: dict[str, Any], out: Path = Path("runs/one")) -> None:
        calls.append((settings, size, out))

    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(main)
    answer = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    return answer.exit_code, answer.output, calls


def test_defaults_are_those_of_the_study_then_those_of_all(options: Any) -> None:
    code, _, calls = call(options, suite="cola", learners="head", epochs=0, workers=3)
    settings = {
        "suite": "cola", "source": "simulated", "backbone": "embedded", "learners": "head",
        "train_examples": 500, "test_examples": 200, "epochs": 0, "batch_size": 16, "max_length": 64,
        "dtype": "auto", "evaluate": "audited", "workers": 3,
    }  # fmt: skip
    assert (code, calls) == (0, [(settings, 4, Path("runs/one"))])
    assert {*settings} <= {*RunConfig.model_fields}


def test_the_command_line_wins(options: Any) -> None:
    given = ("--suite", "rte", "--size", "9", "--max-length", "32", "--out", "elsewhere")
    _, _, [(settings, size, out)] = call(options, *given, suite="cola")
    assert (settings["suite"], settings["max_length"], size, out) == ("rte", 32, 9, Path("elsewhere"))
    assert "learners" not in settings  # no default of its own, and the study states none


def test_options_stand_in_the_place_of_the_settings(options: Any) -> None:
    code, shown, calls = call(options, "--help", without=["source", "dtype"], epochs=7)
    listed = [line.split()[0] for line in shown.splitlines() if line.startswith("  --")]
    run = ["--suite", "--backbone", "--train-examples", "--test-examples", "--epochs", "--batch-size", "--max-length"]
    assert (code, calls) == (0, [])
    assert listed == ["--size", *run, "--evaluate", "--workers", "--out", "--help"]
    assert "Passes over the training examples. [default: 7; x>=0]" in " ".join(shown.split())
    assert "--settings" not in shown


@pytest.mark.parametrize("wrong", [("--epochs", "-1"), ("--size", "1"), ("--dtype", "float32")])
def test_a_command_refuses_what_its_declarations_do(options: Any, wrong: tuple[str, str]) -> None:
    code, shown, calls = call(options, *wrong, without=["dtype"])
    assert (code, calls) == (2, [])
    assert wrong[0] in shown


@pytest.mark.parametrize("given", [{"epoch": 3}, {"without": ["epoch"]}])
def test_what_is_no_option_of_a_run_is_refused(options: Any, given: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="unknown options of a run: epoch"):
        options.run_options(**given)

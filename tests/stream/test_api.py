"""The functions of the package: what they say of themselves, what they take, and what they refuse before any work."""

from __future__ import annotations

import inspect
import json
import logging
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

import stream
from learners.backbones.backbone import load_backbone
from learners.device import device_named
from learners.specification.family import families, parse_learner
from stream import InputError, InputErrors, compare, cost, plan, run, verify
from stream.api.arguments import OTHERS
from stream.api.readers import READERS
from stream.cli.config import EXAMPLES, settings_file
from stream.cli.main import app
from stream.config.resolve import resolve_config
from stream.config.settings import LISTS, RunConfig, described
from stream.results.metrics import Metric, metric
from tests.runs import TASKS, as_arguments, call, deltas_of, events_of, read_results, tiny_settings

SETTINGS = list(RunConfig.model_fields)


@pytest.fixture(scope="module")
def done(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Settings of a finished run of two learners."""
    out = tmp_path_factory.mktemp("done") / "run"
    settings = tiny_settings(tiny_tasks, tiny_backbone, out, learners="head,adapter:4")
    run(**settings)
    return settings


@pytest.mark.parametrize("function", [run, plan], ids=["run", "plan"])
def test_signature_and_docstring_are_those_of_the_settings(function: Any) -> None:
    parameters = inspect.signature(function).parameters
    assert set(SETTINGS) <= set(parameters) <= {*SETTINGS, *OTHERS}
    text = " ".join(function.__doc__.split())
    for name, parameter in parameters.items():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.annotation is not inspect.Parameter.empty
        if name in SETTINGS:
            assert parameter.default == (RunConfig.model_fields[name].default or parameter.default)
            assert f" {name}: {described(name)}" in text
        else:
            assert f" {name}: " in text
            assert "Default: none." in text.partition(f" {name}: ")[2]
    assert READERS.keys() <= set(SETTINGS)


def test_every_function_of_the_package_is_explained() -> None:
    for name in stream.__all__:
        assert inspect.getdoc(getattr(stream, name)), name
    for function in (run, plan, verify, compare, cost, stream.load_results, stream.kept_workers):
        text = inspect.getdoc(function) or ""
        assert f"{function.__name__}(" in text, "an example"
        documented = text.partition("Args:")[2]
        assert all(f"{name}" in documented for name in inspect.signature(function).parameters)
    assert set(stream.__all__) <= set(dir(stream))
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        _ = stream.runn


@pytest.mark.parametrize("verb", ["run", "plan"])
def test_help_of_the_command_says_the_same(verb: str) -> None:
    command = typer.main.get_command(app).commands[verb]  # type: ignore[attr-defined]
    options = {option.name: option for option in command.params}
    assert set(SETTINGS) <= set(options) <= {*SETTINGS, *OTHERS}
    for name in SETTINGS:
        assert options[name].help == described(name)
        once = {"columns": "--column", "plugins": "--plugin"}  # may be repeated
        assert options[name].opts == [once.get(name, f"--{name.replace('_', '-')}")]


def test_the_settings_file_reads_back() -> None:
    text = call("config").out
    assert resolve_config(tomllib.loads(text))[0] == RunConfig(device=device_named("auto")), "what auto is here"
    everything = "\n".join(
        line.removeprefix("# ") if line.startswith(("# [", *(f"# {name} = " for name in (*EXAMPLES, "text")))) else line
        for line in text.splitlines()
    )
    config, origins = resolve_config(tomllib.loads(everything))
    assert {origin.split(":")[0] for origin in origins.values()} == {"command line"}, "no setting is left out"
    assert config.columns == {"text": "sentence"}
    learners = "head,peft:{peft_type=LORA,r=4}"
    whole = RunConfig(learners=learners, epochs=2, device=device_named("auto"), columns={"rte.text_b": "second"})
    assert resolve_config(tomllib.loads(settings_file(whole, "mine")))[0] == whole
    document = json.loads(call("config", "--display", "json").out)
    assert list(document) == SETTINGS
    assert document["max_length"] == {
        "value": 128, "default": 128, "default_means": "", "unit": "tokens", "help": document["max_length"]["help"]
    }  # fmt: skip


def test_the_settings_of_a_run_begin_the_same_run(done: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "again.toml"
    file.write_text(call("config", done["out"]).out)
    assert plan(config=file).jobs_left == 0
    answer = call("config", str(tmp_path))
    assert (answer.code, answer.out) == (2, "")
    assert "no run here" in answer.err


def test_lists_in_toml_and_calls_are_as_the_command_has_them(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    given = {"suite": ["cola", "rte"], "learners": ["head", "peft:{peft_type=LORA,r=4}"], "order": ["rte", "cola"]}
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in given.items()))
    assert set(given) | {"log"} == set(LISTS)
    config, _ = resolve_config({}, file)
    assert (config.suite, config.order) == ("cola,rte", "rte,cola")
    assert config.learners == "head,peft:{peft_type=LORA,r=4}"
    assert resolve_config(given)[0] == config
    file.write_text('suite = []\nlearners = ["head", 3]\norder = 5\n')
    with pytest.raises(InputErrors) as caught:
        resolve_config({}, file)
    assert [error.what for error in caught.value.errors] == [
        f"bad value of {x}" for x in ("suite", "learners", "order")
    ]
    file.write_text('plugins = "mine.py"\n')
    assert resolve_config({}, file)[0].plugins == ("mine.py",)
    for wrong in ("3", "[3]"):
        file.write_text(f"plugins = {wrong}\n")
        with pytest.raises(InputErrors, match="bad value of plugins; expected a list of paths"):
            resolve_config({}, file)


def test_what_is_given_wins_over_the_file_even_if_it_is_the_default(done: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(f"seed = 3\ntest_examples = 4\nout = {json.dumps(str(tmp_path / 'file'))}\n")
    settings = {name: value for name, value in done.items() if name != "out"}
    assert plan(config=file, seed=0, **settings).seed == 0
    found = plan(config=file, **settings)
    assert (found.seed, found.out) == (3, str(tmp_path / "file"))


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong: dict[str, Any] = {
        "suit": "cola", "suite": 3, "source": object(), "backbone": 7, "learners": ["head", 3], "order": ["cola", 1],
        "seed": "x", "epochs": -1, "workers": object(), "out": 5, "store": 1.5, "columns": [1], "log": {}, "tasks": {},
        "metrics": [metric, 3], "config": 1, "display": "loud", "handle": 3,
    }  # fmt: skip
    with pytest.raises(InputError) as caught:
        run(**wrong)
    messages = [str(error) for error in caught.value.errors]
    assert "unknown argument 'suit'; did you mean suite" in messages[0]
    for name in wrong:
        assert any(name in message for message in messages), name
    assert len(messages) == len(wrong) + 1, "both of the metrics"
    assert all("\n" not in message and "Traceback" not in message for message in messages)
    with pytest.raises(InputError, match="given by name; found 'cola'"):
        run("cola")  # type: ignore[misc]
    for function, names in ((verify, ("folder", "store", "rerun", "seed")), (compare, ("a", "b"))):
        with pytest.raises(InputError) as caught:
            function(**dict.fromkeys(names, -1.5))  # type: ignore[operator]
        assert [error.what for error in caught.value.errors] == [f"bad value of {name}" for name in names]
    for plugins in (3, "nope.py"):  # read first, as learners given as objects may come from them: still beside the rest
        with pytest.raises(InputError) as caught:
            run(plugins=plugins, learners=[object()], suite=3, workers="two")
        found = [str(error) for error in caught.value.errors]
        assert sorted(name for name in ("learners", "plugin", "suite", "workers") if any(name in s for s in found)) == [
            "learners", "plugin", "suite", "workers"
        ]  # fmt: skip
        assert len(found) == 4
    with pytest.raises(InputError, match="bad value of progress"):
        verify(".", progress=3)  # type: ignore[arg-type]
    for count in ("two", 0, -1, 1.5, True):
        with pytest.raises(InputError, match=r"kept_workers\(\): bad value of count"):
            stream.kept_workers(count)  # type: ignore[arg-type]
    for function in (verify, cost, stream.compare, stream.load_results):
        name = function.__name__
        with pytest.raises(InputError, match=rf"{name}\(\): .*; expected .*; see help\(stream.{name}\)"):
            function(nothing=1)  # type: ignore[operator]
    with pytest.raises(InputError) as caught:
        run(seed=True, out="", log=())
    assert [error.what for error in caught.value.errors] == ["bad value of out", "bad value of seed"]
    with pytest.raises(InputError) as caught:
        run(suite=3, learners=7, plugins=3)  # type: ignore[arg-type]
    assert len(caught.value.errors) == 3
    with pytest.raises(InputError) as caught:
        cost(backbone=3, suite=(), learners=[None])  # type: ignore[arg-type, list-item]
    assert len(caught.value.errors) == 3


def test_compare_names_both_folders_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        compare(tmp_path / "a", tmp_path / "b")
    assert [error.where for error in caught.value.errors] == [str(tmp_path / "a"), str(tmp_path / "b")]


def test_the_command_reports_all_bad_options_at_once() -> None:
    answer = call("run", "--epochs", "three", "--learning-rate", "fast", "--dtype", "float16", "--workers", "0")
    assert (answer.code, answer.out) == (2, "")
    assert [line.partition("bad value of ")[2] for line in answer.err.splitlines()] == [
        "epochs; expected a whole number; found 'three'",
        "learning_rate; expected a number; found 'fast'",
        "dtype; expected 'float32' or 'bfloat16' or 'auto'; found 'float16'",
        "workers; expected a number greater than or equal to 1; found 0",
    ]


def test_several_errors_are_one_kind_of_error() -> None:
    one = InputError("first", where="here", fix="do this")
    several = InputErrors([one, InputErrors([InputError("second"), InputError("third")])])
    assert one.errors == (one,)
    assert [error.what for error in several.errors] == ["first", "second", "third"]
    assert str(several).splitlines() == ["here: first; do this", "second", "third"]
    assert (several.what, several.where) == ("first", "here")


def test_numbers_of_numpy_are_numbers(done: dict[str, Any]) -> None:
    numbers = {
        "seed": np.int64(0),
        "epochs": np.int32(1),
        "batch_size": np.uint8(16),
        "learning_rate": np.float64(1e-2),
    }
    assert plan(**{**done, **numbers}).jobs_left == 0
    with pytest.raises(InputError, match="bad value of epochs"):
        plan(**{**done, "epochs": np.float32(1.5)})


def test_learners_as_objects(done: dict[str, Any], tmp_path: Path) -> None:
    """An object that its name makes again is that name, for workers, later calls and verify; another is refused."""
    objects = [families()["head"], parse_learner("adapter:4")]
    names = ["head", parse_learner("adapter:4").name]
    other = {**done, "out": str(tmp_path)}
    assert list(plan(**{**other, "learners": objects}).learners) == names
    assert list(plan(**{**other, "learners": objects[1]}).learners) == names[1:]
    changed = replace(objects[1], training=replace(objects[1].training, warmup=0.5))
    unnamed = replace(objects[1], name="")
    foreign = replace(families()["head"], title="another")
    with pytest.raises(InputError) as caught:
        run(**{**done, "learners": [changed, unnamed, foreign, 3]})
    messages = [str(error) for error in caught.value.errors]
    assert "expected training.warmup 0.1; found 0.5" in messages[0]
    assert all("plugins=[FILE]" in message for message in messages[:3])
    assert "a Learner or a Family; found 3" in messages[3]


def test_a_loaded_backbone(done: dict[str, Any], tmp_path: Path) -> None:
    backbone = load_backbone(done["backbone"])
    notices: list[str] = []

    def handle(event: dict[str, Any]) -> None:
        notices.append(event.get("message", ""))

    run(**{**done, "backbone": backbone, "out": tmp_path / "run"}, handle=handle)
    assert deltas_of(tmp_path / "run") == deltas_of(Path(done["out"]))
    assert not [notice for notice in notices if "loading backbone" in notice]
    assert call("verify", str(tmp_path / "run")).code == 0
    with pytest.raises(InputError, match="expected bfloat16; found float32; give dtype='float32'"):
        run(**{**done, "backbone": backbone, "dtype": "bfloat16"})
    weight = next(iter(backbone.computed.values()))
    weight[0] += 1
    with pytest.raises(InputError, match="changed since it was loaded"):
        run(**{**done, "backbone": backbone})


def test_metrics_as_objects(done: dict[str, Any]) -> None:
    def worst(R: Any, b: Any) -> float:
        return float(R[-1].min())

    mine = Metric(
        name="worst", title="Worst task", formula="min", citation="none", range=(0, 1), compute=worst,
    )  # fmt: skip
    before = read_results(Path(done["out"]))
    results = run(**done, metrics=[mine, metric("bwt_gem")])
    for name, learner in results.items():
        assert learner.metrics == before["learners"][name]["metrics"] | {"worst": learner.matrix[-1].min()}
    assert read_results(Path(done["out"])) == before, "the files are those of a run without it"
    with pytest.raises(InputError) as caught:
        run(
            **done,
            metrics=[replace(mine, name="bwt_gem"), replace(mine, baseline="joint"), replace(mine, compute=lambda: 1)],
        )
    assert [error.what for error in caught.value.errors] == [
        "another metric has this name",
        "a metric given as an object cannot use scores of other learners",
        "compute fails on an R of two tasks",
    ]


def test_validation_has_a_limit_of_its_own(done: dict[str, Any], tmp_path: Path) -> None:
    """Where it is that of test, or none, every key and recipe is as it was before there was this setting."""
    limited = {**done, "learners": "head", "test_examples": 4, "out": tmp_path / "one"}
    run(**limited)
    same = run(**{**limited, "validation_examples": 4, "out": tmp_path / "two"})
    other = run(**{**limited, "validation_examples": 2, "out": tmp_path / "three"})
    folders = ("one", "two", "three")
    keys = {name: [(fit["key"], fit["recipe"]) for fit in events_of(tmp_path / name, "fit")] for name in folders}
    assert keys["one"] == keys["two"]
    assert not {key for key, _ in keys["one"]} & {key for key, _ in keys["three"]}
    for results, expected in ((same, 4), (other, 2)):
        assert {task.validation for task in results.tasks.values()} == {expected}
        assert {task.test for task in results.tasks.values()} == {4}
    (opening,) = events_of(tmp_path / "one", "run")
    assert "validation_examples" not in json.dumps(opening)
    (opening,) = events_of(tmp_path / "three", "run")
    assert opening["inputs"]["validation_examples"] == opening["facts"]["settings"]["validation_examples"] == 2
    for name in keys:
        assert verify(tmp_path / name, rerun="all").passed


def test_documents_are_those_of_the_command(done: dict[str, Any], tmp_path: Path) -> None:
    out = done["out"]
    assert plan(**done).as_dict() == json.loads(call("plan", *as_arguments(done), "--display", "json").out)
    assert json.loads(json.dumps(compare(out, Path(out)).as_dict())) == json.loads(
        call("compare", out, out, "--display", "json").out
    )
    assert verify(out, rerun=2).as_dict() == json.loads(call("verify", out, "--rerun", "2", "--display", "json").out)
    arguments = ["--backbone", "bert-base-uncased", "--suite", "glue9", "--learners", "head,adapter:64"]
    expected = json.loads(call("cost", *arguments, "--display", "json").out)
    assert cost(backbone="bert-base-uncased", suite="glue9", learners=["head", "adapter:64"]) == expected
    loaded = cost(backbone=load_backbone(done["backbone"]), suite=["cola", "rte"], learners="head")
    assert loaded == cost(backbone=done["backbone"], suite="cola,rte", learners="head")


def test_plan_is_typed(done: dict[str, Any], tmp_path: Path) -> None:
    found = plan(**done)
    assert found.order == TASKS
    assert found.jobs_left == 0
    assert found.learners["head"].jobs["fit"] == len(TASKS)
    fresh = plan(**{**done, "out": tmp_path / "none"})
    assert fresh.jobs_left == fresh.jobs == found.jobs


def test_notices_go_to_the_logger(done: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="taskstream"):
        run(**done | {"out": tmp_path / "new", "max_length": 20})  # not encoded yet
    first, *others = caplog.messages
    assert first.startswith(f"{len(TASKS)} tasks, 2 learners: {2 * len(TASKS)} fits")
    assert [f"encoding {task}" for task in TASKS] == [text for text in others if text.startswith("encoding")]
    handlers = logging.getLogger("taskstream").handlers
    assert handlers
    assert all(isinstance(handler, logging.NullHandler) for handler in handlers)


@pytest.mark.parametrize("error", [ValueError("a"), OSError(28, "b"), LookupError("c"), InputError("d")], ids=repr)
def test_what_a_function_of_the_caller_raises_is_no_fault_of_the_run(
    error: Exception, done: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever drawing raises, and wherever: no finding of `verify`, no failed job in the ledger, no full disk."""
    monkeypatch.setattr("learners.training.fit.PROGRESS_SECONDS", 0.0)

    def at(text: str) -> Any:
        def told(event: Any) -> None:
            if text in str(event):
                raise error

        return told

    settings = {**done, "out": str(tmp_path), "suite": "colours", "learners": "head"}
    for text in ("results go to", "'start'", "'progress'", "'row'", "'end'"):
        with pytest.raises(type(error)) as found:
            run(**settings, handle=at(text))
        assert found.value is error
    assert events_of(tmp_path, "failed") == []
    run(**settings)
    for text in ("Delta", "documents", "encoded"):
        with pytest.raises(type(error)) as found:
            verify(tmp_path, progress=at(text))
        assert found.value is error
    assert verify(tmp_path).passed

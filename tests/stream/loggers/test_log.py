"""Logs of a run: whole, without doubles however often it goes on, and never the end of it; read by each tool itself."""

from __future__ import annotations

import importlib.util
import os
import struct
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stream import run
from stream.loggers import log, wandb
from stream.loggers.log import About, logged
from stream.loggers.mlflow import database_url
from stream.loggers.readings import AXES, Reading
from stream.storage.learner_folder import learner_folder
from tasks.errors import InputErrors
from tests.runs import as_arguments, call, matrices_of, tiny_settings

Call = list[dict[str, Any]]
Found = dict[tuple[str, str], list[tuple[int, float]]]  # (learner, name) -> places and values, in order of writing
LEARNERS = ("head", "full:sequential")


@pytest.fixture(scope="module")
def calls(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Call, Call]:
    """The events of two calls of a run, of which the second adds a task."""
    out = tmp_path_factory.mktemp("logged") / "out"
    settings = tiny_settings(tiny_tasks, tiny_backbone, out, learners=list(LEARNERS), epochs=2)
    told: tuple[Call, Call] = ([], [])
    run(**{**settings, "suite": "sms_spam,colours"}, handle=told[0].append)
    run(**settings, handle=told[1].append)
    return told


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Found:
    return tool_in_memory(monkeypatch)


def tool_in_memory(patch: pytest.MonkeyPatch) -> Found:
    """A tool that keeps what is written, under the name tensorboard."""
    found: Found = defaultdict(list)

    def open_writer(folder: Path, about: About) -> Any:
        def write(readings: Sequence[Reading]) -> None:
            for reading in readings:
                for name, value in reading.values.items():
                    assert reading.axis == AXES.get(name.partition("/")[0], "arrival")
                    found[about.learner, name].append((reading.at, value))

        return SimpleNamespace(write=write, close=lambda summary: None)

    patch.setitem(sys.modules, "stream.loggers.tensorboard", SimpleNamespace(open_writer=open_writer))
    patch.setattr(log, "find_spec", lambda name: name)
    return found


def write(name: str, folder: Path, events: Call) -> list[str]:
    """Log a call's events; returns the notices."""
    told: Call = []
    with logged(name, folder, told.append) as handle:
        for event in events:
            handle(event)
    return [event["message"] for event in told if event not in events]


def test_every_figure_once_over_all_calls(memory: Found, calls: tuple[Call, Call], tmp_path: Path) -> None:
    for events in (calls[0], calls[0], calls[1], calls[1]):
        assert write("tensorboard", tmp_path, events) == []
    for learner in LEARNERS:
        for place, task in enumerate(("sms_spam", "colours", "rte"), start=1):
            assert [at for at, _ in memory[learner, f"score/{task}"]] == [0, *range(place, 4)]
            assert [at for at, _ in memory[learner, f"train_loss/{task}"]] == [1, 2]
            assert [at for at, _ in memory[learner, f"validation_score/{task}"]] == [1, 2]
        for name in ("average_accuracy", "growth", "train_seconds", "evaluate_seconds", "parameters", "bytes"):
            assert [at for at, _ in memory[learner, name]] == [1, 2, 3]
        assert [at for at, _ in memory[learner, "forgetting_chaudhry"]] == [2, 3]
    assert {name.partition("/")[0] for _, name in memory} <= {
        *AXES, "score", "average_accuracy", "forgetting_chaudhry", "growth", "train_seconds", "evaluate_seconds",
        "parameters", "head_parameters", "bytes",
    }  # fmt: skip


def test_a_log_begun_late_or_torn_catches_up(memory: Found, calls: tuple[Call, Call], tmp_path: Path) -> None:
    assert write("tensorboard", tmp_path / "late", calls[1]) == []
    whole, record = dict(memory), tmp_path / "early" / "tensorboard" / "logged.jsonl"
    memory.clear()
    write("tensorboard", tmp_path / "early", calls[1][: len(calls[1]) // 2])
    record.write_bytes(record.read_bytes() + b'["fit/head')  # a crash, and half a line
    write("tensorboard", tmp_path / "early", calls[1])
    assert dict(memory) == whole
    memory.clear()
    write("tensorboard", tmp_path / "early", calls[1])
    assert not memory


def test_what_was_done_anew_with_another_outcome_is_written_anew(
    memory: Found, calls: tuple[Call, Call], tmp_path: Path
) -> None:
    write("tensorboard", tmp_path, calls[0])
    memory.clear()
    changed = [
        {**event, "delta": "other"} if event.get("job") == "fit/head/2" and event["event"] == "fit" else event
        for event in calls[0]
    ]
    write("tensorboard", tmp_path, changed)
    assert {name for _, name in memory} == {
        "train_seconds", "parameters", "head_parameters", "bytes", "train_loss/colours", "validation_score/colours"
    }  # fmt: skip


@pytest.mark.parametrize("fails", ["open", "write", "close"])
def test_a_tool_that_fails_is_told_of_once_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, fails: str
) -> None:
    closed: list[str] = []

    def fail(about: About, stage: str) -> None:
        if stage == "close":
            closed.append(about.learner)
        if stage == fails:
            raise OSError(28, "No space left on device")

    def open_writer(folder: Path, about: About) -> Any:
        fail(about, "open")
        return SimpleNamespace(write=lambda _: fail(about, "write"), close=lambda _: fail(about, "close"))

    monkeypatch.setitem(sys.modules, "stream.loggers.tensorboard", SimpleNamespace(open_writer=open_writer))
    monkeypatch.setattr(log, "find_spec", lambda name: name)
    told: Call = []
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "a", suite="colours,rte", learners=list(LEARNERS))
    results = run(**settings, log=["tensorboard"], handle=told.append).as_dict()
    notices = [event["message"] for event in told if "logging to" in event.get("message", "")]
    assert len(notices) == 1
    assert "tensorboard" in notices[0]
    assert "No space left on device" in notices[0]
    assert sorted(closed) == sorted({"open": [], "write": ["head"], "close": LEARNERS}[fails])
    assert told[-1]["event"] == ("notice" if fails == "close" else "end")
    plain = run(**settings | {"out": str(tmp_path / "b")}).as_dict()
    assert matrices_of(results) == matrices_of(plain)
    assert results["settings"] == plain["settings"], "a log is no part of what a run is"


def test_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(log, "find_spec", lambda name: None if name == "mlflow" else name)
    with pytest.raises(InputErrors) as caught, logged("mlflow, tensorbord", tmp_path, print):
        pass
    unknown, absent = caught.value.errors
    assert "did you mean tensorboard?" in str(unknown)
    assert "pip install 'taskstream[mlflow]'" in str(absent)
    assert log.loggers("") == ()
    assert log.loggers("wandb,tensorboard,wandb") == ("wandb", "tensorboard")


def test_the_command(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    needs("tensorboard")
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "out", suite="colours")
    arguments = ("run", *as_arguments(settings), "--display", "none")
    assert (plain := call(*arguments)).code == 0, plain.err
    answer = call(*arguments, "--log", "tensorboard")  # begun late, on a run that is done
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    assert [at for at, _ in read_tensorboard(tmp_path / "out")["head", "score/colours"]] == [0, 1]
    answer = call(*arguments, "--log", "tensorflow")
    assert (answer.code, answer.out) == (2, "")
    assert "unknown logger 'tensorflow'" in answer.err
    assert len(answer.errors) == 1


def needs(library: str) -> None:
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed (extra {library})")


def read_tensorboard(out: Path) -> Found:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found: Found = {}
    for learner in LEARNERS:
        if not (folder := learner_folder(out / "tensorboard", learner)).is_dir():
            continue  # not a learner of this run
        events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
        events.Reload()
        for name in events.Tags()["scalars"]:
            found[learner, name] = [(event.step, event.value) for event in events.Scalars(name)]
    return found


def wandb_records(file: Path) -> Iterator[Any]:
    """The records of an offline run: a log of LevelDB's format, blocks of 32 KiB after a header of 7 bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    raw, at, part = file.read_bytes(), 7, b""
    while at + 7 <= len(raw):
        if (room := 32768 - at % 32768) < 7:
            at += room
            continue
        _, length, kind = struct.unpack("<IHB", raw[at : at + 7])
        part += raw[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last of several parts
            yield Record.FromString(part)
            part = b""


def read_wandb(out: Path) -> Found:
    importlib.import_module("wandb").teardown()  # a process of its own writes the files, to the end when it ends
    found: Found = defaultdict(list)
    for file in sorted((out / "wandb").glob("offline-run-*/*.wandb")):  # by the time they began
        records = [*wandb_records(file)]
        (opened,) = (record.run for record in records if record.WhichOneof("record_type") == "run")
        for record in (record.history for record in records if record.WhichOneof("record_type") == "history"):
            values = {item.key or "/".join(item.nested_key): float(item.value_json) for item in record.item}
            for name in values.keys() - {"arrival", "epoch", "_step", "_runtime", "_timestamp"}:
                at = int(values[AXES.get(name.partition("/")[0], "arrival")])
                found[opened.display_name, name].append((at, values[name]))
    return found


def read_mlflow(out: Path) -> Found:
    from mlflow.tracking import MlflowClient

    client, found = MlflowClient(database_url(out / "mlflow")), Found()
    experiment = client.get_experiment_by_name("taskstream").experiment_id
    for one in client.search_runs([experiment]):
        assert one.data.params["seed"] == "0"
        assert one.info.status == "FINISHED"
        for name in one.data.metrics:
            history = client.get_metric_history(one.info.run_id, name)
            found[one.info.run_name, name] = [(metric.step, metric.value) for metric in history]
    return found


READERS: Mapping[str, Any] = {"tensorboard": read_tensorboard, "wandb": read_wandb, "mlflow": read_mlflow}


@pytest.mark.filterwarnings("ignore:.*noload.*:DeprecationWarning")  # MLflow's own, of SQLAlchemy
@pytest.mark.parametrize("tool", READERS)
def test_a_tool_reads_what_was_written(
    calls: tuple[Call, Call], tmp_path: Path, tool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of two calls, each number once, in a run for each learner. In a folder whose name a URL would change."""
    needs(tool)
    out = tmp_path / "a?b%20c#d é"
    for events in (*calls, calls[1]):
        assert write(tool, out, events) == []
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    assert tool != "mlflow" or (out / "mlflow" / "mlflow.db").is_file()
    found = READERS[tool](out)
    with monkeypatch.context() as patch:
        kept = tool_in_memory(patch)
        for events in calls:
            write("tensorboard", tmp_path / "kept", events)
    assert found.keys() == kept.keys()
    for key, values in kept.items():
        assert [at for at, _ in found[key]] == [at for at, _ in values], key
        assert [value for _, value in found[key]] == pytest.approx([value for _, value in values], rel=1e-6), key


def test_hyperparameters_are_columns_of_tensorboard(calls: tuple[Call, Call], tmp_path: Path) -> None:
    needs("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2

    write("tensorboard", tmp_path, calls[0])
    events = EventAccumulator(str(tmp_path / "tensorboard" / "head"))
    events.Reload()
    plugins = events.summary_metadata
    started, ended = (
        plugin_data_pb2.HParamsPluginData.FromString(plugins[f"_hparams_/session_{part}_info"].plugin_data.content)
        for part in ("start", "end")
    )
    values = started.session_start_info.hparams
    assert values["learner"].string_value == "head"
    assert values["epochs"].number_value == 2
    assert ended.HasField("session_end_info")


def test_wandb_is_told_to_report_no_errors_unless_the_user_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, about = [], About("log", "out", "head", {})

    def init(**settings: object) -> Any:
        given.append(os.environ["WANDB_ERROR_REPORTING"])
        return SimpleNamespace(define_metric=lambda *named, **more: None)

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=init, Settings=dict))
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "true")
    wandb.open_writer(tmp_path, about)
    monkeypatch.delenv("WANDB_ERROR_REPORTING")
    wandb.open_writer(tmp_path, about)
    assert given == ["true", "false"]

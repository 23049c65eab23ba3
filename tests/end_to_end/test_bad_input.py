"""Bad input through the entry point: one clear line for each fault, exit code 2, nothing computed."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runs import Answer, as_arguments, call, tiny_settings
from tests.worlds import save_task


def refused(answer: Answer, faults: int = 1) -> list[str]:
    """The lines of a refusal: each names its fault after `error: `, with no traceback and nothing on stdout."""
    assert answer.code == 2, answer.err
    assert answer.out == ""
    lines = answer.errors
    assert len(lines) == faults, answer.err
    assert all(line.startswith("error: ") and len(line) > 20 for line in lines)
    assert "Traceback" not in answer.err
    return lines


@pytest.fixture
def world(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> Callable[..., Answer]:
    """`taskstream run` on the tiny world with some settings changed; refused, it must not begin a run folder."""

    def run(**more: object) -> Answer:
        out = tmp_path / "run"
        answer = call("run", *as_arguments(tiny_settings(tiny_tasks, tiny_backbone, out, **more)), "--display", "none")
        assert not out.exists()
        return answer

    return run


SETTINGS = {
    "unknown task": ({"suite": "colours,sms_spma"}, "unknown task 'sms_spma'", "did you mean sms_spam?"),
    "no task": ({"suite": ","}, "empty suite", "houlsby26"),
    "task twice": ({"suite": "rte,rte"}, "task 'rte' is named twice", ""),
    "path as task": ({"suite": "../secret"}, "not a task name", "../secret"),
    "unknown source": ({"source": "zip:x"}, "zip", "folder:DIR"),
    "missing folder": ({"source": "folder:nowhere/at/all"}, "nowhere/at/all: no such folder", ""),
    "unknown learner": ({"learners": "adaptor:4"}, "unknown learner 'adaptor'", "did you mean adapter"),
    "unknown option": ({"learners": "adapter:sice=4"}, "unknown option of adapter 'sice'", "did you mean size?"),
    "bad value": ({"learners": "adapter:1"}, "'adapter:1'", "a whole number from 2 to 256"),
    "bad word": ({"learners": "full:shared"}, "'shared'", "isolated, sequential"),
    "gates of nothing": ({"learners": "adapterbias:gates=louizos"}, "gates without a penalty", "l0=1e-4:gates=louizos"),
    "learner twice": ({"learners": "adapter:4,adapter:size=4"}, "the same learner twice", "adapter:size=4"),
    "no learner": ({"learners": "head,,majority"}, "unknown learner ''", ""),
    "dead start": ({"learners": "adapterbias:std=0"}, "dead initialisation", "std above 0"),
    "more layers than there are": ({"learners": "topk:9"}, "more layers to tune than the backbone has", "at most 2"),
    "missing backbone": ({"backbone": "/nowhere/model"}, "/nowhere/model: no such folder", "hub id"),
    "too long": ({"max_length": 64}, "--max-length 64", "at most 48 tokens"),
    "too short": ({"max_length": 3}, "max_length", "greater than or equal to 4"),
    "order of another suite": ({"order": "sms_spam,colours"}, "--order sms_spam,colours", "rte not named once"),
    "no order": ({"order": "papre"}, "unknown task 'papre'", "did you mean paper?"),
    "way of evaluating": ({"evaluate": "fully"}, "evaluate", "'full', 'audited' or 'square'"),
    "type": ({"dtype": "float16"}, "dtype", "'float32' or 'bfloat16'"),
    "workers": ({"workers": 0}, "workers", "greater than or equal to 1"),
    "seed": ({"seed": -1}, "seed", "greater than or equal to 0"),
    "rate": ({"learning_rate": 0}, "learning_rate", "greater than 0"),
    "rate that is no number": ({"learning_rate": "nan"}, "learning_rate", "nan"),
    "examples": ({"train_examples": 0}, "train_examples", "greater than or equal to 1"),
}


@pytest.mark.parametrize("fault", SETTINGS)
def test_settings(world: Callable[..., Answer], fault: str) -> None:
    settings, *words = SETTINGS[fault]
    (line,) = refused(world(**settings))
    assert all(word in line for word in words), line


def test_all_faults_of_the_settings_at_once(world: Callable[..., Answer]) -> None:
    wrong = {"suite": "sms_spma", "learners": "adaptor,topk:0,head", "source": "folder:nowhere", "backbone": "/gone"}
    lines = refused(world(**wrong), faults=4)
    assert [word for word in ("adaptor", "topk:0", "nowhere", "/gone") if not any(word in line for line in lines)] == []
    lines = refused(world(seed=-1, workers=0, evaluate="fully"), faults=3)
    assert [word for word in ("seed", "workers", "evaluate") if not any(word in line for line in lines)] == []


def rows_of(text: str = "ash red", count: int = 12) -> list[list[str]]:
    return [[f"{text} {number}", f"label{number % 2}"] for number in range(count)]


def write(path: Path, *rows: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def truncated(folder: Path) -> None:
    path = folder / "data.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(f"{number} ash {number * 7919 % 1000},label{number % 2}\n" for number in range(4000))
    path.write_bytes(path.read_bytes()[:-4000])


def unseen(folder: Path) -> None:
    head = ["text", "label"]
    write(folder / "train.csv", head, *rows_of("ash"))
    write(folder / "validation.csv", head, *rows_of("elm"))
    write(folder / "test.csv", head, *rows_of("fir"), ["oak red", "label7"])


DATA: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "missing label": (lambda d: write(d / "data.csv", ["text", "kind"], *rows_of()), ("missing column label", "kind")),
    "missing text": (lambda d: write(d / "data.csv", ["words", "label"], *rows_of()), ("missing column text", "words")),
    "one label": (lambda d: write(d / "data.csv", ["text", "label"], ["ash", "a"], ["elm", "a"]), ("one label only",)),
    "empty file": (lambda d: (d / "data.csv").write_bytes(b""), ("data.csv", "no rows", "an empty file")),
    "header only": (lambda d: write(d / "data.csv", ["text", "label"]), ("data.csv", "no rows")),
    "truncated gzip": (truncated, ("data.csv.gz", "truncated or damaged gzip file")),
    "label of test": (unseen, ("label7",)),
    "blank texts": (
        lambda d: write(d / "data.csv", ["text", "label"], *[[" ", f"{n % 2}"] for n in range(9)]),
        ("data.csv", "every text is blank"),
    ),
    "blank label": (
        lambda d: write(d / "data.csv", ["text", "label"], *rows_of(), ["oak", ""]),
        ("blank label in row 13",),
    ),
    "broken line": (lambda d: write(d / "data.csv", ["text", "label"], *rows_of(), ["oak"]), ("broken line 14",)),
    "no text file": (lambda d: (d / "data.csv").write_bytes(b"\xff\xfe\x00"), ("data.csv", "not UTF-8 text")),
    "no score": (
        lambda d: write(d / "data.csv", ["text", "label", "score"], ["ash", "a", "1.5"], ["elm", "a", "high"]),
        ("score in row 2 is no number", "'high'"),
    ),
}


@pytest.mark.parametrize("fault", DATA)
def test_data(world: Callable[..., Answer], tmp_path: Path, fault: str) -> None:
    source = save_task(tmp_path / "tasks", "colours")
    make, words = DATA[fault]
    (source / "bad").mkdir()
    make(source / "bad")
    (line,) = refused(world(source=f"folder:{source}", suite="colours,bad"))
    assert str(source / "bad") in line
    assert all(word in line for word in words), line


def test_columns(world: Callable[..., Answer], tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    base = as_arguments(tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run"))
    for pair, words in {
        "txet=sentence": ("unknown column 'txet'", "did you mean text"),
        "text": ("--column", "OURS=THEIRS"),
        "=sentence": ("--column", "OURS=THEIRS"),
        "text=sentence": ("missing column sentence", str(tiny_tasks)),
    }.items():
        answer = call("run", *base, "--column", pair, "--display", "none")
        lines = refused(answer, faults=len(answer.errors))
        assert all(word in lines[0] for word in words), lines[0]


def test_config_files(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    for content, words in {
        "epoch = 3": ("unknown setting 'epoch'", "did you mean epochs?"),
        "seed = ": ("not a TOML file", "a.toml"),
        "seed = 'three'": ("bad value of seed", "a.toml"),
        "columns = 7": ("bad value of columns", "a.toml"),
    }.items():
        file.write_text(content)
        (line,) = refused(call("run", "--config", str(file)))
        assert all(word in line for word in words), line
    (line,) = refused(call("run", "--config", str(tmp_path / "none.toml")))
    assert "no such file" in line


def test_backbone_folders(world: Callable[..., Answer], tiny_backbone: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (line,) = refused(world(backbone=tmp_path / "empty"))
    assert "not a model folder" in line
    weightless = shutil.copytree(tiny_backbone, tmp_path / "weightless")
    (weightless / "model.safetensors").rename(weightless / "pytorch_model.bin")
    (line,) = refused(world(backbone=weightless))
    assert "pickled weights, which are never loaded" in line
    cut = shutil.copytree(tiny_backbone, tmp_path / "cut")
    (cut / "model.safetensors").write_bytes((tiny_backbone / "model.safetensors").read_bytes()[:-100])
    (line,) = refused(world(backbone=cut))
    assert "cannot load these weights" in line
    other = shutil.copytree(tiny_backbone, tmp_path / "other")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "model_type": "gpt2"}))
    (line,) = refused(world(backbone=other))
    assert str(other) in line


def test_other_verbs(tmp_path: Path) -> None:
    damaged, foreign = tmp_path / "damaged", tmp_path / "foreign"
    damaged.mkdir()
    foreign.mkdir()
    (damaged / "results.json").write_text('{"schema": 1, "suite"')
    (foreign / "results.json").write_text('{"schema": 99}')
    hollow = tmp_path / "hollow"
    hollow.mkdir()
    (hollow / "results.json").write_text('{"schema": 1}')
    (hollow / "config.json").write_text("[]")
    for arguments, words in {
        ("report", str(tmp_path)): ("no run here", "results.json"),
        ("report", str(damaged)): ("damaged results", "results.json"),
        ("report", str(hollow)): ("damaged results", "KeyError"),
        ("cost", "--backbone", str(hollow), "--suite", "glue9", "--learners", "head"): ("not a model's config",),
        ("report", str(foreign)): ("results of another version", "99"),
        ("report", str(tmp_path / "nowhere")): ("no run here",),
        ("show", "metric", "forgeting_chaudhry"): ("unknown metric", "did you mean forgetting_chaudhry"),
        ("show", "task", "colla"): ("unknown task", "did you mean cola"),
        ("show", "learner", "adapter:1"): ("adapter:1", "2 to 256"),
        ("show", "learner", "lora"): ("unknown learner",),
        ("cost", "--backbone", "bert-huge", "--suite", "glue9", "--learners", "head"): ("bert-huge",),
        ("cost", "--backbone", "bert-base-uncased", "--suite", "glue", "--learners", "head"): ("did you mean glue9",),
        ("cost", "--backbone", "bert-base-uncased", "--suite", "glue9", "--learners", "topk:13"): ("at most 12",),
    }.items():
        (line,) = refused(call(*arguments))
        assert all(word in line for word in words), line


@pytest.mark.parametrize(
    "arguments",
    [("walk",), ("run", "--epoch", "3"), ("run", "--epochs", "three"), ("list", "things"), ("show", "task")],
)
def test_usage(arguments: tuple[str, ...]) -> None:
    """What the parser of the command line refuses: its own message, the same code."""
    answer = call(*arguments)
    assert answer.code == 2
    assert answer.out == ""
    assert "Usage: taskstream" in answer.err
    assert "Traceback" not in answer.err


def test_folders_that_cannot_be_written(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("out", "store"):
        settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run") | {name: str(tmp_path / "file")}
        (line,) = refused(call("run", *as_arguments(settings), "--display", "none"))
        assert f"--{name} {tmp_path / 'file'}: cannot write here" in line


def test_no_positive_class_for_f1(tmp_path: Path, tiny_backbone: Path) -> None:
    rows = [[f"ash red {n}", "elm", "same" if n % 2 else "other"] for n in range(40)]
    (tmp_path / "mrpc").mkdir()
    write(tmp_path / "mrpc" / "data.csv", ["text", "text_b", "label"], *rows)
    settings = tiny_settings(tmp_path, tiny_backbone, tmp_path / "run") | {"suite": "mrpc"}
    (line,) = refused(call("run", *as_arguments(settings), "--display", "none"))
    assert "no positive class for F1" in line
    assert "found other, same" in line

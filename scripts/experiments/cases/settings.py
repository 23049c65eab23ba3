"""Bad settings: names, values, paths, config files, and arguments of the other verbs of the command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .case import Case, World

RUN: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "unknown task": (
        {"suite": "colurs,rte"},
        ("/tasks: unknown task 'colurs'", "expected one of rte, colours", "did you mean colours?"),
    ),
    "task that the simulated source lacks": (
        {"suite": "sms_spma", "source": "simulated"},
        ("unknown task 'sms_spma'", "did you mean sms_spam?"),
    ),
    "suite of tasks that the folder lacks": (
        {"suite": "glue9"},
        ("no task cola, sst2", "which glue9 has; expected one of rte, colours"),
    ),
    "column of a task that does not arrive": (
        {"suite": "rte", "column": "colours.text=words"},
        ("--column colours.text=words", "unknown task 'colours'", "expected one of rte"),
    ),
    "column of a task in other capitals": (
        {"column": "Colours.text=words"},
        ("--column Colours.text=words", "unknown task 'Colours'", "did you mean colours?"),
    ),
    "column that no task has": (
        {"suite": "cola", "source": "simulated", "column": "text=words"},
        ("--column text=words", "only files and tables have columns to map", "found source simulated"),
    ),
    "score of a task with labels": (
        {"column": "rte.score=x"},
        ("score is read from this column for no task", "a task with labels"),
    ),
    "epochs for learners that state theirs": (
        {"learners": "head:epochs=2,majority"},
        ("--epochs 1: epochs applies to no learner", "each learner states its own"),
    ),
    "epochs for a learner that does not train": (
        {"learners": "majority"},
        ("epochs applies to no learner", "no learner that trains"),
    ),
    "revision of a repository that is not used": (
        {"suite": "sms_spam", "source": "hub:nyu-mll/glue@main"},
        ("no task of the stream comes from this repository", "nyu-mll/glue@main"),
    ),
    "no task": ({"suite": ","}, ("empty suite", "houlsby26")),
    "task twice": ({"suite": "rte,rte"}, ("task 'rte' is named twice",)),
    "path as task": ({"suite": "../secret"}, ("not a task name", "../secret")),
    "absolute path as task": ({"suite": "/etc/passwd"}, ("not a task name", "/etc/passwd")),
    "hidden file as task": ({"suite": ".bashrc"}, ("not a task name", ".bashrc")),
    "unknown source": ({"source": "zip:x"}, ("zip", "folder:DIR")),
    "missing folder": ({"source": "folder:nowhere/at/all"}, ("nowhere/at/all: no such folder",)),
    "folder name too long": ({"source": f"folder:{'x' * 300}"}, ("cannot be a path", "source")),
    "home of nobody": ({"source": "folder:~no-such-user/x"}, ("cannot be a path", "~no-such-user")),
    "path as revision": ({"source": "hub:../../secret"}, ("not a revision", "../../secret")),
    "unknown learner": ({"learners": "adaptor:4"}, ("unknown learner 'adaptor'", "did you mean adapter")),
    "path as learner": ({"learners": "../head"}, ("unknown learner '../head'",)),
    "path as option of a learner": ({"learners": "adapter:size=../4"}, ("bad value of size", "'..'")),
    "unknown option": ({"learners": "adapter:sice=4"}, ("unknown option of adapter 'sice'", "did you mean size?")),
    "bad value": ({"learners": "adapter:0"}, ("'adapter:0'", "a whole number from 1 to 1024")),
    "parts that clash": ({"learners": "adapter:8+adapter:4"}, ("two parts add adapter.attention",)),
    "part that adds nothing": ({"learners": "lora:4+head"}, ("head cannot be joined with others",)),
    "method of peft unknown": ({"learners": "peft:{peft_type=NONE}"}, ("peft",)),
    "prompt too long": ({"learners": "prompt:40"}, ("rows are longer than the backbone accepts", "prompt:40")),
    "bad word": ({"learners": "full:shared"}, ("'shared'", "isolated, sequential")),
    "gates of nothing": (
        {"learners": "adapterbias:gates=louizos"},
        ("gates without a penalty", "l0=1e-4:gates=louizos"),
    ),
    "learner twice": ({"learners": "adapter:4,adapter:size=4"}, ("the same learner twice", "adapter:size=4")),
    "no learner": ({"learners": "head,,majority"}, ("unknown learner ''",)),
    "dead start": ({"learners": "adapterbias:std=0"}, ("dead initialisation", "std above 0")),
    "more layers than there are": ({"learners": "topk:9"}, ("more layers to tune than the backbone has", "at most 2")),
    "missing backbone": ({"backbone": "/nowhere/model"}, ("/nowhere/model: no such folder", "hub id")),
    "path as hub id": ({"backbone": "some-one/../secret"}, ("no such folder", "some-one/../secret")),
    "hub id with dots": ({"backbone": "a..b"}, ("not a hub id", "a..b")),
    "backbone name too long": ({"backbone": "x" * 300}, ("cannot be a path", "--backbone")),
    "too long": ({"max_length": 64}, ("--max-length 64", "at most 48 tokens")),
    "too short": ({"max_length": 3}, ("max_length", "greater than or equal to 4")),
    "order of another suite": ({"order": "colours"}, ("rte not named exactly once",)),
    "no order": ({"order": "papre"}, ("unknown task 'papre'", "did you mean paper?")),
    "way of evaluating": ({"evaluate": "fully"}, ("evaluate", "'full', 'audited' or 'square'")),
    "type": ({"dtype": "float16"}, ("dtype", "'float32' or 'bfloat16'")),
    "workers": ({"workers": 0}, ("workers", "greater than or equal to 1")),
    "seed": ({"seed": -1}, ("seed", "greater than or equal to 0")),
    "rate": ({"learning_rate": 0}, ("learning_rate", "greater than 0")),
    "rate that is no number": ({"learning_rate": "nan"}, ("learning_rate", "nan")),
    "examples": ({"train_examples": 0}, ("train_examples", "greater than or equal to 1")),
}

CONFIGS = {
    "config of an unknown setting": ("epoch = 3", ("unknown setting 'epoch'", "did you mean epochs?")),
    "config that is no TOML": ("seed = ", ("not a TOML file", "a.toml")),
    "config with a word for a number": ("seed = 'three'", ("bad value of seed", "a.toml")),
    "config with a number for a table": ("columns = 7", ("bad value of columns", "a.toml")),
    "config with a NUL in a path": (r'backbone = "a\u0000b"', ("cannot be a path", "--backbone")),
}

VERBS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "report of no run": (("report", "{}"), ("no run here", "results.json")),
    "report of nothing": (("report", "{}/nowhere"), ("no run here",)),
    "report of damaged results": (("report", "{}/damaged"), ("damaged results", "results.json")),
    "report of hollow results": (("report", "{}/hollow"), ("damaged results", "no order")),
    "report of newer results": (("report", "{}/foreign"), ("results of another version", "99")),
    "list of tasks in a folder": (("list", "tasks", "{}"), ("only runs are listed from a folder",)),
    "backbone for a task": (("show", "task", "cola", "--backbone", "minilm"), ("--backbone minilm: a task has no",)),
    "seed for no random choice": (
        ("verify", "{}", "--rerun", "all", "--seed", "3"),
        ("--seed 3: no cells are chosen at random", "found --rerun all"),
    ),
    "clean-up of no store": (("gc", "{}"), ("no run here", "fits and deltas of a store")),
    "clean-up of a store of no known run": (("gc", "{}/shared", "--delete"), ("no run of this store is known",)),
    "store that should forget a run": (("gc", "{}/shared", "--forget", "first"), ("no run is registered", "first")),
    "metric misspelt": (("show", "metric", "forgeting_chaudhry"), ("unknown metric", "forgetting_chaudhry")),
    "task misspelt": (("show", "task", "colla"), ("unknown task", "did you mean cola")),
    "learner out of range": (("show", "learner", "adapter:0"), ("adapter:0", "1 to 1024")),
    "learner of another kind": (("show", "learner", "dora"), ("unknown learner 'dora'",)),
    "cost on no object": (
        ("cost", "--backbone", "{}/hollow", "--suite", "glue9", "--learners", "head"),
        ("damaged config; expected a JSON object; found a list",),
    ),
    "cost on an unknown model": (
        ("cost", "--backbone", "bert-huge", "--suite", "glue9", "--learners", "head"),
        ("bert-huge",),
    ),
    "cost of a suite misspelt": (
        ("cost", "--backbone", "bert-base-uncased", "--suite", "glue", "--learners", "head"),
        ("did you mean glue9",),
    ),
    "cost of too many layers": (
        ("cost", "--backbone", "bert-base-uncased", "--suite", "glue9", "--learners", "topk:13"),
        ("at most 12",),
    ),
}
RESULTS = {"damaged": '{"schema": 1, "suite"', "hollow": '{"schema": 1}', "foreign": '{"schema": 99}'}


def _with_config(world: World, content: str) -> Sequence[str]:
    (world.folder / "a.toml").write_text(content, encoding="utf-8")
    config, out = str(world.folder / "a.toml"), str(world.folder / "run")
    return ["run", "--config", config, "--out", out, "--display", "none"]


def _verb(world: World, arguments: Sequence[str]) -> Sequence[str]:
    for name, content in RESULTS.items():
        (world.folder / name).mkdir()
        (world.folder / name / "results.json").write_text(content, encoding="utf-8")
    (world.folder / "shared" / "fits").mkdir(parents=True)
    (world.folder / "hollow" / "config.json").write_text(json.dumps([]), encoding="utf-8")
    return [argument.replace("{}", str(world.folder)) for argument in arguments]


SETTINGS = (
    *(Case("settings", name, lambda w, s=settings: w.run(**s), words) for name, (settings, words) in RUN.items()),
    *(Case("settings", name, lambda w, t=text: _with_config(w, t), words) for name, (text, words) in CONFIGS.items()),
    *(Case("settings", name, lambda w, g=given: _verb(w, g), words) for name, (given, words) in VERBS.items()),
)

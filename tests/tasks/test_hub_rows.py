"""Every row of tasks/sources/HUB.md: the table, what it says of the hub, and the task that our loader makes of that."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import InputError
from tasks.sources import HubSource
from tasks.sources.originals import ORIGINALS
from tasks.suite import TASKS
from tasks.task import HubAddress
from tests.hub_data import dataset_files
from tests.loopback import COMMIT, Repository, asking, serve

MARKDOWN = (Path(__file__).parents[2] / "tasks" / "sources" / "HUB.md").read_text(encoding="utf-8")
ROWS = 480  # of train: three for each of the labels of the task that has most
HELD = 40  # of every other split


def tables() -> list[list[dict[str, str]]]:
    """The Markdown tables of HUB.md, a dict a row."""
    blocks = re.findall(r"((?:^\|.*\|\n)+)", MARKDOWN, re.MULTILINE)
    parsed = []
    for block in blocks:
        head, _, *rows = ([cell.strip() for cell in line[1:-1].split("|")] for line in block.splitlines())
        parsed.append([dict(zip(head, row, strict=True)) for row in rows])
    return parsed


ON_HUB, ORIGINAL = tables()
KNOWN = {row["task"]: row for row in ON_HUB if row["repository"] != "–"}


def names_of(row: Mapping[str, str]) -> list[str]:
    """Labels of a row of the table in the hub's order; texts made up where it only counts them; [] for numbers."""
    text = row["names of labels"]
    if "number" in text:
        return []
    counted = re.fullmatch(r"(\d+) texts", text)
    return [f"name {index}" for index in range(int(counted[1]))] if counted else text.split(", ")


def test_the_table_says_what_the_loader_asks_for() -> None:
    assert [row["task"] for row in ON_HUB] == list(TASKS)
    for task in TASKS.values():
        row = next(row for row in ON_HUB if row["task"] == task.name)
        if task.hub is None:
            assert {row["repository"], row["splits"]} == {"–"}, task.name
            continue
        text = " + ".join(task.hub.texts)
        said = (row["repository"], row["configuration"], row["text"], row["label"])
        assert said == (task.hub.repository, task.hub.configuration or "–", text, task.hub.label)
        assert {theirs for _, theirs in task.hub.splits} <= set(row["splits"].split(", "))
        assert len(names_of(row)) == (0 if task.kind == "regression" else task.outputs)


def test_where_no_copy_is_known_the_original_is() -> None:
    assert set(ORIGINALS) == {task.name for task in TASKS.values() if task.hub is None}
    said = {row["task"]: (row["published at"], row["text"], row["label"], row["rows"]) for row in ORIGINAL}
    assert said == {name: (file.url, file.text, file.label, file.note) for name, file in ORIGINALS.items()}


@pytest.mark.parametrize("name", sorted(ORIGINALS))
def test_a_task_without_a_copy_says_where_it_was_and_what_to_do(name: str) -> None:
    with pytest.raises(InputError) as caught:
        HubSource().task(name)
    assert ORIGINALS[name].url in str(caught.value)
    assert f"folder:DIR with DIR/{name}.csv" in str(caught.value)


def feature(row: Mapping[str, str]) -> dict[str, Any]:
    """The label's type as a card declares it: whole numbers and texts as such, GLUE's and others' names as classes."""
    names = names_of(row)
    if not names:
        return {"name": row["label"], "dtype": "float32"}
    if all(name.isdigit() for name in names):
        return {"name": row["label"], "dtype": "int64"}
    if row["label"] != "label":
        return {"name": row["label"], "dtype": "string"}
    numbered = {str(index): name for index, name in enumerate(names)}
    return {"name": row["label"], "dtype": {"class_label": {"names": numbered}}}


def label(row: Mapping[str, str], index: int) -> Any:
    names = names_of(row)
    if not names:
        return index % 50 / 10
    as_class = isinstance(feature(row)["dtype"], dict)
    place = index % len(names)
    return place if as_class else int(names[place]) if names[place].isdigit() else names[place]


def columns_of(row: Mapping[str, str], split: str) -> dict[str, list[Any]]:
    """Made-up rows: a text says its column, split and number, so that it can be told where it came from."""
    rows = range(ROWS if split == "train" else HELD)
    hidden = row["repository"] in ("nyu-mll/glue", "aps/super_glue") and split.startswith("test")
    texts = {column: [f"{column} of {split} {i}" for i in rows] for column in row["text"].split(" + ")}
    return {**texts, row["label"]: [-1 if hidden else label(row, i) for i in rows], "idx": list(rows)}


def repositories() -> list[Repository]:
    """Every repository of the table, with all its configurations."""
    rows = {(row["repository"], row["configuration"]): row for row in KNOWN.values()}
    found = []
    for name in dict.fromkeys(repository for repository, _ in rows):
        configurations = {
            configuration.replace("–", "default"): (
                [{"name": column, "dtype": "string"} for column in row["text"].split(" + ")]
                + [feature(row), {"name": "idx", "dtype": "int64"}],
                {split: columns_of(row, split) for split in row["splits"].split(", ")},
            )
            for (repository, configuration), row in rows.items()
            if repository == name
        }
        found.append(Repository("datasets", name, dataset_files(configurations)))
    return found


LOAD_ALL = """
from tasks.sources import open_source
source = open_source("hub")
def told(task):
    data = source.load(task)
    splits = {split: getattr(data, split) for split in ("train", "validation", "test")}
    rows = {s: [x.text, x.text_b, x.target.tolist()] for s, x in splits.items()}
    return {"labels": data.task.labels, "notes": data.notes, "splits": rows}
def answer():
    return {task: told(task) for task in source.names()}
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process that is online makes of each task."""
    with serve(*repositories()) as hub, asking(hub, tmp_path_factory.mktemp("home"), LOAD_ALL) as load:
        found: dict[str, Any] = load()
    return found


def test_all_that_have_an_address_are_loaded(loaded: dict[str, Any]) -> None:
    assert set(loaded) == set(KNOWN)
    assert len(loaded) == 32


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_row_becomes_its_task(loaded: dict[str, Any], name: str) -> None:
    row, task, data = KNOWN[name], TASKS[name], loaded[name]
    names, labels = names_of(row), data["labels"]
    assert sorted(labels) == sorted(names)
    configuration = "" if row["configuration"] == "–" else f" ({row['configuration']})"
    assert data["notes"][0] == f"hub {row['repository']}{configuration} at commit {COMMIT}"
    published = set(row["splits"].split(", "))
    columns, address = row["text"].split(" + "), task.hub
    assert address is not None
    for split, (texts, texts_b, targets) in data["splits"].items():
        assert (texts_b is None) == (len(columns) == 1 or bool(address.template)) == (task.kind == "single")
        assert len(texts) == len(targets) > 0
        for number, (text, target) in enumerate(zip(texts, targets, strict=True)):
            of, index = re.search(rf"{columns[0]} of (\w+) (\d+)", text).groups()  # type: ignore[union-attr]
            assert of == from_split(name, split, published)
            cells = {column: f"{column} of {of} {index}" for column in columns}
            assert text == (address.template.format(**cells) if address.template else cells[columns[0]])
            assert texts_b is None or texts_b[number] == cells[columns[1]]
            expected = label(row, int(index))
            if names:
                assert labels[target] == names[int(index) % len(names)]
            else:
                assert target == pytest.approx(expected)


@pytest.mark.parametrize(
    ("address", "texts"),
    [
        (HubAddress("a/b"), ("text",)),
        (HubAddress("a/b", text="one", text_b="two"), ("one", "two")),
        (HubAddress("a/b", template="{c}: {d}\n{c}"), ("c", "d", "c")),
    ],
)
def test_the_columns_that_texts_come_from(address: HubAddress, texts: tuple[str, ...]) -> None:
    assert address.texts == texts


def test_a_template_does_not_change_the_text_of_an_address() -> None:
    """`HubSource.fingerprint` hashes it, so the data that earlier versions encoded stay valid."""
    assert str(HubAddress("a/b")) == (
        "HubAddress(repository='a/b', configuration=None, text='text', text_b=None, label='label', splits=())"
    )


def from_split(name: str, split: str, published: Sequence[str] | set[str]) -> str:
    """The published split that our split's rows come from: GLUE's test has no labels, so validation stands for it."""
    if split != "test" or published == {"train"}:
        return "train"
    if name.startswith("mnli"):
        return "validation_mismatched" if name == "mnli_mm" else "validation_matched"
    return "validation" if "validation" in published else "test"

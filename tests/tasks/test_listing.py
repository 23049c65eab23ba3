from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.config.settings import RunConfig
from stream.engine.names import resolve_names
from tasks.errors import InputError
from tasks.sources import FolderSource, open_source
from tasks.suite import TASK_NAME, TASKS
from tests.tasks.test_folder import GOOD, put

FORMS = {"file": ["{0}.csv"], "folder": ["{0}/{0}.CSV"], "splits": ["{0}/TRAIN.csv", "{0}/Dev.csv"]}
WORDS = ("mr", "trec", "subj", "sst-2", "agn_title", "x.y", "a", *list(TASKS)[:4])


@st.composite
def capitals(draw: st.DrawFn) -> str:
    """A word, each letter small or large."""
    return "".join(draw(st.sampled_from((c, c.upper()))) for c in draw(st.sampled_from(WORDS)))


@given(st.lists(capitals(), min_size=1, max_size=6, unique_by=str.lower), st.sampled_from(sorted(FORMS)))
def test_every_name_is_a_task_whatever_its_capitals(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], form: str
) -> None:
    folder = tmp_path_factory.mktemp("capitals")
    for name in names:
        files = {
            "file": [f"{name}.csv"],
            "folder": [f"{name}/{name}.CSV"],
            "splits": [f"{name}/TRAIN.csv", f"{name}/Dev.csv"],
        }
        for file in files[form]:
            put(folder / file, GOOD.encode())
    source = FolderSource(folder)
    expected = {name.lower() if name.lower() in TASKS else name for name in names}
    assert set(source.names()) == expected, "as written; but of known tasks the name in the table"
    assert source.skipped() == ()
    for name in expected:
        assert len(source.files(name)) == len(FORMS[form])


SKIPPED = {
    ".hidden.csv": "hidden",
    "README.tsv": "describes the folder",
    "Licence.csv": "describes the folder",
    "manifest.jsonl": "describes the folder",
    "notes.md": "no data file, which is one of",
    "rte.pkl": "no data file, which is one of",
    "TRAIN.csv": "a part of a task",
    "data.csv.gz": "a part of a task",
    "two words.csv": "not a task name",
    "-x.csv": "not a task name",
    "empty/README.csv": "no data file in it",
}


def test_what_is_no_task_is_told_with_the_reason(tmp_path: Path) -> None:
    plausible = ("MR", "authors", "citation", "credits", "metadata", "notice")
    for name in (*SKIPPED, *(f"{task}.csv" for task in plausible), "readme/data.csv"):
        put(tmp_path / name, GOOD.encode())
    source = FolderSource(tmp_path)
    assert source.names() == (*plausible, "readme")
    assert len(source.load("readme").train) > 0
    told = source.skipped()
    assert len(told) == len(set(SKIPPED.values()))
    for name, why in SKIPPED.items():
        (sentence,) = (sentence for sentence in told if why in sentence)
        assert Path(name).parts[0] in sentence
    assert not any(task in sentence for sentence in told for task in plausible)


@pytest.mark.parametrize("other", ["mine/data.csv", "mine.tsv", "MINE.csv"])
def test_one_name_twice_is_refused_not_chosen(tmp_path: Path, other: str) -> None:
    for name in ("mine.csv", other, "good.csv"):
        put(tmp_path / name, GOOD.encode())
    source = FolderSource(tmp_path)
    assert len(source.files("good")) == 1
    with pytest.raises(InputError, match="cannot choose between these data files of task mine") as caught:
        source.load("mine")
    assert all(name in str(caught.value) for name in ("mine.csv", Path(other).parts[0]))


def test_an_unknown_name_lists_those_of_the_folder(tmp_path: Path) -> None:
    for name in ("MR.csv", "TREC.csv", "RTE.csv"):
        put(tmp_path / name, GOOD.encode())
    with pytest.raises(InputError, match=r"unknown task 'mr'; expected one of rte, MR, TREC; did you mean MR\?"):
        open_source(f"folder:{tmp_path}").task("mr")


def test_a_name_that_is_skipped_says_why(tmp_path: Path) -> None:
    for name in ("good.csv", "mine.json", "empty/notes.txt", "manifest.csv"):
        put(tmp_path / name, GOOD.encode())
    reasons = {
        "mine": r"mine\.json \(no data file, which is one of \.csv, .*\)",
        "empty": r"empty \(no data file in it\)",
        "manifest": r"manifest\.csv \(describes the folder; a task of this name needs a folder of its own\)",
    }
    for source in (f"folder:{tmp_path}", f"folder:{tmp_path}+frames:{tmp_path}"):
        for name, why in reasons.items():
            with pytest.raises(InputError, match=rf"unknown task '{name}'; expected one of good; found {why}"):
                resolve_names(RunConfig(suite=name, source=source))
        with pytest.raises(InputError, match=r"unknown task 'other'; expected one of good$"):
            resolve_names(RunConfig(suite="other", source=source))


@given(st.text(st.characters(exclude_characters="/"), max_size=20))
def test_any_file_name_is_a_task_or_told(tmp_path_factory: pytest.TempPathFactory, stem: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    put(folder / "good.csv", GOOD.encode())
    try:
        (folder / f"{stem}.csv").write_text(GOOD, encoding="utf-8")
    except (OSError, ValueError):  # no name for a file
        return
    source = FolderSource(folder)
    is_task = len(source.names()) + (stem == "good") == 2
    assert is_task != any("not a task" in sentence for sentence in source.skipped())
    assert all(TASK_NAME.fullmatch(name) for name in source.names())

"""The figures for papers: which there are, that they can be read again, and that names cannot break them."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from stream.report import plots
from stream.results.intervals import interval
from stream.results.results import Results
from tests.runs import call

from .fake_results import HOULSBY26, make_results
from .test_failures import failing

if importlib.util.find_spec("matplotlib") is None:
    pytest.skip("matplotlib is not installed (extra plots)", allow_module_level=True)

THREE = ["head", "layernorm", "full:sequential"]


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def words(path: Path) -> list[str]:
    """The text of an SVG, element by element."""
    return ["".join(element.itertext()) for element in ElementTree.parse(path).iter() if element.tag.endswith("}text")]


def saved(folder: Path, results: dict[str, Any]) -> Path:
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(results))
    return folder


def drawn(document: dict[str, Any], folder: Path, form: str) -> list[Path]:
    """The figures of a run alone."""
    results = Results.from_dict(document)
    return plots.write(results, [results], folder, form)


def test_every_figure_and_its_text_and_the_same_bytes_again(tmp_path: Path) -> None:
    results = make_results(HOULSBY26[:5], THREE)
    written = drawn(results, tmp_path, "svg")
    maps = ["R-1-head.svg", "R-2-layernorm.svg", "R-3-full-sequential.svg"]
    assert names(written) == ["growth.svg", "trade_off.svg", "forgetting.svg", *maps]
    for path in written[:2]:
        assert {f"{letter}  {name}" for letter, name in zip("abc", THREE, strict=True)} <= set(words(path))
    assert set(HOULSBY26[:5]) <= set(words(tmp_path / "forgetting.svg"))
    assert {"full:sequential", "before", *"12345", *HOULSBY26[:5]} <= set(words(tmp_path / "R-3-full-sequential.svg"))
    (tmp_path / "again").mkdir()
    again = drawn(results, tmp_path / "again", "svg")
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in written], "same results, same bytes"


def test_png(tmp_path: Path) -> None:
    folder = saved(tmp_path / "run", make_results(HOULSBY26[:3], ["head"]))
    answer = call("report", str(folder), "--png", str(tmp_path / "pictures"), "--display", "json")
    assert (answer.code, answer.err) == (0, "")
    files = [Path(file) for file in json.loads(answer.out)["files"]]
    assert names(files) == ["growth.png", "trade_off.png", "R-1-head.png"]
    assert all(file.read_bytes().startswith(b"\x89PNG\r\n") for file in files)


def test_seeds_side_by_side_give_a_league_with_intervals(tmp_path: Path) -> None:
    runs = [make_results(HOULSBY26[:4], THREE, seed=seed) for seed in range(3)]
    for seed, results in enumerate(runs):
        saved(tmp_path / f"seed{seed}", results)
    saved(tmp_path / "seed7", make_results(HOULSBY26[:4], THREE, arrivals=2, seed=7))  # not at its end
    saved(tmp_path / "seed8", make_results(HOULSBY26[:3], THREE, seed=8))  # other tasks
    (saved(tmp_path / "seed9", {}) / "results.json").write_text("torn")
    found = plots.same_run_other_seeds(tmp_path / "seed1", Results.from_dict(runs[1]))
    assert [results.seed for results in found] == [0, 1, 2]
    written = plots.write(Results.from_dict(runs[1]), found, tmp_path, "svg")
    assert "league.svg" in names(written)
    best = max(THREE, key=lambda name: sum(run["learners"][name]["metrics"]["average_accuracy"] for run in runs))
    lines = [word for word in words(tmp_path / "league.svg") if word[1:3] == "  "]
    assert lines[0].endswith(best)
    assert len(lines) == 3


def test_a_run_of_its_own_has_no_league(tmp_path: Path) -> None:
    document = make_results(HOULSBY26[:4], ["head"])
    folder = saved(tmp_path / "first", document)
    saved(tmp_path / "seed0", document)
    results = Results.from_dict(document)
    assert plots.same_run_other_seeds(folder, results) == [results]


def test_intervals_are_those_of_the_tables() -> None:
    found = interval([1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.half == pytest.approx(4.302653 / 3**0.5, abs=1e-6)  # t table: 97.5 %, 2 degrees of freedom
    assert interval([1.0]).half is None


@pytest.mark.parametrize(
    "results",
    [
        make_results(["cola"], THREE),
        make_results(HOULSBY26[:4], THREE, arrivals=0),
        make_results(HOULSBY26[:4], THREE, arrivals=1),
        failing("layernorm", (1, 3)),
        failing("full:sequential", (0, 1, 2, 3)),
    ],
    ids=["one task", "nothing done", "one arrival", "failures", "all failed"],
)
def test_any_state_of_a_run(tmp_path: Path, results: dict[str, Any]) -> None:
    written = drawn(results, tmp_path, "svg")
    assert len(written) == 6
    assert all(ElementTree.parse(path).getroot().tag.endswith("svg") for path in written)


def test_hostile_names_are_text_and_stay_in_the_folder(tmp_path: Path) -> None:
    results = make_results(["$\\frac{$ & <b>", "rte"], THREE)
    results["learners"] = {"../../$a_b$": results["learners"]["head"], "_<b>&": results["learners"]["full:sequential"]}
    folder = tmp_path / "pictures"
    folder.mkdir()
    written = drawn(results, folder, "svg")
    assert all(path.parent == folder for path in written)
    assert sorted(folder.iterdir()) == sorted(written)
    assert "a  ../../$a_b$" in words(folder / "growth.svg")
    assert "b  _<b>&" in words(folder / "growth.svg")
    assert "$\\frac{$ & <b>" in words(folder / "forgetting.svg")


def test_without_matplotlib_one_line_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved(tmp_path / "run", make_results(HOULSBY26[:3], ["head"]))
    monkeypatch.setattr(plots, "find_spec", lambda name: None)
    answer = call("report", str(folder), "--svg", str(tmp_path / "pictures"))
    assert (answer.code, answer.out) == (2, "")
    assert answer.errors == ["error: --svg: matplotlib is not installed; pip install 'taskstream[plots]'"]

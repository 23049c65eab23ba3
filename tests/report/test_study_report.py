"""The report of studies: on the terminal at any width, and as tables for other programs."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from stream import load_study
from stream.report.terminal.study import print_study
from tests.report.fake_results import HOULSBY26, LEARNERS
from tests.report.rendering import console, too_wide
from tests.runs import call
from tests.stream.study.fake_study import save_run, save_study

ORDER = ["cola", "sst2", "mrpc", "stsb", "rte", "sms_spam"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_study(tmp_path_factory.mktemp("study") / "seeds", ORDER, list(LEARNERS), orders=2)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_report_fits_the_page(folder: Path, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    answer = call("report", str(folder), "--display", "plain")
    assert (answer.code, answer.err) == (0, "")
    assert too_wide(answer.out, width) == []
    study, screen = load_study(folder), console(width, ascii_only=True)  # which refuses other letters
    print_study(study, screen)
    assert too_wide(screen.export_text(), width) == []
    for word in ("Means over seeds", "Paired differences", "Average ranks", "critical difference", "seeds 0-2"):
        assert word in answer.out
    assert all(name.split(":")[0] in answer.out for name in LEARNERS)
    best = load_study(folder).summary().sort_values("average_accuracy").iloc[-1]
    half = f"{100 * best['average_accuracy']:.1f} ±{100 * best['average_accuracy_half']:.1f}"
    assert half in answer.out.replace("± ", "±")


def test_a_study_of_many_learners_names_the_pairs_with_the_best(tmp_path: Path) -> None:
    names = [*LEARNERS, "adapter:8"]
    for seed in (0, 1):
        save_run(tmp_path / f"s{seed}", ORDER, list(LEARNERS), seed)
        document = json.loads((tmp_path / f"s{seed}" / "results.json").read_text())
        document["learners"]["adapter:8"] = {**document["learners"]["adapter:64"], "spec": "adapter:8"}
        (tmp_path / f"s{seed}" / "results.json").write_text(json.dumps(document))
    answer = call("report", str(tmp_path / "s0"), str(tmp_path / "s1"))
    assert f"of {len(names) * (len(names) - 1) // 2} pairs" in answer.out
    document = json.loads(call("report", str(tmp_path / "s0"), str(tmp_path / "s1"), "--display", "json").out)
    scores = [entry for entry in document["comparisons"] if entry["metric"] == "average_accuracy"]
    assert len(scores) == len(names) * (len(names) - 1) // 2


def test_tables_for_other_programs(folder: Path, tmp_path: Path) -> None:
    files = {form: tmp_path / f"table.{form}" for form in ("csv", "tex", "md")}
    given = [part for form, file in files.items() for part in (f"--{form}", str(file))]
    answer = call("report", str(folder), *given, "--display", "json")
    assert (answer.code, json.loads(answer.out)) == (0, {"files": [str(file) for file in files.values()]})
    study = load_study(folder)
    with files["csv"].open() as file:
        rows = {row["learner"]: row for row in csv.DictReader(file)}
    assert list(rows) == list(study.document["learners"])
    for name, numbers in study.document["learners"].items():
        assert float(rows[name]["average_accuracy"]) == numbers["average_accuracy"]["mean"]
        assert float(rows[name]["average_accuracy_half"]) == numbers["average_accuracy"]["half"]
    tex, md = files["tex"].read_text(), files["md"].read_text()
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert tex.count(rule) == 2, "two tables, as booktabs has them"
    assert tex.count("{") == tex.count("}")
    assert "±" not in tex
    found = study.document["learners"]["head"]["average_accuracy"]
    assert found["half"] is not None
    mean, half = (f"{100 * found[of]:.1f}" for of in ("mean", "half"))  # type: ignore[literal-required]
    assert rf"head & {mean} $\pm$ {half} &" in tex
    assert f"| head | {mean} ± {half} |" in md
    lines = [line for line in md.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(LEARNERS) + 2 + len(LEARNERS) * (len(LEARNERS) - 1) // 2
    assert {line.count("|") for line in lines[: 2 + len(LEARNERS)]} == {7}


def test_special_letters_of_latex(tmp_path: Path) -> None:
    out = save_study(tmp_path / "s", ORDER, ["head", "majority"])
    for path in out.glob("*/results.json"):
        path.write_text(path.read_text().replace('"majority"', '"peft:{a_b=50%}"'))
    assert call("report", str(out), "--tex", str(tmp_path / "a.tex")).code == 0
    assert r"peft:\{a\_b=50\%\}" in (tmp_path / "a.tex").read_text()


def test_one_run_alone_has_tables_too(folder: Path, tmp_path: Path) -> None:
    """Without an interval, as one seed has none."""
    answer = call("report", str(folder / "seed0-paper"), "--md", str(tmp_path / "a.md"))
    assert answer.code == 0
    caption, means = (tmp_path / "a.md").read_text().split("\n\n")[:2]
    assert caption.startswith("One seed, 1 order of 6 tasks, in points (×100); one seed: no interval.")
    assert len(means.splitlines()) == 2 + len(LEARNERS)
    assert "±" not in means


def test_tables_stand_alone(folder: Path, tmp_path: Path) -> None:
    files = {form: tmp_path / f"table.{form}" for form in ("tex", "md")}
    call("report", str(folder), *(part for form, file in files.items() for part in (f"--{form}", str(file))))
    tex, md = (file.read_text() for file in files.values())
    for text in (tex, md):
        for words in ("Means over 3 seeds, 2 orders of 6 tasks", "Growth: all kept", "Rank: mean place", "p (Holm)"):
            assert words in text
    assert "95\\,\\% intervals" in tex
    assert not re.search(r"(?<!\\)%(?! needs)", tex), "a comment would end the line"


def test_pictures(folder: Path, tmp_path: Path) -> None:
    """Of all learners, with the same colours and signs; the same numbers give the same bytes."""
    given = [str(folder), "--svg", str(tmp_path / "a"), "--png", str(tmp_path / "a")]
    answer = call("report", *given, "--display", "json")
    assert (answer.code, answer.err) == (0, "")
    files = [Path(file) for file in json.loads(answer.out)["files"]]
    assert [file.name for file in files] == ["scores.png", "ranks.png", "scores.svg", "ranks.svg"]
    assert files[0].read_bytes().startswith(b"\x89PNG")
    for file in files[2:]:
        text = file.read_text()
        assert all(f"  {name}" in text for name in LEARNERS if len(name) <= 34)
    assert "critical difference" in files[3].read_text()
    before = [file.read_bytes() for file in files]
    call("report", *given)
    assert [file.read_bytes() for file in files] == before


def test_nothing_is_cut_off_in_pictures(folder: Path, tmp_path: Path) -> None:
    """Around all that is drawn, there is an edge of empty space."""
    image = pytest.importorskip("matplotlib.image")
    assert call("report", str(folder), "--png", str(tmp_path)).code == 0
    for name in ("ranks", "scores"):
        pixels = image.imread(tmp_path / f"{name}.png")[..., :3]
        assert pixels.min() < 0.5
        assert min(part.min() for part in (pixels[:9], pixels[-9:], pixels[:, :9], pixels[:, -9:])) == 1


def test_a_page_is_of_one_run(folder: Path, tmp_path: Path) -> None:
    others = [part for form in ("tex", "md", "csv") for part in (f"--{form}", str(tmp_path / f"a.{form}"))]
    answer = call("report", str(folder), "--html", str(tmp_path / "a.html"), *others)
    assert answer.code == 2
    assert "--html is for one run" in answer.err
    assert f"{folder} is a study of 6 members" in answer.err
    assert f"use --tex, --md, --csv, --png or --svg, or name {folder / 'seed0-paper'}" in answer.err
    assert [*tmp_path.iterdir()] == []
    two = call("report", str(folder / "seed0-paper"), str(folder / "seed1-paper"), "--html", str(tmp_path / "a.html"))
    assert "2 folders" in two.err
    both = call("report", str(folder), str(tmp_path / "none"))
    assert both.code == 2
    assert "no run here" in both.err


def test_26_tasks_are_22_groups(tmp_path: Path) -> None:
    out = save_study(tmp_path / "s", HOULSBY26, ["head", "adapter:64", "layernorm"], seeds=[0, 1])
    document = load_study(out).document
    assert document["ranks"] is not None
    assert document["ranks"]["blocks"] == 22
    assert {entry["groups"] for entry in document["comparisons"]} == {22}
    assert [len(group) for group in document["groups"]] == [2, 3, 2]


def choosing(out: Path) -> Path:
    """Save a study of 3 seeds in 2 orders whose learner with alternatives chooses 8 on cola; and on rte 8, 64, 64."""
    save_study(out, ["cola", "rte", "sst2"], ["adapter:64", "head"], orders=2)
    for path in out.glob("*/results.json"):
        document = json.loads(path.read_text())
        learner, seed = document["learners"].pop("adapter:64"), document["seed"]
        sizes = {"cola": 8, "rte": 64 if seed else 8}
        learner["selection"] = {
            task: {"chosen": f"adapter:{m}", "candidates": {"adapter:8": 0.5, "adapter:64": 0.6, "adapter:256": 0.1}}
            for task, m in sizes.items()
        }
        learner["fits"] = {"cola": {"validation": [0.25, 0.75], "best": 1}}
        document["learners"] = {"adapter:8/64/256": learner | {"spec": "adapter:8/64/256"}, **document["learners"]}
        path.write_text(json.dumps(document))
    return out


def test_what_was_chosen_is_counted_over_seeds(tmp_path: Path) -> None:
    out = choosing(tmp_path / "s")
    answer = call("report", str(out), "--display", "plain")
    assert "Chosen, by task" in answer.out
    lines = [line.strip() for line in answer.out.splitlines()]
    assert {"cola: 8 ×3", "rte: 64 ×2, 8 ×1", "never chosen: 256"} <= {*lines}
    assert not any(line.startswith("sst2:") for line in lines)
    assert call("report", str(out), "--md", str(tmp_path / "a.md")).code == 0
    assert "| rte | 64 ×2, 8 ×1 |" in (tmp_path / "a.md").read_text()
    assert call("report", str(out), "--tex", str(tmp_path / "a.tex")).code == 0
    assert r"rte & 64 $\times$2, 8 $\times$1 \\" in (tmp_path / "a.tex").read_text()


def test_the_frame_of_choices(tmp_path: Path) -> None:
    frame = load_study(choosing(tmp_path / "s")).selection()
    assert list(frame) == ["seed", "order", "learner", "task", "chosen", "score"]
    assert len(frame) == 3 * 2 * 2
    first = frame[(frame["seed"] == 1) & (frame["order"] == "seed:1")].set_index("task")
    assert first["chosen"].to_dict() == {"cola": "adapter:8", "rte": "adapter:64"}
    assert first["score"].to_dict() == {"cola": 0.75, "rte": 0.6}  # of the kept fit, if it is known
    assert len(load_study(save_study(tmp_path / "t", ["cola"], ["head"])).selection()) == 0


def test_words_that_a_reader_needs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = call("report", str(folder), "--display", "plain").out
    for words in (
        "verdict",
        "open: not shown to differ (Holm's p >= 0.05)",
        "rank: mean place among the learners over groups of tasks, 1 is best",
        "both treated as random",
        "left out: the pairs of 7 learners that are 0 everywhere",
    ):
        assert words in text
    for column in ("lowest", "highest", "BWT"):  # a caption only of columns that this width has room for
        assert (f"{column}:" in text) == (text.count(column) > 1)
    assert "highest" not in text
    assert "★" in text
    assert " ★" not in text.partition("★ best")[0].rpartition("score:")[0]

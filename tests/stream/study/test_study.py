"""study.json and the Python results of a study: what is averaged, what n is, and what is compared with what."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stream import InputError, load_results, load_study
from stream.results.intervals import interval
from stream.study.document import SCORE
from stream.study.gather import document_together, gather
from stream.study.statistics import METHOD, METHOD_ONE_GROUP, METHOD_SEEDS, NO_SPREAD, ORDERS_ADDED, mean_over, paired
from tests.stream.study.fake_study import save_run, save_study

TASKS = ["cola", "mnli_m", "rte", "mnli_mm", "sst2"]
LEARNERS = ["adapter:64", "full:sequential", "head"]
KEYS = {"a", "b", "metric", "difference", "half", "p", "method"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_study(tmp_path_factory.mktemp("study") / "s", TASKS, LEARNERS, orders=2)


def test_means_of_isolated_learners_are_over_seeds_and_orders_are_no_draws(folder: Path) -> None:
    study = load_study(folder)
    document = json.loads((folder / "study.json").read_text())
    assert document == study.as_dict()
    assert [each["folder"] for each in document["members"]][:3] == ["seed0-paper", "seed0-seed1", "seed1-paper"]
    assert all(each["finished"] for each in document["members"])
    for name in LEARNERS:
        found = document["learners"][name]["average_accuracy"]
        values = [[run[name].metrics["average_accuracy"] for run in (study.members[f"seed{n}-paper"],
                   study.members[f"seed{n}-seed1"])] for n in range(3)]  # fmt: skip
        if name == "full:sequential":  # six units
            assert (found["n"], found["seeds"], found["over"]) == (6, 3, "seeds and orders")
            assert found["half"] == pytest.approx(paired(np.array(values), [[0], [1]]).half)
        else:
            expected = interval([sum(each) / 2 for each in values])
            assert [found["mean"], found["half"]] == pytest.approx(expected[:2])
            assert (found["n"], found["seeds"], found["over"]) == (3, 3, "seeds")
        assert (found["lowest"], found["highest"]) == (min(map(min, values)), max(map(max, values)))
        assert found["median"] == sorted(sum(each) / 2 for each in values)[1]
        assert "growth_without_heads" in document["learners"][name]
        assert "search_flops" not in document["learners"][name]
    # An isolated learner has the same scores in both orders: half as many runs give the same document.
    alone = load_study(save_study(folder.parent / "one order", TASKS, LEARNERS)).document
    assert alone["learners"]["head"] == document["learners"]["head"]
    pair = [[e for e in d["comparisons"] if {e["a"], e["b"]} == {"head", "adapter:64"}] for d in (alone, document)]
    assert pair[0] == pair[1] != []


def test_orders_are_draws_of_a_sequential_learner(tmp_path: Path) -> None:
    """Its scores in one order are higher; an isolated learner has the same ones."""
    out = save_study(tmp_path, TASKS, LEARNERS, seeds=[0, 1], orders=3)
    for path in out.glob("*/results.json"):
        document = json.loads(path.read_text())
        learner = document["learners"]["full:sequential"]
        rise = 0.05 * (path.parent.name.endswith("paper")) + 0.01 * path.parent.name.startswith("seed1")
        learner["R"][-1] = [score + rise for score in learner["R"][-1]]
        learner["metrics"]["average_accuracy"] = sum(learner["R"][-1]) / len(TASKS)
        path.write_text(json.dumps(document))
    study = load_study(out)
    entries = [entry for entry in study.document["comparisons"] if entry["metric"] == SCORE]
    pairs = {frozenset((entry["a"], entry["b"])): entry for entry in entries}
    still = pairs[frozenset(("adapter:64", "head"))]
    assert (still["orders"], still["method"]) == (1, METHOD)
    moved = pairs[frozenset(("full:sequential", "head"))]
    assert (moved["orders"], moved["method"]) == (3, METHOD + ORDERS_ADDED)
    found = study.document["learners"]["full:sequential"][SCORE]
    values = [[study.members[f"seed{s}-{o}"]["full:sequential"].metrics[SCORE] for o in ("paper", "seed1", "seed2")]
              for s in range(2)]  # fmt: skip
    assert [found["mean"], found["half"]] == pytest.approx(mean_over(np.array(values))[:2])
    assert (found["n"], found["over"]) == (6, "seeds and orders")
    one = load_study(save_study(tmp_path / "one", TASKS, LEARNERS, seeds=[0], orders=3)).document["learners"]
    assert [one[name][SCORE]["over"] for name in LEARNERS] == ["seeds", "orders", "seeds"]
    assert [one[name][SCORE]["n"] for name in LEARNERS] == [1, 3, 1]


def test_derived_statistics_have_ten_digits(folder: Path) -> None:
    """Another version of SciPy may differ in the last bits, and `verify` compares bytes."""
    document = load_study(folder).document
    ranks = document["ranks"]
    assert ranks is not None
    found: list[float | None] = [*ranks["average"].values(), ranks["friedman_chi2"], ranks["friedman_p"]]
    found += [ranks["critical_difference"]]
    for entry in document["comparisons"]:
        found += [entry["difference"], entry["half"], entry["p"], entry["p_holm"], entry["degrees_of_freedom"]]
    found += [entry["half"] for numbers in document["learners"].values() for entry in numbers.values()]
    known = [value for value in found if value is not None]
    assert len(known) > 20
    assert all(value == float(f"{value:.10g}") for value in known)


def test_differences_are_paired_and_mnli_is_one_group(folder: Path) -> None:
    study = load_study(folder)
    entries = study.document["comparisons"]
    assert all(entry.keys() >= KEYS for entry in entries)
    entry = next(e for e in entries if (e["a"], e["b"], e["metric"]) == ("adapter:64", "head", "average_accuracy"))
    rows = []
    for seed in range(3):
        results = study.members[f"seed{seed}-paper"]
        rows.append([a - b for a, b in zip(results["adapter:64"].matrix[-1], results["head"].matrix[-1], strict=True)])
    expected = paired(np.array(rows), [[0], [1, 3], [2], [4]])
    assert (entry["difference"], entry["half"], entry["p"]) == pytest.approx(expected[:3])
    assert (entry["seeds"], entry["tasks"], entry["groups"]) == (3, 5, 4)
    assert study.document["groups"] == [["mnli_m", "mnli_mm"]]
    ranks = study.document["ranks"]
    assert ranks is not None
    assert ranks["blocks"] == 4
    assert sum(ranks["average"].values()) == pytest.approx(6)
    means = {name: study.document["learners"][name]["average_accuracy"]["mean"] for name in LEARNERS}
    assert entry["difference"] == pytest.approx(means["adapter:64"] - means["head"])


def test_learners_that_never_forget_are_not_compared_in_it(folder: Path) -> None:
    entries = [e for e in load_study(folder).document["comparisons"] if e["metric"] == "forgetting_chaudhry"]
    assert {frozenset((e["a"], e["b"])) for e in entries} == {
        frozenset(("full:sequential", other)) for other in ("head", "adapter:64")
    }


def test_frames(folder: Path) -> None:
    study = load_study(folder)
    scores = study.frame()
    assert list(scores.columns)[:5] == ["member", "member_seed", "member_order", "learner", "arrival"]
    assert len(scores) == sum(len(results.frame()) for results in study.members.values())
    summary = study.summary().set_index("learner")
    found = study.document["learners"]["head"]["average_accuracy"]
    assert summary.loc["head", "average_accuracy"] == found["mean"]
    assert summary.loc["head", "average_accuracy_half"] == found["half"]
    pairs = study.comparisons()
    assert list(pairs["method"].unique()) == [METHOD]
    assert len(pairs) == 3
    assert list(study.comparisons("fwt_gem").columns) == list(pairs.columns)  # None in every run: no row
    assert "3 of" not in repr(study)
    assert "head" in repr(study)
    assert "<table>" in study._repr_html_()
    with pytest.raises(InputError, match="did you mean bwt_gem"):
        study.comparisons("bwt_gemm")


def test_a_metric_that_is_no_mean_over_tasks_is_compared_over_seeds(tmp_path: Path) -> None:
    out = save_study(tmp_path, TASKS, LEARNERS)
    for path in out.glob("*/results.json"):
        document = json.loads(path.read_text())
        for place, learner in enumerate(document["learners"].values()):
            learner["metrics"]["mine"] = place + document["seed"] * 0.1 * place
        path.write_text(json.dumps(document))
    (first, *_) = load_study(out).comparisons("mine").to_dict("records")
    assert (first["method"], first["difference"], first["groups"]) == (METHOD_SEEDS, pytest.approx(-1.1), 1)


def test_one_task_with_equal_seeds_has_no_interval_and_no_p(tmp_path: Path) -> None:
    """Holm's correction does not count such a comparison."""
    out = save_study(tmp_path, TASKS[:1], LEARNERS)
    for path in out.glob("*/results.json"):
        document = json.loads(path.read_text())
        for name, score in (("head", 0.5), ("adapter:64", 0.6)):
            document["learners"][name]["R"][-1] = [score]
        path.write_text(json.dumps(document))
    entries = {(e["a"], e["b"]): e for e in load_study(out).document["comparisons"] if e["metric"] == SCORE}
    same = entries.pop(("adapter:64", "head"))
    assert same["difference"] == pytest.approx(0.1)
    assert (same["half"], same["p"], same["p_holm"], same["degrees_of_freedom"]) == (None,) * 4
    assert same["method"] == METHOD_ONE_GROUP + NO_SPREAD
    assert {entry["method"] for entry in entries.values()} == {METHOD_ONE_GROUP}
    p = [entry["p"] for entry in entries.values() if entry["p"] is not None]
    corrected = [entry["p_holm"] for entry in entries.values() if entry["p_holm"] is not None]
    assert len(p) == 2
    assert min(corrected) == pytest.approx(min(1, 2 * min(p)))


def test_an_unfinished_study_counts_the_seeds_that_have_every_order(tmp_path: Path) -> None:
    out = save_study(tmp_path, TASKS, LEARNERS, orders=2)
    whole = load_study(out).document
    (out / "seed2-seed1" / "results.json").unlink()
    document = load_study(out).document
    assert [each["finished"] for each in document["members"]] == [True] * 5 + [False]
    assert document["learners"]["head"]["average_accuracy"]["n"] == 2
    assert whole["learners"]["head"]["average_accuracy"]["n"] == 3
    for path in out.glob("*/results.json"):
        path.unlink()
    assert load_study(out).document["learners"] == {}
    assert load_study(out).summary().empty
    assert load_study(out).frame().empty


def test_one_seed_has_no_interval_over_seeds(tmp_path: Path) -> None:
    document = load_study(save_study(tmp_path, TASKS, LEARNERS, seeds=[4], orders=2)).document
    assert document["learners"]["head"]["average_accuracy"]["half"] is None
    scores = [entry for entry in document["comparisons"] if entry["metric"] == SCORE]
    assert all(entry["half"] is not None for entry in scores)  # over tasks


def test_runs_that_differ_in_the_seed_are_one_study(tmp_path: Path) -> None:
    for seed in (0, 1):
        save_run(tmp_path / f"run{seed}", TASKS, LEARNERS, seed)
    save_run(tmp_path / "other", TASKS, ["head"], 0)
    folders = [tmp_path / name for name in ("run0", "run1", "other")]
    studies = gather(folders)
    assert [len(study.members) for study in studies] == [2, 1]
    document = document_together(studies)
    assert list(document["learners"]) == ["adapter:64", "full:sequential", "head (run0)", "head (other)"]
    assert [document["learners"][f"head ({name})"]["average_accuracy"]["n"] for name in ("run0", "other")] == [2, 1]
    entry = next(e for e in document["comparisons"] if (e["a"], e["b"]) == ("head (run0)", "head (other)"))
    assert (entry["seeds"], entry["difference"], entry["p"]) == (1, 0, 1)  # paired on the seed that both have
    with pytest.raises(InputError, match="twice"):
        gather([folders[0], folders[0]])


@pytest.mark.parametrize(
    ("part", "entry"), [("settings", {"select": "halving"}), ("tasks", {TASKS[0]: {"validation": 7}})]
)
def test_runs_of_different_searches_are_no_seeds_of_one_study(tmp_path: Path, part: str, entry: dict[str, Any]) -> None:
    """The choice rests on how alternatives are searched, and on the validation rows."""
    for seed in (0, 1):
        save_run(tmp_path / f"run{seed}", TASKS, ["head"], seed)
    file = tmp_path / "run1" / "results.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    for name, value in entry.items():
        section = document.setdefault(part, {})
        section[name] = section[name] | value if name in section else value
    file.write_text(json.dumps(document), encoding="utf-8")
    assert len(gather([tmp_path / "run0", tmp_path / "run1"])) == 2


def test_studies_without_a_common_seed_are_compared_by_their_means(tmp_path: Path) -> None:
    a = save_study(tmp_path / "a", TASKS, ["head"], seeds=[0, 1])
    b = save_study(tmp_path / "b", TASKS, ["adapter:64"], seeds=[2, 3, 4])
    (entry, *_) = document_together(gather([a, b]))["comparisons"]
    means = [load_study(path).document["learners"] for path in (a, b)]
    head, adapter = means[0]["head"]["average_accuracy"], means[1]["adapter:64"]["average_accuracy"]
    assert (entry["a"], entry["b"], entry["seeds"]) == ("head", "adapter:64", 1)
    assert entry["difference"] == pytest.approx(head["mean"] - adapter["mean"])


def test_the_results_of_a_learner_are_those_of_a_member(folder: Path) -> None:
    study = load_study(folder)
    with pytest.raises(InputError, match="a study has members") as caught:
        study["head"]
    assert "study.members['seed0-paper']['head'], or study.summary()" in str(caught.value)
    assert study.members["seed0-paper"]["head"].matrix.shape[1] == len(TASKS)


@pytest.mark.parametrize(("setting", "value"), [("test", 150), ("data_seed", 7), ("max_length", 32)])
def test_scores_on_different_test_samples_are_not_compared(setting: str, value: int, tmp_path: Path) -> None:
    """The limits of a run change which rows are scored, and not the content id of the data."""
    for name, learner in (("a", "head"), ("b", "adapter:64")):
        save_run(tmp_path / name, TASKS, [learner], 0)
        path = tmp_path / name / "results.json"
        document = json.loads(path.read_text())
        document["settings"] = {"data_seed": 0, "max_length": 128}
        for about in document["tasks"].values():
            about["data_id"] = "0123"
        if name == "b" and setting == "test":
            document["tasks"]["rte"]["test"] = value
        elif name == "b":
            document["settings"][setting] = value
        document.pop("max_length", None)  # where the first versions wrote it
        path.write_text(json.dumps(document))
    with pytest.raises(InputError, match="scores are on different test samples") as told:
        document_together(gather([tmp_path / "a", tmp_path / "b"]))
    assert len(told.value.errors) == (1 if setting == "test" else len(TASKS))
    assert f"{value} test" in str(told.value) or f"{setting} {value}" in str(told.value)


def test_what_is_no_study(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InputError, match="no study here"):
        load_study(tmp_path)
    with pytest.raises(InputError, match="this is a study; name one of its members: seed0-paper"):
        load_results(folder)
    for text, words in (("{", "damaged"), ('{"schema": 9}', "another version"), ("[]", "another version")):
        (tmp_path / "study.json").write_text(text)
        with pytest.raises(InputError, match=words):
            load_study(tmp_path)
    outside = {"schema": 1, "members": [{"folder": "../x", "seed": 0, "order": "paper"}]}
    (tmp_path / "study.json").write_text(json.dumps(outside))
    with pytest.raises(InputError, match="folder, seed and order"):
        load_study(tmp_path)


def test_the_document_is_strict_json(folder: Path) -> None:
    def refuse(constant: str) -> float:
        raise AssertionError(constant)

    document = json.loads((folder / "study.json").read_text(), parse_constant=refuse)
    assert all(math.isfinite(entry["mean"]) for each in document["learners"].values() for entry in each.values())

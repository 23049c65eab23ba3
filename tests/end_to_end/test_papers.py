"""The table of the papers' claims at a tiny size: counts, a claim of a study, finished runs, another domain."""

from __future__ import annotations

import importlib
import tomllib
from pathlib import Path

import pytest

from tests.end_to_end.test_experiments import SCRIPTS, TINY, call, read

# What `cost` must give for the papers' counts, and whether the paper's number agrees.
COUNTS = {
    "AB-base": ("64,524", "holds"), "AB-large": ("172,056", "holds"), "AB-fewest": ("30,721", "holds"),
    "H-64-count": ("2.13 %", "holds"), "H-64-growth": ("1.17305", "holds"), "H-full-9": ("9", "holds"),
    "H-full-17": ("17", "holds"), "H-sizes-mix": ("1.30922 (1.02514 to 1.68016 for all choices)", "holds"),
    "H-17-mix": ("1.19212 (1.02028 to 1.37541 for all choices)", "holds"),
    "H-variable-mix": ("9.86937 (2.10058 to 14.2069 for all choices)", "holds"),
    "H-top1-9M": ("7,678,464", "fails"), "H-layernorm-40k": ("38,400", "holds"), "U-half-prefix": ("0.473 %", "holds"),
    "U-half-lora": ("0.473 %", "holds"), "U-half-mam": ("0.481 %", "holds"),
}  # fmt: skip


def test_counts_of_the_papers(tmp_path: Path) -> None:
    answer = call("papers", "--only", "counts,H-squad", "--out", str(tmp_path))
    assert (answer.code, answer.err) == (0, "")
    lines = {line["id"]: line for line in read(tmp_path / "papers.json")["claims"]}
    assert lines.pop("H-squad")["verdict"] == "needs answer spans"
    assert {name: (line["ours"], line["verdict"]) for name, line in lines.items()} == COUNTS
    assert all(line["command"].startswith("taskstream cost --backbone ") for line in lines.values())
    assert (tmp_path / "papers.md").read_text(encoding="utf-8").count("\n") == 2 + len(lines) + 1


def test_another_choice_makes_a_count_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that holds only because the number lies between least and most could not fail."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    papers = importlib.import_module("papers")
    entry = tomllib.loads(papers.PLAN.read_text(encoding="utf-8"))["counts"]["H-17-mix"]
    line = papers.count_line("H-17-mix", entry | {"chosen": entry["chosen"].replace("=32", "=64")})
    assert (line.ours.split()[0], line.verdict) == ("1.37541", "fails")
    assert "--chosen " in line.command


def test_a_claim_runs_only_its_learners_and_reads_finished_runs(tiny_backbone: Path, tmp_path: Path) -> None:
    given = ("--only", "U-T5-scale,U-T6-full", "--backbone", str(tiny_backbone), "--suite", "sst2,cola")
    answer = call("papers", *given, *TINY, "--seed", "0,1", "--workers", "1", "--out", str(tmp_path / "run"))
    assert (answer.code, answer.err) == (0, "")
    scale, full = read(tmp_path / "run" / "papers.json")["claims"]
    (folder,) = (tmp_path / "run").glob("forms-*")
    runs = [read(folder / f"seed{seed}-paper" / "results.json")["learners"] for seed in range(2)]
    assert set(runs[0]) == {
        "full:isolated", "parallel:8:where=ffn", "parallel:8:where=ffn:scale=4", "mam:prefix=1:parallel=8:scale=4",
    }  # fmt: skip
    scaled, plain = (
        [sum(run[name]["R"][-1]) / 2 for run in runs]
        for name in ("parallel:8:where=ffn:scale=4", "parallel:8:where=ffn")
    )
    difference = 100 * (sum(scaled) - sum(plain)) / 2
    assert f"parallel, ffn, s = 4 minus parallel, ffn, s = 1 is {difference:+.1f} ±" in scale["ours"]
    assert (scale["theirs"], scale["verdict"]) == ("+0.56 ROUGE-2", scale["here"])
    assert (full["id"], full["here"]) == ("U-T6-full", full["verdict"])
    again = call("papers", "--only", "U-T5-scale", "--read", f"forms={folder}", "--out", str(tmp_path / "again"))
    assert (again.code, again.err) == (0, "")
    (line,) = read(tmp_path / "again" / "papers.json")["claims"]
    assert (line["ours"], line["verdict"]) == (scale["ours"], scale["verdict"])
    assert line["command"].endswith(f"--only U-T5-scale --read forms={folder}")


def test_claims_about_bert_need_it(tiny_backbone: Path, tmp_path: Path) -> None:
    given = ("--only", "H-topk-cola", "--backbone", str(tiny_backbone), "--suite", "cola", "--seed", "0")
    answer = call("papers", *given, *TINY, "--workers", "1", "--out", str(tmp_path))
    assert (answer.code, answer.err) == (0, "")
    (line,) = read(tmp_path / "papers.json")["claims"]
    assert (line["verdict"], line["here"]) == ("needs BERT weights", "open")
    assert line["paper"].endswith(", cola")
    assert f"backbone {tiny_backbone.name}" in line["ours"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--only", "H-topk-mnl"), "unknown claim 'H-topk-mnl'; did you mean H-topk-mnli"),
        (("--only", "H-memory", "--read", "formz=runs"), "no such study"),
    ],
)
def test_what_the_table_refuses(given: tuple[str, ...], words: str, tmp_path: Path) -> None:
    answer = call("papers", *given, "--out", str(tmp_path))
    assert answer.code == 2
    assert words in answer.err


def test_out_of_domain(tiny_backbone: Path, tmp_path: Path) -> None:
    given = ("--backbone", str(tiny_backbone), "--learners", "full:isolated,adapter:2", "--seed", "0,1")
    answer = call("out_of_domain", *given, *TINY, "--workers", "1", "--out", str(tmp_path))
    assert (answer.code, answer.err) == (0, "")
    found = read(tmp_path / "out_of_domain.json")
    for seed in range(2):
        results = read(tmp_path / f"seed{seed}-paper" / "results.json")
        assert results["order"] == ["mnli_m", "mnli_mm"]
        for name, pairs in found["scores"].items():
            assert pairs[seed][0] == results["learners"][name]["R"][-1][0]
    losses = {name: [inside - outside for inside, outside in pairs] for name, pairs in found["scores"].items()}
    gap = sum(a - b for a, b in zip(losses["adapter:2"], losses["full:isolated"], strict=True)) / 2
    (finding,) = found["findings"]
    assert finding["value"]["mean"] == pytest.approx(gap)

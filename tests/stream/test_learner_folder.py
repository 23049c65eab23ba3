"""Names of learners' folders: safe on every system, one for each specification, and old ones are still used."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from stream import run, verify
from stream.storage.files import readable_json
from stream.storage.learner_folder import LONGEST, folder_name
from tests.runs import TASKS, read_results, tiny_settings

PARTS = st.sampled_from([*":-=._+/{}, ", "adapter", "lora-ffn", "8", "0.005", "share=alpha", "A", "é", "con", "store"])
LEARNERS = st.lists(PARTS, min_size=1, max_size=12).map("".join)
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
OTHERS = {"store", "tasks", "config.toml", "ledger.jsonl", "ledger.lock", "results.json", "workers.log", "wandb"}


@given(LEARNERS, LEARNERS)
@example("lora:8", "lora-8")
@example("full", "FULL")
@example("con", "con.txt")
@example("a" * 70, "a" * 71)
@example("l0=0.5", "l0.0=5")
@example("lora_ffn", "lora-ffn")
@example("A:b", folder_name("A:b").replace("-", ":"))
def test_a_name_is_safe_and_its_own(one: str, other: str) -> None:
    name = folder_name(one)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", name), "no character that a shell or Windows reads"
    assert ".." not in name
    assert len(name) <= LONGEST
    assert name.split(".")[0] not in DEVICES
    assert name not in OTHERS
    assert (name == folder_name(other)) == (one == other)


def test_a_name_can_be_read() -> None:
    names = {name: folder_name(name) for name in ("head", "adapter:64", "full:sequential", "lora-ffn:8")}
    assert [*names.values()] == ["head", "adapter-64", "full-sequential", "lora_ffn-8"]
    assert folder_name("diffpruning:0.005") == "diffpruning-0.005"
    assert folder_name("adapterbias:share=alpha:l0=1e-4") == "adapterbias-share.alpha-l0.1e_4"
    assert re.fullmatch("adapter-64-learning-rate-3e-4-[0-9a-f]{8}", folder_name("adapter:64:learning_rate=3e-4"))
    assert re.fullmatch("peft-peft-type-lora-r-4-[0-9a-f]{8}", folder_name("peft:{peft_type=LORA,r=4}"))


def test_a_run_of_an_earlier_version_is_verified_and_continues(
    tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path
) -> None:
    out, learners = tmp_path / "run", "adapter:4,adapterbias:share=alpha"
    settings = tiny_settings(tiny_tasks, tiny_backbone, out, learners=learners, suite=",".join(TASKS[:2]))
    run(**settings)
    document = read_results(out)
    for name, learner in document["learners"].items():  # as earlier versions wrote them
        (out / learner.pop("folder")).rename(out / name)
    (out / "results.json").write_text(readable_json(document) + "\n")
    assert verify(out).passed
    table = out / "adapterbias:share=alpha" / "R.csv"
    table.write_text(table.read_text().replace("before", "after"))
    assert [finding.file for finding in verify(out).findings] == [str(table)]
    run(**{**settings, "suite": ",".join(TASKS)})
    learned = json.loads((out / "results.json").read_text())["learners"]
    assert {path.parent.name for path in out.glob("*/R.csv")} == {learner["folder"] for learner in learned.values()}
    assert not (out / "adapter:4").exists()
    verdict = verify(shutil.copytree(out, tmp_path / "copy"))
    assert verdict.passed
    assert not any("R.csv" in note for note in verdict.notes)

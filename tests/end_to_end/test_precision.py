"""`--dtype auto` from the call to the results: what was chosen is what is written, and it stays with the run."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from learners.training import precision
from stream import run
from stream.execution import numerics
from tests.runs import as_arguments, call, fitted, ledger_of, read_results, tiny_settings

PROCESSORS = {"bfloat16": "flags : fpu avx512f avx512_bf16\n", "float32": "flags : fpu avx512f\n"}


SAID = "bfloat16 is several times slower than float32 on this processor; --dtype auto takes the faster one"


@pytest.mark.parametrize(
    ("cpuinfo", "dtype", "slow"),
    [
        (PROCESSORS["float32"], "bfloat16", True),
        (PROCESSORS["float32"], "float32", False),
        (PROCESSORS["bfloat16"], "bfloat16", False),
        ("Features\t: fp asimd\n", "bfloat16", True),  # ARM
        ("Features\t: fp asimd bf16\n", "bfloat16", False),
        ("", "bfloat16", False),  # another system: not known
    ],
)
def test_a_processor_without_such_products_is_known(
    cpuinfo: str, dtype: str, slow: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(cpuinfo)
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    assert precision.slow_on_processor(dtype) == slow
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "nothing")
    assert not precision.slow_on_processor(dtype)


def test_bfloat16_on_such_a_processor_is_one_notice(
    tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(PROCESSORS["float32"])
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    asked = as_arguments(tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", suite="sms_spam"))
    for dtype, notices in (("bfloat16", 1), ("auto", 0)):
        plan = call("plan", *asked, "--dtype", dtype, "--display", "json")
        assert (plan.code, json.loads(plan.out)["notes"].count(SAID)) == (0, notices)


@pytest.mark.parametrize(("here", "there"), [("bfloat16", "float32"), ("float32", "bfloat16")])
def test_a_run_keeps_the_dtype_of_the_processor_that_it_began_on(
    here: str, there: str, tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on(dtype: str) -> None:
        (tmp_path / "cpuinfo").write_text(PROCESSORS[dtype])

    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(numerics, "processor", lambda: "equal arithmetic")  # other instructions mean other results
    out, file = tmp_path / "run", tmp_path / "mine.toml"
    file.write_text('dtype = "auto"\n')
    asked = tiny_settings(tiny_tasks, tiny_backbone, out, suite="sms_spam")
    on(here)
    results = run(config=file, **asked).as_dict()
    assert results["settings"]["dtype"] == results["environment"]["dtype"] == here
    assert '"auto"' not in json.dumps([read_results(out), ledger_of(out)])
    origin = f"file {file}: auto, what suits this processor"
    assert f'dtype = "{here}"  # {origin}\n' in (out / "config.toml").read_text()

    on(there)
    plan = call("plan", *as_arguments(asked), "--dtype", "auto", "--display", "json")
    assert (plan.code, json.loads(plan.out)["cells_left"]) == (0, 0)
    more = asked | {"suite": "sms_spam,colours"}
    assert run(dtype="auto", **more).settings["dtype"] == here
    assert fitted(out) == [("head", "sms_spam"), ("head", "colours")]
    assert tomllib.loads((out / "config.toml").read_text())["dtype"] == here
    again = call("run", "--config", str(out / "config.toml"), "--display", "none")
    assert (again.code, again.err) == (0, "")
    assert len(fitted(out)) == 2
    elsewhere = as_arguments(asked | {"out": tmp_path / "other", "store": out / "store", "dtype": "auto"})
    for dtype, in_store in ((here, 1), (there, 0)):
        on(dtype)
        other = call("plan", *elsewhere, "--display", "json")
        assert json.loads(other.out)["jobs"]["fit"]["in_store"] == in_store  # recipes are of the dtype chosen

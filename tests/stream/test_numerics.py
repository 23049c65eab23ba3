"""What may change the last bit of a logit is in the numerics: by name, and as a fingerprint of the arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from learners.training import precision
from stream import run
from stream.config.resolve import resolve_config
from stream.engine.context import prepare
from stream.execution.numerics import fingerprint, numerics
from stream.execution.switches import switches, take_switches
from stream.execution.workbench import open_workbench
from stream.verification import verify
from tasks.errors import InputError
from tests.runs import tiny_settings

AMD = "vendor_id : AuthenticAMD\nflags : fpu avx avx2 fma smep\n"


@contextmanager
def denormals_flushed() -> Iterator[None]:
    assert torch.set_flush_denormal(True), "this processor cannot flush denormal numbers"
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_fingerprint_is_that_of_the_arithmetic(dtype: str) -> None:
    first = fingerprint(dtype)
    assert len(first) == 16
    assert fingerprint(dtype) == first
    with denormals_flushed():
        assert fingerprint(dtype) != first
    assert fingerprint("float32") != fingerprint("bfloat16")


def test_the_fingerprint_neither_draws_nor_changes_anything() -> None:
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    fingerprint("float32")
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    ("cpuinfo", "found"),
    [
        (AMD, "AuthenticAMD avx avx2 fma"),
        (AMD.replace("AuthenticAMD", "GenuineIntel"), "GenuineIntel avx avx2 fma"),
        (AMD.replace("fma", "fma amx_bf16 amx_tile"), "AuthenticAMD amx_bf16 amx_tile avx avx2 fma"),
        ("Features : fp asimd bf16\nCPU implementer : 0x41\n", "0x41 asimd bf16"),
        (None, ""),
    ],
)
def test_vendor_and_instructions_count(
    cpuinfo: str | None, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    if cpuinfo is not None:
        (tmp_path / "cpuinfo").write_text(cpuinfo)
    assert numerics("float32")["processor"] == found


def test_switches_of_the_process_count(monkeypatch: pytest.MonkeyPatch) -> None:
    before = numerics("float32")
    assert before["settings"] == {}
    monkeypatch.setenv("ONEDNN_DEFAULT_FPMATH_MODE", "BF16")
    torch.set_float32_matmul_precision("medium")
    try:
        assert numerics("float32")["settings"] == {
            "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
            "float32_matmul": "bf16",
        }
    finally:
        torch.set_float32_matmul_precision("highest")
    monkeypatch.delenv("ONEDNN_DEFAULT_FPMATH_MODE")
    assert numerics("float32") == before


@contextmanager
def switched(name: str, value: object) -> Iterator[None]:
    """A process with one switch of PyTorch at another value."""
    before = switches()
    take_switches({name: value})  # type: ignore[dict-item]
    try:
        yield
    finally:
        take_switches(before)


@pytest.mark.parametrize(("name", "value"), [("float32_matmul", "bf16"), ("mkldnn", False), ("flash_attention", False)])
def test_a_worker_takes_the_switches_of_the_run(name: str, value: object) -> None:
    plain = numerics("float32")
    with switched(name, value):
        there = numerics("float32")
        assert there["settings"] == {name: value}
    assert numerics("float32") == plain
    take_switches(there["settings"])  # type: ignore[arg-type]
    try:
        assert numerics("float32") == there
    finally:
        take_switches({})
    assert numerics("float32") == plain


@pytest.mark.parametrize("workers", [1, 2])
def test_results_do_not_depend_on_where_they_are_computed(
    workers: int, tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path
) -> None:
    """With the switches of the program that calls `run`, in this process and in workers."""
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path, suite="sms_spam,rte", workers=workers)
    with switched("float32_matmul", "bf16"):
        results = run(**settings)
    assert results.as_dict()["environment"]["settings"] == {"float32_matmul": "bf16"}
    assert verify(tmp_path).passed


def test_a_process_with_other_arithmetic_does_no_job(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", suite="sms_spam")
    context = prepare(resolve_config(settings)[0])
    setup = replace(context.setup(), numerics={**context.numerics, "fingerprint": "0" * 16})
    with pytest.raises(InputError, match=r"another arithmetic.*fingerprint 0000000000000000 -> .*delete .*known"):
        open_workbench(setup)

"""What may change the last bit of a logit is in the numerics: by name, and as a fingerprint of the arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from learners.training import precision
from stream.execution.numerics import fingerprint, numerics

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
    first = fingerprint.__wrapped__(dtype)
    assert len(first) == 16
    assert fingerprint.__wrapped__(dtype) == first
    with denormals_flushed():
        assert fingerprint.__wrapped__(dtype) != first
    assert fingerprint.__wrapped__("float32") != fingerprint.__wrapped__("bfloat16")


def test_the_fingerprint_neither_draws_nor_changes_anything() -> None:
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    fingerprint.__wrapped__("float32")
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
            "float32_matmul_precision": "medium",
        }
    finally:
        torch.set_float32_matmul_precision("highest")
    monkeypatch.delenv("ONEDNN_DEFAULT_FPMATH_MODE")
    assert numerics("float32") == before

"""The pretraining script: the same weights whether it was interrupted or not, and a folder that loads as a backbone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from learners.backbones.backbone import load_backbone
from tests.end_to_end.test_experiments import call
from tests.runs import Answer

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--layers=2", "--middle=1", "--width=16", "--heads=2", "--vocabulary=300", "--documents=100", "--tokens=256")


def pretrain(folder: Path, *more: str) -> Answer:
    return call("pretrain_backbone", str(folder), *SMALL, *more, scripts=ROOT / "scripts")


def test_a_run_that_is_continued_ends_at_the_same_weights(tmp_path: Path) -> None:
    done = pretrain(tmp_path / "one", "--steps", "5")
    assert done.code == 0, done.err
    (tmp_path / "two").mkdir()
    for name in ("corpus.safetensors", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / "two" / name).write_bytes((tmp_path / "one" / name).read_bytes())
    assert pretrain(tmp_path / "two", "--steps", "5", "--stop-after", "2").code == 0
    assert not (tmp_path / "two" / "backbone").exists()
    other = pretrain(tmp_path / "two", "--steps", "5", "--seed", "1")
    assert other.code == 2
    assert "this folder has other settings" in other.err
    assert pretrain(tmp_path / "two", "--steps", "5").code == 0
    one, two = (load_file(tmp_path / run / "backbone" / "model.safetensors") for run in ("one", "two"))
    assert one.keys() == two.keys()
    assert all(torch.equal(tensor, two[name]) for name, tensor in one.items())

    backbone = load_backbone(str(tmp_path / "one" / "backbone"))
    assert backbone.pooling == "mean"
    assert all(bool(torch.isfinite(tensor).all()) for tensor in backbone.weights.values())


def test_a_middle_layer_that_is_not_there(tmp_path: Path) -> None:
    answer = pretrain(tmp_path / "three", "--middle=3")
    assert (answer.code, answer.err.strip()) == (2, "error: --middle: no such layer; expected 1 to 2; found 3")
    assert not (tmp_path / "three").exists()


@pytest.fixture(scope="module")
def forms() -> object:
    from pretraining.disturb import Forms
    from tokenizers import Tokenizer

    return Forms(Tokenizer.from_file(str(ROOT / "learners" / "embedded" / "tokenizer.json")))


def test_what_is_disturbed_is_marked_and_the_rest_stays(forms: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from pretraining.disturb import disturb

    ids = np.array(forms.tokenizer.encode("The dogs saw an old cat in the garden.", add_special_tokens=False).ids)  # type: ignore[attr-defined]
    changed = 0
    for seed in range(200):
        out, wrong = disturb(ids, forms, np.random.default_rng(seed))  # type: ignore[arg-type]
        assert out.shape == wrong.shape
        changed += bool(wrong.any())
        rest = iter(ids.tolist())
        assert all(any(token == other for other in rest) for token in out[~wrong].tolist())  # a subsequence
    assert changed > 150


def test_what_is_exchanged_is_marked_and_tells_something_else(forms: object) -> None:
    """Word by word: an exchanged word is of the sort of the one before it, and of another concept."""
    from pretraining.exchange import exchange, sorts

    text = "every girl praised the old film and two boys sold the car"
    ids = np.array(forms.tokenizer.encode(text, add_special_tokens=False).ids)  # type: ignore[attr-defined]
    changed = 0
    for seed in range(200):
        out, wrong = exchange(ids, forms, np.random.default_rng(seed))  # type: ignore[arg-type]
        assert out.shape == wrong.shape
        words = forms.tokenizer.decode(out.tolist()).split()  # type: ignore[attr-defined]
        changed += bool(wrong.any())
        assert wrong.any() or words == text.split()
        if len(words) != len(text.split()):
            continue  # a word with a hyphen is three
        for before, after in zip(text.split(), words, strict=True):
            if before != after:
                assert sorts()[before][0] == sorts()[after][0]
                assert sorts()[before][1] != sorts()[after][1]
    assert changed > 150


@given(rows=st.integers(2, 24), columns=st.integers(2, 24), seed=st.integers(0, 2**31))
def test_an_orthogonal_step_keeps_directions_and_evens_sizes(rows: int, columns: int, seed: int) -> None:
    """Singular vectors stay; singular values, down to a hundredth of the largest, become 0.6 to 1.3."""
    from pretraining.optimiser import orthogonal

    generator = torch.Generator().manual_seed(seed)
    rank = min(rows, columns)
    left, _ = torch.linalg.qr(torch.randn(rows, rank, generator=generator, dtype=torch.float64))
    right, _ = torch.linalg.qr(torch.randn(columns, rank, generator=generator, dtype=torch.float64))
    sizes = torch.logspace(0, -2, rank, dtype=torch.float64)
    found = left.T @ orthogonal((left * sizes) @ right.T) @ right
    assert torch.allclose(found, torch.diag(found.diag()), atol=1e-6)
    assert float(found.diag().min()) > 0.6
    assert float(found.diag().max()) < 1.3

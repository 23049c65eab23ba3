"""A Delta's identity, counts and file: what goes in comes out bit for bit, and any damage is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from torch import Tensor

from learners.backbones.fingerprint import tensor_digest
from learners.delta.delta import Delta, load_delta, load_head, save_delta
from tasks.errors import InputError

names = st.text("abc.", min_size=1, max_size=6)
values = st.one_of(st.floats(width=32), st.sampled_from([0.0, -0.0, float("nan"), 1e-45]))


@st.composite
def tensors(draw: st.DrawFn, low: int = 0) -> Tensor:
    shape = draw(st.lists(st.integers(low, 4), max_size=3))
    flat = [draw(values) for _ in range(int(np.prod(shape)))]
    return torch.tensor(flat, dtype=torch.float32).reshape(shape)


@st.composite
def deltas(draw: st.DrawFn) -> Delta:
    parts = st.sampled_from(["backbone", "added", "head"])
    found = draw(st.dictionaries(st.builds(lambda p, n: f"{p}.{n}", parts, names), tensors(), max_size=5))
    pruned = draw(st.sets(st.sampled_from(sorted(found)))) if found else set()
    return Delta(found, frozenset(pruned))


def example() -> Delta:
    draw = torch.Generator().manual_seed(0)
    sparse = torch.randn(1, 40, generator=draw) * (torch.rand(1, 40, generator=draw) < 0.2)
    return Delta(
        {
            "head.weight": torch.randn(2, 8, generator=draw),
            "added.shift.0.alpha.weight": sparse,
            "added.shift.0.vector": torch.randn(8, generator=draw),
            "backbone.norm.weight": torch.ones(8),
        },
        frozenset({"added.shift.0.alpha.weight"}),
    )


@given(deltas())
@settings(max_examples=40)
def test_round_trip_is_bitwise(tmp_path_factory: pytest.TempPathFactory, delta: Delta) -> None:
    path = tmp_path_factory.mktemp("delta") / "x.safetensors"
    assert save_delta(delta, path) == path.stat().st_size
    read = load_delta(path, expected=delta.id)
    assert read.id == delta.id
    assert read.pruned == delta.pruned
    assert list(read.tensors) == sorted(delta.tensors)
    for name, tensor in delta.tensors.items():
        assert read.tensors[name].shape == tensor.shape
        assert read.tensors[name].numpy().tobytes() == tensor.numpy().tobytes()
    assert [file.name for file in path.parent.iterdir()] == [path.name], "no temporary file stays behind"


def test_pruned_tensors_are_stored_as_what_was_kept(tmp_path: Path) -> None:
    delta = example()
    dense = Delta(delta.tensors)
    kept = int(torch.count_nonzero(delta.tensors["added.shift.0.alpha.weight"]))
    assert 0 < kept < 20
    assert (delta.counts.added, dense.counts.added) == (kept + 8, 40 + 8)
    assert (delta.counts.backbone, delta.counts.head, delta.counts.without_head) == (8, 16, kept + 16)
    save_delta(delta, tmp_path / "sparse")
    with safe_open(tmp_path / "sparse", framework="np") as file:
        assert file.get_tensor("added.shift.0.alpha.weight#values").shape == (kept,)
        assert file.get_tensor("added.shift.0.alpha.weight#indices").dtype == np.int32
    assert delta.id != dense.id


def test_a_negative_zero_left_by_pruning_does_not_change_the_content(tmp_path: Path) -> None:
    """A closed gate times a negative weight is −0.0, which no sparse file keeps."""
    weight = torch.tensor([-1.0, 2.0, -3.0]) * torch.tensor([0.0, 0.0, 1.0])
    delta = Delta({"added.w": weight}, frozenset({"added.w"}))
    save_delta(delta, tmp_path / "x")
    assert load_delta(tmp_path / "x", expected=delta.id).id == delta.id


def test_a_wholly_pruned_tensor(tmp_path: Path) -> None:
    delta = Delta({"added.w": torch.zeros(2, 3)}, frozenset({"added.w"}))
    save_delta(delta, tmp_path / "x")
    read = load_delta(tmp_path / "x", expected=delta.id)
    assert torch.equal(read.tensors["added.w"], torch.zeros(2, 3))
    assert read.counts.added == 0


@given(names, names, tensors(), tensors())
def test_digests_differ_exactly_with_name_shape_and_bytes(name: str, other: str, a: Tensor, b: Tensor) -> None:
    same = (name, a.shape, a.numpy().tobytes()) == (other, b.shape, b.numpy().tobytes())
    assert (tensor_digest(name, a) == tensor_digest(other, b)) == same
    assert (Delta({name: a}).id == Delta({other: b}).id) == same


@given(tensors(low=1), st.data())
def test_any_changed_byte_changes_the_id(tensor: Tensor, data: st.DataObject) -> None:
    changed = tensor.clone()
    raw = changed.reshape(-1).view(torch.uint8).numpy()  # shares its memory
    raw[data.draw(st.integers(0, raw.size - 1))] ^= data.draw(st.integers(1, 255))
    assert tensor_digest("x", changed) != tensor_digest("x", tensor)


def test_dtype_and_shape_are_part_of_the_digest() -> None:
    zeros = torch.zeros(4)
    digests = {
        tensor_digest("x", t)
        for t in (zeros, zeros.reshape(2, 2), zeros.to(torch.int32), zeros.to(torch.bfloat16), torch.zeros(8)[:0])
    }
    assert len(digests) == 5


def test_layout_in_memory_is_no_content() -> None:
    square = torch.arange(6.0).reshape(2, 3)
    assert tensor_digest("x", square.t().contiguous().t()) == tensor_digest("x", square)
    forwards, backwards = {"a": zeros(1), "b": zeros(2)}, {"b": zeros(2), "a": zeros(1)}
    assert Delta(forwards).id == Delta(backwards).id


def zeros(n: int) -> Tensor:
    return torch.zeros(n)


def test_id_is_the_same_in_another_process(tmp_path: Path) -> None:
    delta = example()
    save_delta(delta, tmp_path / "x")
    imports = "import sys; from pathlib import Path; from learners.delta import delta"
    code = f"{imports}; print(delta.load_delta(Path(sys.argv[1])).id)"
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "x")], capture_output=True, text=True, check=True, cwd=root
    )
    assert run.stdout.strip() == delta.id


def test_no_flipped_bit_goes_unnoticed(tmp_path: Path) -> None:
    """Every byte of the file: the flip is refused, or it touched nothing that was stored (such as the recorded id)."""
    delta, path = example(), tmp_path / "x.safetensors"
    save_delta(delta, path)
    intact = path.read_bytes()
    refused = 0
    for position in range(len(intact)):
        damaged = bytearray(intact)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        try:
            read = load_delta(path, expected=delta.id, digests=delta.digests)
        except InputError:
            refused += 1
        else:
            assert read.id == delta.id
            assert {n: t.numpy().tobytes() for n, t in read.tensors.items()} == {
                n: t.numpy().tobytes() for n, t in delta.tensors.items()
            }
    payload = sum(t.numel() * 4 for t in delta.tensors.values()) - 40 * 4
    assert refused > payload


def test_a_changed_tensor_is_named(tmp_path: Path) -> None:
    delta, path = example(), tmp_path / "x.safetensors"
    save_delta(delta, path)
    content = path.read_bytes()
    vector = delta.tensors["added.shift.0.vector"].numpy().tobytes()
    position = content.index(vector)  # the data of this tensor; no other has these bytes
    path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
    with pytest.raises(InputError, match=r"a stored Delta changed, tensor added\.shift\.0\.vector") as caught:
        load_delta(path, expected=delta.id, digests=delta.digests)
    assert caught.value.where == str(path)
    with pytest.raises(InputError, match="a stored Delta changed"):
        load_delta(path, expected=delta.id)
    assert load_delta(path).id != delta.id


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_truncation(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "x.safetensors"
    save_delta(example(), path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="cannot read this Delta") as caught:
        load_delta(path)
    assert caught.value.where == str(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read this Delta"):
        load_delta(tmp_path / "nothing")


def test_a_file_of_somebody_else(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"head.bias": torch.zeros(2)}, tmp_path / "x")
    with pytest.raises(InputError, match="not a Delta of this version"):
        load_delta(tmp_path / "x")


def test_another_delta_than_expected(tmp_path: Path) -> None:
    save_delta(example(), tmp_path / "x")
    with pytest.raises(InputError, match=r"expected content 0000000000000000; found [0-9a-f]{16}"):
        load_delta(tmp_path / "x", expected="0" * 64)


def test_a_body_with_another_head() -> None:
    delta = example()
    other = Delta({"head.weight": torch.ones(5, 8), "head.bias": torch.ones(5), "added.shift.0.vector": torch.ones(8)})
    mixed = delta.with_head(other)
    assert mixed.pruned == delta.pruned
    assert mixed.tensors["head.weight"] is other.tensors["head.weight"]
    assert mixed.tensors["head.bias"] is other.tensors["head.bias"]
    body = [name for name in delta.tensors if not name.startswith("head.")]
    assert sorted([*body, "head.bias", "head.weight"]) == list(mixed.tensors)
    assert all(mixed.digests[name] == delta.digests[name] for name in body)


def test_tensors_cannot_be_exchanged() -> None:
    with pytest.raises(TypeError):
        example().tensors["head.weight"] = torch.zeros(1)  # type: ignore[index]


def test_a_head_is_read_and_checked_alone(tmp_path: Path) -> None:
    delta, path = example(), tmp_path / "x"
    save_delta(delta, path)
    head = load_head(path, delta.digests)
    assert list(head.tensors) == ["head.weight"]
    assert delta.with_head(head).id == delta.id
    with pytest.raises(InputError, match=r"x: a stored Delta changed, tensor head\.weight"):
        load_head(path, {**delta.digests, "head.weight": "0" * 64})
    with pytest.raises(InputError, match="cannot read this Delta"):
        load_head(tmp_path / "none", delta.digests)


def test_a_pruned_tensor_that_kept_most_is_stored_whole(tmp_path: Path) -> None:
    delta = Delta({"added.alpha.weight": torch.tensor([[1.0, 0.0, 2.0, 3.0]])}, frozenset({"added.alpha.weight"}))
    save_delta(delta, tmp_path / "x")
    with safe_open(tmp_path / "x", framework="np") as file:
        assert list(file.keys()) == ["added.alpha.weight"]
    read = load_delta(tmp_path / "x", expected=delta.id)
    assert (read.pruned, read.counts.added) == (delta.pruned, 3)


def test_others_may_read_what_the_user_lets_them(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    save_delta(example(), tmp_path / "x")
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "plain").stat().st_mode

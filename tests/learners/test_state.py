"""A fit that pauses and goes on gives the bits of a fit that never paused."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from learners.delta.delta import Delta
from learners.specification.family import parse_learner
from learners.training.fit import fit
from learners.training.result import Fit
from learners.training.state import FitState, load_state, save_state
from tasks.encoded import EncodedTask
from tasks.errors import InputError
from tests.loaded import backbone, encoded, score

DATA, STARS = encoded("colours"), encoded("stars", classes=4, kind="regression")
EPOCHS = 5
LEARNERS = ("full", "topk:1", "head", "adapter:8", "adapterbias:l0=1e-3:share=alpha", "adapterbias", "lora:4",
            "diffpruning:0.1:after=0.6", "prefix:4:mlp=6", "prompt:4", "ia3", "compacter:8", "feature:2", "bitfit",
            "mam:prefix=4:parallel=8:mlp=6", "adapter:8:sequential", "adapterbias:share=alpha:frozen-shared",
            "peft:{peft_type=LORA,r=2,lora_dropout=0.3,target_modules=[query,value]}")  # fmt: skip


def run(specification: str, data: EncodedTask = DATA, **more: Any) -> Fit:
    learner = parse_learner(specification, {"epochs": EPOCHS, "batch_size": 16, "learning_rate": 3e-3, "patience": 9})
    earlier = previous(specification) if learner.needs_previous_fit else None
    return fit(backbone(), learner, data, more.pop("score", score), 3, earlier, **more)


@cache
def previous(specification: str) -> Delta:
    learner = parse_learner(specification, {"epochs": 1, "batch_size": 16})
    return fit(backbone(), learner, encoded("first"), score, 3).delta


@cache
def whole(specification: str) -> Fit:
    return run(specification)


def stored(state: FitState | None, folder: Path) -> FitState:
    """The state as another process reads it."""
    assert state is not None
    save_state(state, folder / "state.safetensors", "one")
    return load_state(folder / "state.safetensors", "one")


def paused(specification: str, pauses: list[int], folder: Path, change: Callable[[FitState], FitState] | None = None,
           **more: Any) -> Fit:  # fmt: skip
    """A fit that pauses after each of these epochs, then runs to its end."""
    state = None
    for epoch in pauses:
        found = run(specification, until=epoch, state=state, **more)
        state = stored(found.state, folder)
        state = change(state) if change else state
        torch.manual_seed(99)
        torch.rand(7)  # another process draws other numbers in between
    return run(specification, state=state, **more)


def assert_equal(found: Fit, expected: Fit) -> None:
    assert found.delta.id == expected.delta.id
    assert found.delta.pruned == expected.delta.pruned
    assert found.validation == expected.validation
    assert found.losses == expected.losses
    assert (found.best, found.examples) == (expected.best, expected.examples)
    assert found.flops.hex() == expected.flops.hex()


@pytest.mark.parametrize("specification", LEARNERS)
def test_pauses_change_no_bit(specification: str, tmp_path: Path) -> None:
    assert_equal(paused(specification, [1, 2, 3, 4], tmp_path), whole(specification))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(specification=st.sampled_from(LEARNERS), pauses=st.lists(st.integers(1, EPOCHS), max_size=3).map(sorted))
def test_no_choice_of_pauses_changes_a_bit(specification: str, pauses: list[int], tmp_path: Path) -> None:
    assert_equal(paused(specification, pauses, tmp_path), whole(specification))


def test_a_regression_pauses(tmp_path: Path) -> None:
    assert_equal(paused("adapter:8", [2], tmp_path, data=STARS), run("adapter:8", data=STARS))


def test_a_paused_fit_is_the_beginning_of_the_whole_one() -> None:
    """Its scores are those of the first epochs: the schedule is that of all epochs."""
    for epoch in range(1, EPOCHS + 1):
        part = run("adapter:8", until=epoch)
        assert part.validation == whole("adapter:8").validation[:epoch]
        assert part.losses == whole("adapter:8").losses[:epoch]
        assert part.state is not None
        assert part.state.epochs == epoch
    assert whole("adapter:8").state is None


@pytest.mark.parametrize(
    ("forget", "specification"),
    [
        ("dropout", "lora:4"),
        ("gate_noise", "adapterbias:l0=1e-3:share=alpha"),
        ("moments", "adapter:8"),
        ("steps", "adapter:8"),
        ("gates", "diffpruning:0.1:after=0.6"),
        ("masks", "diffpruning:0.1:after=0.4"),
        ("trainable", "prefix:4:mlp=6"),
        ("step", "adapter:8"),
    ],
)
def test_nothing_of_a_state_can_be_left_out(forget: str, specification: str, tmp_path: Path) -> None:
    """Each part changes the result of the fit, so the tests above would notice its absence."""

    def without(state: FitState) -> FitState:
        zeros = torch.Generator().manual_seed(0).get_state()
        if forget == "moments":
            return replace(state, moments={})
        if forget == "steps":
            return replace(state, moments={n: (a, b, torch.zeros(())) for n, (a, b, _) in state.moments.items()})
        if forget == "trainable":
            return replace(state, trainable={name: t * 0.5 for name, t in state.trainable.items()})
        if forget == "gates":
            return replace(state, gates={name: t * 0.5 for name, t in state.gates.items()})
        replaced: dict[str, Any] = {"dropout": zeros, "gate_noise": zeros, "masks": {}, "step": 0}
        return replace(state, **{forget: replaced[forget]})

    found = paused(specification, [3 if forget == "masks" else 2], tmp_path, without)
    assert found.losses != whole(specification).losses or found.delta.id != whole(specification).delta.id


def scripted(values: list[float]) -> Callable[[Any, Any], float]:
    answers = iter(values)
    return lambda target, output: next(answers)


def test_the_best_epoch_before_a_pause_stays_the_best(tmp_path: Path) -> None:
    values = [0.2, 0.9, 0.3, 0.4, 0.5]
    expected = run("adapter:8", score=scripted(values))
    assert expected.best == 1
    assert_equal(paused("adapter:8", [3], tmp_path, score=scripted(values)), expected)


def test_patience_counts_over_a_pause(tmp_path: Path) -> None:
    values = [0.9, 0.1, 0.1, 0.1, 0.1]
    expected = run("adapter:8:patience=2", score=scripted(values))
    assert len(expected.validation) == 3
    for pauses in ([1], [2], [3], [2, 4]):
        assert_equal(paused("adapter:8:patience=2", pauses, tmp_path, score=scripted(values)), expected)


def test_a_frozen_prefix_is_counted_once(tmp_path: Path) -> None:
    assert paused("head", [1, 3], tmp_path).flops == whole("head").flops


def test_a_fit_without_training_has_no_state() -> None:
    assert run("majority", until=1).state is None


def test_seconds_add_up(tmp_path: Path) -> None:
    state = stored(run("head", until=2).state, tmp_path)
    assert run("head", state=replace(state, seconds=1000.0)).seconds > 1000


@pytest.mark.parametrize(("epochs", "until"), [(None, 0), (3, 2)])
def test_a_fit_cannot_pause_in_the_past(epochs: int | None, until: int) -> None:
    state = None if epochs is None else run("head", until=epochs).state
    with pytest.raises(InputError, match="cannot pause there"):
        run("head", until=until, state=state)


def test_the_state_of_another_learner_is_refused() -> None:
    with pytest.raises(InputError, match="another fit"):
        run("adapter:8", state=run("adapter:4", until=1).state)
    with pytest.raises(InputError, match="another fit"):
        run("adapter:8", state=run("lora:4", until=1).state)


# ---- the file


def test_a_file_of_another_fit_is_refused(tmp_path: Path) -> None:
    save_state(run("head", until=1).state, tmp_path / "state", "one")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="another fit"):
        load_state(tmp_path / "state", "two")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        load_state(tmp_path / "state", "one")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), cut=st.booleans())
def test_a_damaged_file_is_refused(at: float, flip: int, cut: bool, tmp_path: Path) -> None:
    path = tmp_path / "state"
    content = bytearray(written())
    place = int(at * len(content))
    content[place] ^= flip
    path.write_bytes(content[:place] if cut else content)
    try:
        found = load_state(path, "one")
    except InputError:
        return
    save_state(found, path, "one")  # another white space in the header changes nothing
    assert path.read_bytes() == written()


@cache
def written() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        stored(run("adapterbias:l0=1e-3", until=1).state, Path(folder))
        return (Path(folder) / "state.safetensors").read_bytes()


@pytest.mark.parametrize("fact", ["step", "epochs", "ended", "pruned", "best_epoch", "examples"])
def test_a_changed_header_is_refused(fact: str, tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    stored(run("head", until=1).state, tmp_path)
    with safe_open(path, framework="pt") as file:
        facts = json.loads(file.metadata()["taskstream"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    facts[fact] = 77
    save_file(tensors, path, metadata={"taskstream": json.dumps(facts)})
    with pytest.raises(InputError, match="damaged"):
        load_state(path, "one")
    del facts[fact]
    save_file(tensors, path, metadata={"taskstream": json.dumps(facts)})
    with pytest.raises(InputError):
        load_state(path, "one")

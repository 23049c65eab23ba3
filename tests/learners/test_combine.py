"""Methods joined by `+`: what they become, how they are named, and which cannot be joined."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from learners.family import LONGEST, families, parse_learner, parse_learners
from learners.fit import fit
from learners.gates import SETTINGS
from learners.initial import initial_delta
from learners.learner import Tuned
from tasks.errors import InputError, InputErrors
from tests.loaded import backbone, encoded, score

EXAMPLES = [s for family in families().values() for s in family.examples]


def test_mam_is_its_two_parts() -> None:
    joined, mam = parse_learner("prefix:16+parallel:16:scale=2"), parse_learner("mam:prefix=16:parallel=16")
    assert joined.modifications == mam.modifications
    assert joined.tuned == mam.tuned
    assert joined.family == "prefix+parallel"


def test_a_name_is_canonical_and_reads_back() -> None:
    written = ("prefix:30+parallel:512:scale=4", "prefix:length=30:isolated+parallel:scale=4.0:size=512")
    first, second = map(parse_learner, written)
    assert first == second
    assert (
        first.name == "prefix:length=30:mlp=800:sharing=isolated+parallel:scale=4.0:sharing=isolated:size=512:where=ffn"
    )
    assert parse_learner(first.name) == first
    with pytest.raises(InputErrors, match="the same learner twice"):
        parse_learners(",".join(written))


def test_a_plus_within_a_number_joins_nothing() -> None:
    assert parse_learner("lora:8:alpha=1e+3").name == parse_learner("lora:8:alpha=1000").name


def test_what_parts_tune_is_tuned_together() -> None:
    assert parse_learner("layernorm:embeddings=no+bitfit").tuned == Tuned(norms="layers", biases="all")
    assert parse_learner("topk:1+adapter:8").tuned == Tuned(top_layers=1, norms="layers", embedding_norm=True)
    assert parse_learner("adapter:8+layernorm").tuned == Tuned(norms="layers", embedding_norm=True)


def test_it_trains_as_its_first_part() -> None:
    assert parse_learner("lora:8+adapter:8").training == families()["lora"].training
    training = parse_learner("lora:8:epochs=7:learning_rate=0.01+adapter:8", {"batch_size": 4}).training
    assert (training.epochs, training.learning_rate, training.batch_size) == (7, 0.01, 4)


@pytest.mark.parametrize("specification", ["adapterbias:l0+lora:2", "lora:2+adapterbias:l0"])
def test_gates_of_one_part_are_those_of_the_whole(specification: str) -> None:
    learner = parse_learner(specification)
    assert (learner.gates, learner.penalty) == (SETTINGS["diff-pruning"], 1e-4)
    found = fit(backbone(), parse_learner(f"{specification}", {"epochs": 1}), encoded("colours"), score, 0).delta
    assert found.pruned == {f"added.adapterbias.{layer}.alpha.weight" for layer in range(2)}


@pytest.mark.parametrize(
    ("specification", "message"),
    [
        ("adapter:8+adapter:16", r"two parts add adapter\.attention"),
        ("mam+prefix:4", r"two parts add prefix"),
        ("parallel:8+mam", r"two parts add parallel\.ffn"),
        ("lora:8+lora:4:matrices=qkvo", r"two parts add lora\.attention\.query"),
        ("topk:1+topk:2", r"parts that tune top_layers differently; found (1 and 2|2 and 1)"),
        ("layernorm+adapterbias", r"parts that tune norms differently"),
        ("bitfit+bitfit:biases=layers", r"parts that tune biases differently"),
        ("lora:8+ia3:sequential", r"parts that share differently; found isolated and sequential"),
        ("lora:8+head", r"head cannot be joined with others"),
        ("majority+lora:8", r"majority cannot be joined"),
        ("lora:8+prompt:4", r"prompt cannot be joined"),
        ("feature:2+lora:8", r"feature cannot be joined"),
        ("diffpruning+lora:8", r"diffpruning cannot be joined"),
        ("lora:8+lore:4", r"unknown learner 'lore'; did you mean lora"),
        ("lora:8+prefix:0", r"cannot read this part.*found '0'"),
        ("+lora:8", r"unknown learner ''"),
        ("lora:8+", r"cannot read this part.*found '8\+'"),
    ],
)
def test_what_cannot_be_joined(specification: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse_learner(specification)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("option", ["epochs=9", "learning_rate=0.5", "dropout=no"])
def test_a_training_option_of_a_later_part_is_not_left_unheard(option: str) -> None:
    with pytest.raises(InputError, match=rf"{option.split('=')[0]} of a later part"):
        parse_learner(f"prefix:4+parallel:8:{option}")
    assert parse_learner(f"prefix:4:{option}+parallel:8")


@given(st.lists(st.sampled_from(EXAMPLES), min_size=2, max_size=3))
def test_any_parts_join_or_are_refused(chosen: list[str]) -> None:
    try:
        learner = parse_learner("+".join(chosen))
    except InputError:
        return
    assert learner.modifications == tuple(m for s in chosen for m in parse_learner(s).modifications)
    assert learner.name == "+".join(parse_learner(s).name for s in chosen)
    if len(learner.name) <= LONGEST:
        assert parse_learner(learner.name) == learner


def test_every_part_learns() -> None:
    base, data = backbone(), encoded("colours")
    learner = parse_learner("prefix:4+lora-ffn:2+ia3+bitfit", {"epochs": 2, "batch_size": 16, "learning_rate": 1e-2})
    first, last = initial_delta(base, learner, data.task, 0), fit(base, learner, data, score, 0).delta
    moved = {name for name, t in last.tensors.items() if not torch.equal(t, first.tensors[name])}
    assert {name.split(".")[1] for name in moved if name.startswith("added.")} == {"prefix", "lora", "ia3"}
    assert any(name.startswith("backbone.") for name in moved)

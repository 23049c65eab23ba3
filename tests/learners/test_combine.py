"""Methods joined by `+`: what they become, how they are named, and which cannot be joined."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from learners.backbones.architecture import Architecture
from learners.backbones.published import KNOWN_CONFIGS, known_architecture
from learners.delta.initial import initial_delta
from learners.specification.combine import united
from learners.specification.family import LONGEST, families, parse_learner, parse_learners
from learners.specification.gates import SETTINGS
from learners.specification.tuned import Biases, Norms, Tuned
from learners.training.fit import fit
from tasks.errors import InputError, InputErrors
from tests.loaded import backbone, encoded, score

EXAMPLES = [s for family in families().values() for s in family.examples]
SHARED = [name for name, family in families().items() if not family.unshared]
SPECIFICATIONS = st.one_of(
    st.sampled_from(EXAMPLES),
    st.builds("{}:{}".format, st.sampled_from(SHARED), st.sampled_from(["sequential", "frozen-shared"])),
    st.builds("adapter:{}:std={}:norms=no".format, st.integers(2, 1024), st.floats(1e-9, 1.0)),
    st.builds("lora:{}:alpha={}".format, st.integers(1, 1024), st.floats(1e-3, 1e4)),
)
ENCODERS = [known_architecture(name) for name in KNOWN_CONFIGS]
BIASED = [architecture for architecture in ENCODERS if architecture.anatomy.biased]
TUNED = st.builds(
    Tuned,
    top_layers=st.integers(0, 2),
    norms=st.sampled_from(get_args(Norms)),
    embedding_norm=st.booleans(),
    pooler=st.booleans(),
    biases=st.sampled_from(get_args(Biases)),
    pooler_bias=st.booleans(),
)


def test_mam_is_its_two_parts() -> None:
    joined, mam = parse_learner("prefix:16+parallel:16:scale=2"), parse_learner("mam:prefix=16:parallel=16")
    assert joined.modifications == mam.modifications
    assert joined.tuned == mam.tuned
    assert joined.family == "prefix+parallel"


def test_a_name_is_canonical_and_reads_back() -> None:
    written = ("prefix:30+parallel:512:scale=4", "prefix:length=30:isolated+parallel:scale=4.0:size=512")
    first, second = map(parse_learner, written)
    assert first == second
    assert first.name == "prefix+parallel:scale=4.0:size=512"
    assert parse_learner(first.name) == first
    with pytest.raises(InputErrors, match="the same learner twice"):
        parse_learners(",".join(written))


def test_a_plus_within_a_number_joins_nothing() -> None:
    assert parse_learner("lora:8:alpha=1e+3").name == parse_learner("lora:8:alpha=1000").name


def test_what_parts_tune_is_tuned_together() -> None:
    assert parse_learner("layernorm:embeddings=no+bitfit").tuned == Tuned(norms="layers", biases="all")
    assert parse_learner("topk:1+adapter:8").tuned == Tuned(top_layers=1, norms="layers", embedding_norm=True)
    assert parse_learner("adapter:8+layernorm").tuned == Tuned(norms="layers", embedding_norm=True)
    assert parse_learner("adapterbias+layernorm:embeddings=no").tuned == Tuned(norms="layers")
    assert parse_learner("bitfit:biases=q-m2:pooler=yes+bitfit:biases=layers").tuned == Tuned(
        biases="layers", pooler_bias=True
    )


@given(st.lists(TUNED, min_size=1, max_size=3), st.sampled_from(BIASED))
def test_the_union_is_that_of_the_parameters(parts: list[Tuned], architecture: Architecture) -> None:
    expected = {name for part in parts for name in part.parameters(architecture)}
    assert set(united(parts).parameters(architecture)) == expected


def test_other_things_that_there_can_be_one_of_are_kept() -> None:
    assert parse_learner("lora:2+prompt:4").prompt == 4
    assert parse_learner("lora:2+feature:3").layers_read == 3


def test_it_trains_as_its_first_part_at_the_lowest_rate() -> None:
    slow = replace(families()["lora"].training, learning_rate=families()["adapter"].training.learning_rate)
    assert slow.learning_rate < families()["lora"].training.learning_rate
    assert parse_learner("lora:8+adapter:8").training == slow
    assert parse_learner("prompt:4+lora:8").training == families()["lora"].training
    assert parse_learner("prefix:16+parallel:16").training == families()["mam"].training
    training, slow = parse_learner("ia3:epochs=9+topk:1").training, families()["topk"].training
    assert (training.epochs, training.learning_rate, training.width_power) == (9, slow.learning_rate, slow.width_power)


def test_a_rate_that_is_named_is_that_of_all() -> None:
    training = parse_learner("lora:8:epochs=7:learning_rate=0.01+adapter:8", {"batch_size": 4}).training
    assert (training.epochs, training.learning_rate, training.batch_size) == (7, 0.01, 4)
    for specification in ("ia3:learning_rate=0.02+topk:1", "ia3:learning_rate=0.02+topk:1+lora"):
        training = parse_learner(specification, {"learning_rate": 1e-5}).training
        assert (training.learning_rate, training.width_power) == (0.02, 0.0)
    training = parse_learner("ia3+topk:1", {"learning_rate": 0.5}).training
    assert (training.learning_rate, training.width_power) == (0.5, 0.0)


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
        ("lora:8+ia3:sequential", r"the parts have different sharing; found isolated and sequential"),
        ("lora:8+head", r"head cannot be joined with others; found it trains only a head"),
        ("feature:1+lora:8", r"feature cannot be joined with others; found it trains only a head"),
        ("nobert+lora:8", r"nobert cannot be joined with others; found it reads the words of the texts"),
        ("majority+lora:8", r"majority cannot be joined with others; found it trains no model"),
        ("full+lora:8", r"full cannot be joined with others; found it trains every weight"),
        ("bitfit+full", r"full cannot be joined with others; found it trains every weight"),
        ("diffpruning+lora:8", r"diffpruning cannot be joined with others; found it trains every weight"),
        ("lora:8+peft", r"peft cannot be joined with others; found peft replaces modules of the encoder"),
        ("prompt:4+prompt:8", r"two parts have a prompt"),
        ("feature:2+feature:3", r"two parts have a head on several layers"),
        ("feature:2+prompt:8", r"a prompt and a head on several layers; found .* the positions of the prompt"),
        ("adapterbias:l0+adapterbias:l0", r"two parts add adapterbias"),
        (
            "lora:8:frozen-shared+bitfit:frozen-shared",
            r"differ in what tasks have in common; found all tuned weights of bitfit, .* lora adds",
        ),
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
    with pytest.raises(InputError, match=rf"{option.split('=')[0]} of a later part has no effect"):
        parse_learner(f"prefix:4+parallel:8:{option}")
    assert parse_learner(f"prefix:4:{option}+parallel:8")


@given(st.lists(st.sampled_from(EXAMPLES), min_size=2, max_size=3))
def test_any_parts_join_or_are_refused(chosen: list[str]) -> None:
    try:
        learner = parse_learner("+".join(chosen))
    except InputError:
        return
    assert learner.modifications == tuple(m for s in chosen for m in parse_learner(s).modifications)
    assert len(learner.name) <= LONGEST
    again = parse_learner(learner.name)
    assert replace(again, training=learner.training) == learner, "a canonical name says no training options"


@given(st.lists(SPECIFICATIONS, min_size=1, max_size=4))
def test_the_canonical_name_of_all_that_is_accepted_reads_back(chosen: list[str]) -> None:
    try:
        learner = parse_learner("+".join(chosen))
    except InputError:
        return
    assert parse_learner(learner.name) == learner
    assert list(parse_learners(learner.name)) == [learner.name]


@pytest.mark.parametrize(
    "specification",
    [
        "adapter:1023:activation=silu:std=0.0123456789012345:where=attention:depth=3:inner_norm=bottleneck:norms=no"
        "+compacter:1020:terms=2:plus=yes:norms=yes+vera:1025:initial=0.1234567890123+lora:77+prompt:9",
        "peft:{peft_type=LORA,target_modules=" + "x" * (LONGEST - 38) + "}",
    ],
)
def test_what_would_not_read_back_is_refused(specification: str) -> None:
    assert len(specification) <= LONGEST
    with pytest.raises(
        InputError, match=rf"at most {LONGEST}; found 2\d\d characters in its canonical name"
    ) as refused:
        parse_learner(specification)
    assert len(refused.value.where) < 60
    with pytest.raises(InputErrors, match="too long"):
        parse_learners(specification)


def test_every_part_learns() -> None:
    base, data = backbone(), encoded("colours")
    learner = parse_learner("prefix:4+lora-ffn:2+ia3+bitfit", {"epochs": 2, "batch_size": 16, "learning_rate": 1e-2})
    first, last = initial_delta(base, learner, data.task, 0), fit(base, learner, data, score, 0).delta
    moved = {name for name, t in last.tensors.items() if not torch.equal(t, first.tensors[name])}
    assert {name.split(".")[1] for name in moved if name.startswith("added.")} == {"prefix", "lora", "ia3"}
    assert any(name.startswith("backbone.") for name in moved)

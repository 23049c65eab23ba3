"""Specifications of learners: the grammar, canonical names, and errors that say what to write instead."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learners.forms import Bottleneck, TokenShift
from learners.specification.family import SHARING, families, parse_learner, parse_learners
from learners.specification.gates import SETTINGS
from learners.specification.learner import Training, peak_rate
from learners.specification.option import option_text
from learners.specification.recipe import recipe_of
from learners.specification.tuned import Tuned
from tasks.errors import InputError, InputErrors

SAME = [
    (
        "houlsby",
        "adapter",
        "houlsby:64",
        "adapter:64",
        "adapter:size=64",
        "adapter:isolated:64",
        "adapter:64:std=1e-2",
        "adapter:std=0.01",
    ),
    ("houlsby:16", "adapter:16", "houlsby:size=16:isolated"),
    ("prefix", "prefix:30", "prefix:length=30:mlp=800"),
    ("mam", "mam:16", "mam:prefix=16:parallel=16", "mam:16:16:isolated", "mam:scale=2"),
    ("diffpruning", "diffpruning:0.005", "diffpruning:target=5e-3:after=0.5"),
    ("topk:2:sequential", "topk:sequential:2", "topk:k=2:sharing=sequential", "topk:sequential:pooler=no"),
    ("full", "full:isolated", "full:sharing=isolated"),
    ("adapterbias:l0", "adapterbias:l0=1e-4", "adapterbias:l0=0.0001:share=none", "adapterbias:l0:isolated"),
    ("layernorm", "layernorm:embeddings=yes"),
    ("adapter:8:learning_rate=1e-4", "adapter:learning_rate=0.0001:8"),
]


@pytest.mark.parametrize("specifications", SAME, ids=lambda group: group[0])
def test_one_learner_has_one_name(specifications: tuple[str, ...]) -> None:
    learners = [parse_learner(specification) for specification in specifications]
    assert all(learner == learners[0] for learner in learners)
    for index, other in enumerate(specifications[1:], 1):
        with pytest.raises(InputErrors, match="the same learner twice"):
            parse_learners(f"{specifications[0]},{other}")
        assert learners[index].name == learners[0].name


def test_different_learners_have_different_names() -> None:
    names = {parse_learner(group[0]).name for group in SAME[:-1]}
    assert len(names) == len(SAME) - 1


@pytest.mark.parametrize(
    ("option", "low", "high", "below", "above"),
    [
        ("patience", 0, 10_000, "-1", "10001"),
        ("warmup", 0.0, 1.0, "-0.1", "1.01"),
        ("clip", 0.0, 1e6, "-1", "1000001"),
        ("head_dropout", 0.0, 0.99, "-0.1", "1"),
    ],
)
def test_every_family_takes_the_settings_of_the_loop(
    option: str, low: float, high: float, below: str, above: str
) -> None:
    for name in families():
        for value in (low, high):
            if parse_learner(name).trains:
                assert getattr(parse_learner(f"{name}:{option}={value}").training, option) == value
            elif option != "patience":
                with pytest.raises(InputError, match=rf"{option} has no effect; found {name} takes no training steps"):
                    parse_learner(f"{name}:{option}={value}")
    for text in (below, above, "nan", "inf", "", "many"):
        with pytest.raises(InputError, match=f"bad value of {option}"):
            parse_learner(f"adapter:{option}={text}")


def test_settings_of_the_loop_change_no_name_and_only_their_own_part_of_a_recipe() -> None:
    plain = parse_learner("adapter:8")
    settings = {"patience": 0, "warmup": 0.0, "clip": 0.0, "head_dropout": 0.5, "decay": False}
    text = ":".join(f"{name}={option_text(value)}" for name, value in settings.items())
    written = parse_learner(f"adapter:8:{text}")
    assert (written.name, written.seeds) == (plain.name, plain.seeds)
    same = recipe_of(replace(written, training=plain.training))
    assert same == recipe_of(plain)
    assert {k: v for k, v in recipe_of(written)["training"].items() if k in settings} == settings
    assert not set(settings) & set(recipe_of(plain)["training"])


@given(st.lists(st.floats(1e-6, 1, exclude_min=True), min_size=2, max_size=2, unique=True))
def test_near_numbers_are_different_learners(values: list[float]) -> None:
    first, second = (f"adapter:std={value!r}" for value in values)
    assert parse_learner(first).name != parse_learner(second).name
    assert len(parse_learners(f"{first},{second}")) == 2


@given(st.integers(2, 1024), st.sampled_from(["isolated", "sequential", "frozen-shared"]), st.booleans(), st.randoms())
def test_order_of_options_does_not_matter(size: int, sharing: str, norms: bool, random: object) -> None:
    parts = [f"size={size}", f"sharing={sharing}", f"norms={'yes' if norms else 'no'}", "activation=relu"]
    expected = parse_learner(":".join(["adapter", *parts]))
    random.shuffle(parts)  # type: ignore[attr-defined]
    assert parse_learner(":".join(["adapter", *parts])) == expected
    assert parse_learner(expected.name) == expected, "a canonical name is a specification of the same learner"


def test_every_family_can_share_or_says_why_not() -> None:
    for family in families().values():
        assert (SHARING in family.options) != bool(family.unshared), family.name


def test_diff_pruning_trains_on_what_stays() -> None:
    for specification in (
        "diffpruning",
        "diffpruning:epochs=2",
        "diffpruning:epochs=0",
        "diffpruning:after=0.9:epochs=9",
    ):
        learner = parse_learner(specification)
        assert learner.pruning is not None
        assert learner.pruning.epoch(learner.training.epochs) < learner.training.epochs or not learner.training.epochs
    with pytest.raises(InputError, match="no epoch is left to train after pruning"):
        parse_learner("diffpruning", {"epochs": 1})


def test_adapter() -> None:
    learner = parse_learner("adapter:8:std=1e-3:activation=relu")
    assert [(m.site, m.reads, m.form, m.shared) for m in learner.modifications] == [
        ("attention.output", None, Bottleneck(8, "relu", 1e-3), ()),
        ("ffn.output", None, Bottleneck(8, "relu", 1e-3), ()),
    ]
    assert learner.tuned == Tuned(norms="layers", embedding_norm=True)
    assert parse_learner("adapter:8:norms=no").tuned == Tuned()


def test_adapterbias() -> None:
    learner = parse_learner("adapterbias:share=alpha:vector=ones")
    (shift,) = learner.modifications
    assert (shift.site, shift.reads, shift.insertion) == ("ffn.output", "ffn.intermediate", "parallel")
    assert shift.form == TokenShift("ones", 0.02)
    assert shift.shared == ("alpha.weight", "alpha.bias")
    assert learner.tuned == Tuned(norms="ffn")
    assert (learner.gates, learner.penalty) == (None, 0.0)


@pytest.mark.parametrize(
    ("specification", "setting", "penalty"),
    [
        ("adapterbias:l0", "diff-pruning", 1e-4),
        ("adapterbias:l0=1e-6", "diff-pruning", 1e-6),
        ("adapterbias:l0:gates=louizos", "louizos", 1e-4),
    ],
)
def test_gates(specification: str, setting: str, penalty: float) -> None:
    learner = parse_learner(specification)
    assert (learner.gates, learner.penalty) == (SETTINGS[setting], penalty)


def test_both_sharings_of_full_and_topk() -> None:
    assert parse_learner("full").tuned == parse_learner("full:sequential").tuned == Tuned(all=True)
    assert parse_learner("topk:3:sequential").tuned == Tuned(top_layers=3)
    assert parse_learner("topk:3:pooler=yes").tuned == Tuned(top_layers=3, pooler=True)
    assert [parse_learner(s).sharing for s in ("full", "topk:1")] == ["isolated"] * 2
    assert [parse_learner(s).sharing for s in ("full:sequential", "topk:1:sequential")] == ["sequential"] * 2


def test_settings_of_the_run_yield_to_the_specification() -> None:
    overrides = {"learning_rate": 1e-5, "epochs": 7, "batch_size": None}
    training = parse_learner("adapter:64:learning_rate=2e-3", overrides).training
    assert (training.learning_rate, training.epochs, training.batch_size) == (2e-3, 7, 32)
    assert parse_learner("adapter:64", overrides).training.learning_rate == 1e-5
    assert parse_learner("adapter:64").training == families()["adapter"].training


def test_a_learning_rate_is_no_part_of_the_name() -> None:
    """So that a sweep starts every run from the same weights; ids of results take the settings in besides."""
    slow, fast = parse_learners("adapter:8:learning_rate=1e-4,adapter:8:learning_rate=1e-3").values()
    assert slow.name == fast.name
    assert slow != fast


@pytest.mark.parametrize(
    ("specification", "message"),
    [
        ("adaptor:64", r"unknown learner 'adaptor'; did you mean adapter"),
        ("layer-norm", r"did you mean layernorm"),
        ("adapter:siez=64", r"unknown option of adapter 'siez'; did you mean size\?"),
        ("adapter:learning_rates=1", r"did you mean learning_rate"),
        ("adapter:0", r"size \(a whole number from 1 to 1024\).*found '0'"),
        ("adapter:1025", r"a whole number from 1 to 1024"),
        ("adapter:size=0", r"bad value of size; expected a whole number from 1 to 1024; found '0'"),
        ("adapter:size=-8", r"bad value of size"),
        ("adapter:64:64", r"cannot read this part.*found '64'"),
        ("adapter:64:size=8", r"size is given twice"),
        ("adapter:std=0", r"bad value of std"),
        ("adapter:std=nan", r"bad value of std"),
        ("adapter:norms=true", r"bad value of norms; expected yes or no"),
        ("adapter:activation=swish", r"one of gelu, relu, tanh, silu, identity"),
        ("topk:0", r"k \(a whole number"),
        ("topk:two", r"k \(a whole number.*sharing \(one of isolated, sequential, frozen-shared\)"),
        ("full:frozen", r"one of isolated, sequential, frozen-shared"),
        ("full:", r"cannot read this part"),
        ("head:2", r"expected key=value"),
        ("head:sequential", r"head has no sharing; found each task has its own head"),
        ("feature:2:sharing=frozen-shared", r"feature has no sharing"),
        ("majority:isolated", r"majority has no sharing"),
        ("nobert:sequential", r"nobert has no sharing"),
        ("nobert:wrds", r"cannot read this part .*pipeline \(one of best, words, characters"),
        ("diffpruning:frozen-shared", r"diffpruning has no sharing; found each task selects its own"),
        ("diffpruning:epochs=1", r"no epoch is left to train .* found pruning after epoch 1 of 1; set epochs=2"),
        ("diffpruning:after=0.9", r"found pruning after epoch 3 of 3"),
        ("adapter:\u0663", r"size \(a whole number"),
        ("adapter:size=\uff18", r"bad value of size"),
        ("adapter:std=\uff11", r"bad value of std"),
        ("lora:alpha=1_0", r"bad value of alpha"),
        ("lora:alpha= 1", r"bad value of alpha"),
        ("adapterbias:share=vector", r"one of none, v, alpha, both"),
        ("adapterbias:l0=2", r"a number from 0 to 1"),
        ("adapterbias:l0:l0=1e-3", r"l0 is given twice"),
        ("adapterbias:gates", r"cannot read this part"),
        ("adapterbias:std=0", r"dead initialisation.*expected std above 0"),
        ("adapterbias:std=0:vector=ones", r"dead initialisation"),
        ("", r"unknown learner ''"),
    ],
)
def test_bad_specifications(specification: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse_learner(specification)
    assert "\n" not in str(caught.value)


def test_all_errors_of_a_list_at_once() -> None:
    with pytest.raises(InputErrors) as caught:
        parse_learners("full, adaptor:64,adapter:0, topk:2,adapter:std=1,full:isolated")
    lines = [str(error) for error in caught.value.errors]
    assert len(lines) == 3
    assert "did you mean adapter" in lines[0]
    assert "from 1 to 1024" in lines[1]
    assert "full and full:isolated" in lines[2]


def test_a_list_keeps_its_order_and_what_was_written() -> None:
    written = ["topk:2", "full:sequential", "adapter:size=64", "full"]
    assert list(parse_learners(" , ".join(written))) == written


@given(st.text(max_size=30))
def test_any_text_gives_a_learner_or_an_input_error(text: str) -> None:
    for specification in (text, f"adapter:{text}", f"adapterbias:l0={text}", f"topk:k={text}"):
        with suppress(InputError):
            assert parse_learner(specification).family in families()


@pytest.mark.parametrize("name", [name for name in families() if parse_learner(name).trains])
def test_a_named_rate_is_taken_as_it_is_at_every_width(name: str) -> None:
    for learner in (parse_learner(f"{name}:learning_rate=0.002"), parse_learner(name, {"learning_rate": 0.002})):
        assert [peak_rate(learner.training, width) for width in (128, 384, 1024)] == [0.002] * 3


def test_default_rates_fall_with_the_width_of_what_is_trained() -> None:
    full = parse_learner("full").training
    assert peak_rate(full, 384) == full.learning_rate
    assert 2e-5 <= peak_rate(full, 768) <= 5e-5  # Devlin et al. 2019, appendix A.3
    assert peak_rate(Training(1e-3), 128) == 1e-3

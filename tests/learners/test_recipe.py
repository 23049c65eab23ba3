"""Names, seeds and ids come from what is set: a new option changes none of them; what computes otherwise differs."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from learners.delta.initial import initial_delta
from learners.methods.adapter import FAMILY
from learners.specification.family import FAMILIES, families, parse_learner
from learners.specification.option import Option, integer
from learners.specification.recipe import recipe_of
from learners.training.fit import fit
from tasks.content import canonical
from tests.learners.test_fit import DATA, score
from tests.loaded import backbone

EXAMPLES = [example for family in families().values() for example in (family.name, *family.examples)]


def test_a_new_option_changes_no_name_seed_or_id(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: parse_learner(name) for name in ("adapter", "adapter:8:sequential", "prefix:4+adapter:8")}
    newer = replace(FAMILY, options=(*FAMILY.options, Option("rest", integer(0, 9), 3, "a new option")))
    table = {**families(), "adapter": newer}
    monkeypatch.setattr(type(FAMILIES), "known", lambda self: table)
    for name, learner in before.items():
        now = parse_learner(name)
        assert (now.name, now.seeds, recipe_of(now)) == (learner.name, learner.seeds, recipe_of(learner))
    assert parse_learner("adapter:rest=4").name == "adapter:rest=4"


def test_another_format_of_a_family_changes_its_ids_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: recipe_of(parse_learner(name)) for name in ("adapter:8", "prefix:4+adapter:8", "prefix:4")}
    table = {**families(), "adapter": replace(FAMILY, format=2)}
    monkeypatch.setattr(type(FAMILIES), "known", lambda self: table)
    now = {name: recipe_of(parse_learner(name)) for name in before}
    assert [now[name] != before[name] for name in before] == [True, True, False]
    assert now["prefix:4+adapter:8"]["formats"] == ["adapter 2"]


def test_different_learners_have_different_recipes_even_without_their_names() -> None:
    unnamed = {replace(parse_learner(example), name="", family="") for example in EXAMPLES}
    assert len({canonical(recipe_of(learner)) for learner in unnamed}) == len(unnamed)


def test_the_class_of_a_form_counts() -> None:
    gated, open_ = (parse_learner(f"prefix:4:gate={gate}").modifications[0] for gate in ("yes", "no"))
    same = parse_learner("prefix:4")
    first, second = (recipe_of(replace(same, modifications=(found,))) for found in (gated, open_))
    assert vars(gated.form) == vars(open_.form)
    assert first != second
    assert [each["modifications"][0]["form"]["class"] for each in (first, second)] == ["Prefix", "UngatedPrefix"]


def test_learners_share_their_head_and_the_order_of_their_batches() -> None:
    """The difference between two learners then holds less chance."""
    base = backbone("bert", "mean")
    learners = [parse_learner(name) for name in ("head", "full:sequential", "adapter:4", "lora:2")]
    heads = [initial_delta(base, learner, DATA.task, seed=3).tensors["head.weight"] for learner in learners]
    assert all(torch.equal(head, heads[0]) for head in heads)
    assert not torch.equal(initial_delta(base, learners[0], DATA.task, seed=4).tensors["head.weight"], heads[0])
    # Two learners whose other numbers have other seeds learn the same, if nothing but head and order is drawn.
    still = replace(parse_learner("head:epochs=2:batch_size=8:dropout=no"), draws_as="another")
    still = replace(still, training=replace(still.training, head_dropout=0.0))
    own = replace(still, draws_as="")
    assert fit(base, still, DATA, score, 3).delta.id == fit(base, own, DATA, score, 3).delta.id

"""Unlabelled text for pretraining: what a bond says of two texts holds of their propositions."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from pretraining.documents import document
from pretraining.pairs import inquiry, pair, views

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.logic import contradicts, entails
from tasks.sources.simulated.variation import normal

places = st.integers(0, 10**9)


@given(seed=st.integers(0, 5), index=places)
def test_a_document_depends_on_its_place_alone(seed: int, index: int) -> None:
    one = document(seed, index)
    assert one == document(seed, index)
    assert one.text.strip()
    assert (one.text_b is None) == (not one.told_b)


@given(index=places)
def test_retold_is_the_same_in_other_words(index: int) -> None:
    told = pair(Chance("test", index))
    if told.bond == "retold":
        assert {normal(p) for p in told.told} == {normal(p) for p in told.told_b}


@given(index=places)
def test_what_is_implied_follows_and_what_is_changed_does_not(index: int) -> None:
    told = pair(Chance("test", index))
    if told.bond == "implied":
        assert all(any(entails(p, q) for p in told.told) for q in told.told_b)
    if told.bond == "detailed":
        assert all(any(entails(p, q) for p in told.told_b) for q in told.told)
    if told.bond == "changed":
        assert any(not entails(p, q) for p in told.told for q in told.told_b)
        assert any(all(not entails(p, q) for p in told.told) for q in told.told_b)


@given(index=places)
def test_two_views_come_to_the_same_or_to_the_opposite(index: int) -> None:
    told = views(Chance("test", index))
    if told.bond is not None:
        (one,), (other,) = told.told, told.told_b
        assert (told.bond == "changed") == contradicts(one, other)
        assert (told.bond == "retold") == (one == other)


@settings(max_examples=200)
@given(index=places)
def test_a_passage_that_answers_a_question_tells_what_it_asks_about(index: int) -> None:
    told = inquiry(Chance("test", index))
    (asked,) = told.told
    if told.bond == "detailed":
        assert any(entails(p, asked) for p in told.told_b)
    if told.bond == "changed" and len(told.told_b) > 1:
        assert not any(entails(p, asked) for p in told.told_b)

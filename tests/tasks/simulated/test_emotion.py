"""Emotions: the writer's count, and compound ones are two basic ones together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twins.emotion import TWINS, emotion, of_writer

TWEETS, PRIMARY = (twin.mechanism for twin in TWINS)
WRITER, SISTER = Entity("I", "pronoun"), Entity("sister", "my")


def feels(who: Entity, quality: str, negated: bool = False) -> Proposition:
    return Proposition(who, "be", quality=quality, negated=negated)


@pytest.mark.parametrize(
    ("told", "felt"),
    [
        (feels(WRITER, "happy"), "joy"),
        (feels(WRITER, "happy", True), "sadness"),  # its opposite
        (feels(WRITER, "ecstatic", True), None),  # without opposite
        (feels(WRITER, "fearless"), None),
        (feels(WRITER, "fearless", True), "fear"),
        (feels(WRITER, "unsurprised", True), "surprise"),
        (Proposition(WRITER, "laugh"), "fun"),
        (Proposition(WRITER, "laugh", negated=True), None),
        (Proposition(Entity("funeral", "our"), "be", time="yesterday"), "sadness"),
        (Proposition(WRITER, "wait"), None),
    ],
)
def test_an_emotion_is_told_shown_caused_or_its_opposite_denied(told: Proposition, felt: str | None) -> None:
    assert emotion(told) == felt


def test_only_the_writers_emotion_counts() -> None:
    sad, calm = feels(SISTER, "sad"), feels(WRITER, "calm")
    assert not of_writer(sad)
    assert of_writer(calm)
    assert not of_writer(Proposition(Entity("funeral", "her"), "be", time="yesterday"))
    assert TWEETS.labels[int(TWEETS.label((sad, calm)))] == "relief"
    assert TWEETS.labels[int(TWEETS.label((sad,)))] == "neutral"


@pytest.mark.parametrize(
    ("first", "second", "compound"),
    [("terrified", "stunned", "Awe"), ("sad", "stunned", "Disapproval"), ("happy", "sad", "Ambiguous")],
)
def test_two_emotions_make_a_compound(first: str, second: str, compound: str) -> None:
    meaning = (feels(WRITER, first), feels(SISTER, "angry"), feels(WRITER, second))
    assert PRIMARY.labels[int(PRIMARY.label(meaning))] == compound


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_every_draw_has_a_class(seed: int) -> None:
    for mechanism in (TWEETS, PRIMARY):
        assert 0 <= mechanism.label(mechanism.draw(Chance("emotion", seed))) < len(mechanism.labels)

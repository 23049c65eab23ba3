"""Emotions: the writer's count, and compound ones are two basic ones together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.feelings import emotion, of_writer
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twin import Mechanism
from tasks.sources.simulated.twins.emotion import TWINS, Alike, Emotion

TWEETS, PRIMARY = (twin.mechanism for twin in TWINS)
DIFFICULTIES = (0.0, None, 1.0)  # None: the default
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


def at(mechanism: Mechanism, difficulty: float | None) -> Emotion:
    assert isinstance(mechanism, Emotion)
    return mechanism if difficulty is None else replace(mechanism, difficulty=difficulty)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(DIFFICULTIES) | st.floats(0, 1))
def test_every_draw_has_a_class(seed: int, difficulty: float | None) -> None:
    for mechanism in (at(TWEETS, difficulty), at(PRIMARY, difficulty)):
        assert 0 <= mechanism.label(mechanism.draw(Chance("emotion", seed))) < len(mechanism.labels)


def tells_of_others(told: Proposition | Alike) -> bool:
    return isinstance(told, Alike) or (emotion(told) is not None and not of_writer(told))


@pytest.mark.parametrize("mechanism", [TWEETS, PRIMARY])
def test_others_have_feelings_where_it_is_hard(mechanism: Mechanism) -> None:
    easy, hard = (
        [at(mechanism, difficulty).draw(Chance("others", seed)) for seed in range(100)] for difficulty in (0, 1)
    )
    assert not any(any(map(tells_of_others, meaning)) for meaning in easy)
    assert all(any(map(tells_of_others, meaning)) for meaning in hard)


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_the_number_of_feelings_tells_no_compound(difficulty: float | None) -> None:
    """Where others have feelings, three are told, whether the writer has two of them, one, or none."""
    primary = at(PRIMARY, difficulty)
    for meaning in (primary.draw(Chance("number", seed)) for seed in range(100)):
        if any(map(tells_of_others, meaning)):
            assert sum(isinstance(p, Proposition) and emotion(p) is not None for p in meaning) == 3

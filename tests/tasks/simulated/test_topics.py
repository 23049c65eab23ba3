"""Topics: what is said decides, not the words in passing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twin import Mechanism
from tasks.sources.simulated.twins.topics import NEWS, TWINS, Discourse, Topics

GROUPS, HEADLINES = (twin.mechanism for twin in TWINS)


def at(mechanism: Mechanism, difficulty: float | None) -> Topics:
    assert isinstance(mechanism, Topics)
    return mechanism if difficulty is None else replace(mechanism, difficulty=difficulty)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from((0.0, None, 1.0)))
def test_most_statements_are_about_the_topic(seed: int, difficulty: float | None) -> None:
    groups = at(GROUPS, difficulty)
    meaning = groups.draw(Chance("topics", seed))
    counts = sorted(groups.counts(meaning))
    assert counts[-1] > counts[-2]  # no tie decides
    assert groups.counts(meaning)[int(groups.label(meaning))] == counts[-1]
    if difficulty == 0:
        assert counts[-2] == 0


def test_nearly_half_of_a_text_is_of_a_neighbour_where_it_is_hard() -> None:
    """Of a digression into a topic with few verbs of its own (PC hardware), up to a quarter is on everyday matters."""
    drawn = [at(GROUPS, 1.0).draw(Chance("topics", seed)) for seed in range(100)]
    shares = [sorted(at(GROUPS, 1.0).counts(meaning))[-2] / len(meaning.statements) for meaning in drawn]
    assert 0.38 < sum(shares) / len(shares) < 0.45
    assert min(shares) > 0.2


@pytest.mark.parametrize("difficulty", [0.0, 0.3, 1.0])
def test_digressions_are_spread_so_that_the_beginning_tells_of_the_whole(difficulty: float) -> None:
    groups = at(GROUPS, difficulty)
    for seed in range(30):
        asides = groups._asides(40, Chance("spread", seed))
        for size in (6, 20, 40):
            assert abs(sum(asides[:size]) - size * groups.digression * difficulty) <= 1


def test_what_is_spoken_of_is_of_another_topic_where_it_is_hard() -> None:
    for difficulty, least, most in ((0.0, 0.0, 0.05), (1.0, 0.3, 1.0)):
        headlines = at(HEADLINES, difficulty)
        meanings = [headlines.draw(Chance("guests", seed)) for seed in range(200)]
        fields = [
            (headlines.topic_of.get(lexicon().nouns[p.subject.noun].field), headlines.label(meaning))
            for meaning in meanings
            for p in meaning.statements
            if p.subject.noun in lexicon().nouns
        ]
        others = sum(topic not in (None, label) for topic, label in fields) / len(fields)
        assert least <= others <= most  # a topic without things of a kind borrows them


def test_what_is_said_counts_more_than_what_it_is_said_of() -> None:
    assert isinstance(HEADLINES, Topics)
    singer = Entity("performer")  # entertainment
    said = Proposition(singer, "acquire", Entity("company"))  # business
    assert NEWS[int(HEADLINES.label(Discourse("", (said,))))][0] == "b"
    assert HEADLINES.about(Proposition(singer, "wait")) == HEADLINES.labels.index("e")
    assert HEADLINES.about(Proposition(Entity("dog"), "wait")) is None


def test_long_texts_digress() -> None:
    assert isinstance(GROUPS, Topics)
    drawn = [GROUPS.counts(GROUPS.draw(Chance("asides", seed))) for seed in range(30)]
    assert sum(sum(count > 2 for count in counts) >= 2 for counts in drawn) > 20

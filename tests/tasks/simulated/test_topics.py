"""Topics: what is said decides, not the words in passing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twins.topics import NEWS, TWINS, Discourse, Topics

GROUPS, HEADLINES = (twin.mechanism for twin in TWINS)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_most_statements_are_about_the_topic(seed: int) -> None:
    assert isinstance(GROUPS, Topics)
    meaning = GROUPS.draw(Chance("topics", seed))
    counts = sorted(GROUPS.counts(meaning))
    assert counts[-1] > counts[-2]  # no tie decides
    assert GROUPS.counts(meaning)[int(GROUPS.label(meaning))] == counts[-1]


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

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twins.relevance import TWINS, Article, Matter, Performance, performance

MATTER, STATES = (twin.mechanism for twin in TWINS)
assert isinstance(MATTER, Matter)
assert isinstance(STATES, Performance)
SHRANK = Proposition(Entity("economy"), "shrink")
ASIDE = Proposition(Entity("nurse"), "see", Entity("dog", "a"))


@pytest.mark.parametrize(
    ("told", "stated"),
    [
        (SHRANK, True),
        (replace(SHRANK, negated=True), True),
        (replace(SHRANK, tense="present", modal="might"), False),
        (replace(SHRANK, tense="future"), False),
        (replace(SHRANK, place="Norwyn"), False),
        (replace(SHRANK, time="a decade ago"), False),
        (replace(SHRANK, time="last month"), True),
        (replace(SHRANK, subject=Entity("manufacturer")), False),
        (Proposition(Entity("economy"), "be", quality="thriving", tense="present"), True),
        (ASIDE, False),
    ],
)
def test_performance(told: Proposition, stated: bool) -> None:
    assert performance(told) is stated
    assert STATES.label(Article((ASIDE, told), "")) == stated


def test_what_most_statements_are_about_counts() -> None:
    assert MATTER.concerns(SHRANK)
    assert not MATTER.concerns(ASIDE)
    assert MATTER.label(Article((ASIDE, SHRANK, SHRANK), "")) == 1
    assert MATTER.label(Article((SHRANK, ASIDE, ASIDE), "")) == 0


@pytest.mark.parametrize("mechanism", [MATTER, STATES])
def test_shares(mechanism: Matter | Performance) -> None:
    labels = [mechanism.label(mechanism.draw(Chance("article", index))) for index in range(200)]
    assert abs(sum(labels) / 200 - mechanism.shares[1]) < 0.1


def test_articles_about_something_else_speak_of_the_economy_too() -> None:
    others = [
        meaning for meaning in (MATTER.draw(Chance("article", n)) for n in range(40)) if not MATTER.label(meaning)
    ]
    assert sum(any(map(MATTER.concerns, article.told)) for article in others) > len(others) / 2

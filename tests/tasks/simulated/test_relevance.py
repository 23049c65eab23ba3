from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twins.relevance import ECONOMY, TWINS, Article, Matter, Performance, performance

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


@pytest.mark.parametrize("difficulty", [0.0, None, 1.0])
@pytest.mark.parametrize("twin", [MATTER, STATES])
def test_shares(twin: Matter | Performance, difficulty: float | None) -> None:
    mechanism: Any = twin if difficulty is None else replace(twin, difficulty=difficulty)
    labels = [mechanism.label(mechanism.draw(Chance("article", index))) for index in range(200)]
    assert abs(sum(labels) / 200 - mechanism.shares[1]) < 0.1


def test_articles_about_something_else_speak_of_the_economy_too() -> None:
    others = [
        meaning for meaning in (MATTER.draw(Chance("article", n)) for n in range(40)) if not MATTER.label(meaning)
    ]
    assert sum(any(map(MATTER.concerns, article.told)) for article in others) > len(others) / 2


def test_articles_speak_of_nothing_else_where_it_is_easy_and_half_of_it_where_it_is_hard() -> None:
    for difficulty, least, most in ((0.0, 0.0, 0.0), (0.5, 0.15, 0.27), (1.0, 0.4, 0.499)):
        matter = replace(MATTER, difficulty=difficulty)
        for article in (matter.draw(Chance("passing", n)) for n in range(20)):
            economic = sum(map(matter.concerns, article.told)) / len(article.told)
            assert least <= min(economic, 1 - economic) <= most


def test_words_of_doing_well_or_badly_tell_where_it_is_easy_and_not_where_it_is_hard() -> None:
    for difficulty, least, most in ((0.0, 0.8, 3.0), (1.0, -0.3, 0.3)):
        states = replace(STATES, difficulty=difficulty)
        counts: tuple[list[int], list[int]] = ([], [])
        for article in (states.draw(Chance("near", n)) for n in range(300)):
            counts[int(states.label(article))].append(sum(map(sounds_like_performance, article.told)))
        without, stated = (sum(of_class) / len(of_class) for of_class in counts)
        assert least < stated - without < most


def sounds_like_performance(p: Proposition) -> bool:
    """Whether a verb or adjective of the economy says that something does well or badly, whatever it is said of."""
    said = lexicon().adjectives[p.quality] if p.quality else lexicon().verbs.get(p.verb)
    return said is not None and said.value != 0 and said.field in ECONOMY

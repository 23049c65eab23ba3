"""Political posts: three labels of one text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tasks.sources.simulated.acts import Act
from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.politics import audience_of, bias_of, judgement, message_of, of_party
from tasks.sources.simulated.twin import example
from tasks.sources.simulated.twins.media import TWINS

WRITER, IT = Entity("I", "pronoun"), Entity("it", "pronoun")
MINISTRY, PARTY, BILL = Entity("ministry"), Entity("commons party"), Entity("draft law", "this")


def state(*p: Proposition) -> tuple[Act, ...]:
    return tuple(Act("state", one) for one in p)


@pytest.mark.parametrize(
    ("first", "message"),
    [
        (Proposition(MINISTRY, "mismanage", Entity("public service")), "attack"),
        (Proposition(MINISTRY, "mismanage", Entity("public service"), negated=True), "support"),
        (Proposition(MINISTRY, "issue", Entity("guideline")), "information"),
        (Proposition(WRITER, "oppose", BILL), "policy"),
        (Proposition(WRITER, "hear out", Entity("pensioner", "a")), "constituency"),
        (Proposition(WRITER, "chat live with", Entity("news anchor")), "media"),
        (Proposition(Entity("daughter", "my"), "wait"), "personal"),
        (Proposition(Entity("dog"), "bark at", Entity("cat")), "other"),
    ],
)
def test_the_first_sentence_says_what_the_post_is_for(first: Proposition, message: str) -> None:
    assert message_of(state(first, Proposition(PARTY, "wait"))) == message


def test_bias_is_judging_a_party_not_naming_it() -> None:
    bad = Proposition(MINISTRY, "be", quality="unaccountable")
    named = Proposition(PARTY, "wait")
    assert judgement(bad) == -1
    assert judgement(named) == 0
    assert bias_of(state(bad, named)) == "neutral"
    assert (
        bias_of(state(bad, Proposition(Entity("social programme"), "sustain", Entity("family", "many")))) == "partisan"
    )


def test_the_audience_is_ones_own_people() -> None:
    assert audience_of(state(Proposition(IT, "matter to", Entity("pensioner", "our", many=True)))) == "constituency"
    assert audience_of(state(Proposition(IT, "matter to", Entity("pensioner", "most")))) == "national"


def test_the_matter_may_be_of_no_weight_to_ones_own_people() -> None:
    ours = Proposition(IT, "matter to", Entity("pensioner", "our", many=True), tense="present")
    theirs = Proposition(IT, "matter to", Entity("voter", "the", many=True), tense="present")
    assert audience_of(state(replace(ours, negated=True), theirs)) == "national"
    assert audience_of(state(ours, replace(theirs, negated=True))) == "constituency"


def posts(difficulty: float, n: int = 150) -> list[tuple[Act, ...]]:
    mechanism: Any = replace(TWINS[0].mechanism, difficulty=difficulty)  # type: ignore[type-var]
    return [mechanism.draw(Chance("posts", index)) for index in range(n)]


def names_own(meaning: tuple[Act, ...]) -> bool:
    things = (act.proposition.object for act in meaning if act.proposition.subject == IT)
    return any(thing is not None and thing.quantity == "our" for thing in things)


def names_party(meaning: tuple[Act, ...]) -> bool:
    return any(of_party(act.proposition) for act in meaning)


def test_hard_posts_name_their_own_people_and_a_party_whatever_the_label() -> None:
    easy, hard = posts(0), posts(1)
    assert all(names_own(meaning) == (audience_of(meaning) == "constituency") for meaning in easy)
    assert all(names_own(meaning) for meaning in hard)
    assert all(names_party(meaning) == (bias_of(meaning) == "partisan") for meaning in easy)
    assert all(names_party(meaning) for meaning in hard)
    for found in (easy, hard):
        assert 0.1 < sum(audience_of(meaning) == "constituency" for meaning in found) / len(found) < 0.32
        assert 0.15 < sum(bias_of(meaning) == "partisan" for meaning in found) / len(found) < 0.38


@pytest.mark.parametrize("difficulty", [0, None, 1])
def test_three_tasks_ask_about_the_same_texts(difficulty: float | None) -> None:
    for index in range(20):
        asked: list[Any] = list(TWINS)
        if difficulty is not None:
            asked = [replace(twin, mechanism=replace(twin.mechanism, difficulty=difficulty)) for twin in asked]
        rows = [example(twin, 3, "test", index) for twin in asked]
        assert len({row.text for row in rows}) == 1
        labels = [twin.mechanism.labels[int(row.clean)] for twin, row in zip(TWINS, rows, strict=True)]
        assert labels == [ask(rows[0].meaning) for ask in (audience_of, bias_of, message_of)]

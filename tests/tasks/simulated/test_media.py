"""Political posts: three labels of one text."""

from __future__ import annotations

import pytest

from tasks.sources.simulated.acts import Act
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twin import example
from tasks.sources.simulated.twins.media import TWINS, audience_of, bias_of, judgement, message_of

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


def test_three_tasks_ask_about_the_same_texts() -> None:
    for index in range(20):
        rows = [example(twin, 3, "test", index) for twin in TWINS]
        assert len({row.text for row in rows}) == 1
        labels = [twin.mechanism.labels[int(row.clean)] for twin, row in zip(TWINS, rows, strict=True)]
        assert labels == [ask(rows[0].meaning) for ask in (audience_of, bias_of, message_of)]

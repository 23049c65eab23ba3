"""Company tweets and text messages: what is done by saying something, and to whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.sources.simulated import politics
from tasks.sources.simulated.acts import Act, utter
from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import LITERAL
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.text import join
from tasks.sources.simulated.twins import complaints, corporate, media, spam

COMPANY, SMS = corporate.TWINS[0].mechanism, spam.TWINS[0].mechanism
WE, YOU = Entity("we", "pronoun"), Entity("you", "pronoun")
JOIN = Proposition(YOU, "sign up for", Entity("newsletter", "our"), tense="present")
PRIZE = Proposition(YOU, "win", Entity("cash prize", "a"))
CALL = Proposition(YOU, "ring up", Entity("prize hotline", "our"), tense="present")


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (Act("urge", JOIN), "sign up for our newsletter"),
        (Act("urge", replace(JOIN, negated=True)), "do not sign up for our newsletter"),
        (Act("ask", replace(JOIN, tense="past")), "did you sign up for our newsletter?"),
        (Act("thank", JOIN), "signing up for our newsletter"),
        (
            Act("apologise", Proposition(WE, "check", Entity("newsletter", "your"), negated=True)),
            "we did not check your",
        ),
        (Act("state", Proposition(WE, "wait")), "we waited"),
    ],
)
def test_speech_acts_in_words(act: Act, text: str) -> None:
    assert text in join(utter(act, LITERAL, Chance("utter")))


@pytest.mark.parametrize(
    ("acts", "purpose"),
    [
        ((Act("urge", JOIN), Act("thank", JOIN)), "Action"),
        ((Act("state", replace(JOIN, subject=Entity("customer", "many"))),), "Information"),  # the same deed, reported
        ((Act("thank", JOIN), Act("state", Proposition(WE, "post a profit"))), "Dialogue"),
        ((Act("state", Proposition(Entity("dog"), "bark at", Entity("cat"))),), "Exclude"),
    ],
)
def test_purpose_of_a_company_tweet(acts: tuple[Act, ...], purpose: str) -> None:
    assert COMPANY.labels[int(COMPANY.label(acts))] == purpose


@pytest.mark.parametrize(
    ("acts", "is_spam"),
    [
        ((Act("state", PRIZE), Act("urge", CALL)), True),
        ((Act("urge", CALL), Act("state", PRIZE)), True),
        ((Act("state", PRIZE),), False),
        ((Act("state", PRIZE), Act("urge", replace(CALL, negated=True))), False),
        ((Act("state", replace(PRIZE, subject=Entity("uncle", "my"))), Act("urge", CALL)), False),
        ((Act("state", PRIZE), Act("state", replace(CALL, subject=WE, tense="past"))), False),
    ],
)
def test_spam_offers_and_asks(acts: tuple[Act, ...], is_spam: bool) -> None:
    assert SMS.label(acts) == is_spam


@pytest.mark.parametrize("mechanism", [COMPANY, SMS], ids=["corporate", "spam"])
def test_shares(mechanism: corporate.CompanyTalk | spam.Spam) -> None:
    labels = [mechanism.label(mechanism.draw(Chance("shares", k))) for k in range(600)]
    for label, share in enumerate(mechanism.shares):
        assert labels.count(label) / 600 == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("difficulty", [0.0, 1.0])
def test_spam_keeps_its_share_and_friends_use_its_words_where_it_is_hard(difficulty: float) -> None:
    assert isinstance(SMS, spam.Spam)
    mechanism, n = replace(SMS, difficulty=difficulty), 600
    drawn = [mechanism.draw(Chance("lookalikes", k)) for k in range(n)]
    ham = [meaning for meaning in drawn if not mechanism.label(meaning)]
    assert 1 - len(ham) / n == pytest.approx(mechanism.share, abs=0.05)
    lookalikes = [meaning for meaning in ham if any(map(of_spam, meaning))]
    assert len(lookalikes) / len(ham) == pytest.approx(mechanism.lookalike * difficulty, abs=0.08)
    if difficulty:  # each half of spam occurs alone
        assert 0.1 < sum(any(map(spam.offers_gain, meaning)) for meaning in lookalikes) / len(lookalikes) < 0.9
        assert 0.1 < sum(any(map(spam.asks_profit, meaning)) for meaning in lookalikes) / len(lookalikes) < 0.9


def of_spam(act: Act) -> bool:
    p = act.proposition
    return p.verb in (*spam.ASKING, *spam.WINNING, "shortlist") or (
        p.object is not None and p.object.noun in spam.GAINS
    )


def test_the_lexicon_has_the_words_that_mechanisms_name() -> None:
    verbs = (*corporate.DEEDS, *corporate.NEWS, *corporate.ANSWERS, *spam.WINNING, *spam.GIVING, *spam.ASKING,
             *spam.TOWARDS_ME, *media.AT_HOME, *media.CALLS, *complaints.DOINGS)  # fmt: skip
    nouns = (*spam.GAINS, *spam.CONTACTS, *politics.LOCAL, *media.NATIONAL, *politics.RELATIVES, *complaints.THINGS)
    assert [verb for verb in verbs if verb not in lexicon().verbs] == []
    assert [noun for noun in nouns if noun not in lexicon().nouns] == []

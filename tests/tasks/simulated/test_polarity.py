from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.opinions import Judgement, Opinion, judged, polarity
from tasks.sources.simulated.twin import Twin
from tasks.sources.simulated.twins.polarity import COMPOSED, TWINS, Polarity
from tests.tasks.simulated.readers import opinion_of

FILM, ME = Entity("film"), Entity("I", "pronoun")
GOOD, BAD = (Judgement(Proposition(FILM, "be", quality=quality)) for quality in ("great", "terrible"))
NOT_GOOD, NOT_BAD = (Judgement(Proposition(FILM, "be", quality=q, negated=True)) for q in ("great", "terrible"))
ENJOYED, PANNED = (Judgement(Proposition(ME, verb, FILM)) for verb in ("enjoy", "pan"))


def at(twin: Twin, difficulty: float | None) -> Polarity:
    """The mechanism of a twin at a difficulty; at None its own."""
    assert isinstance(twin.mechanism, Polarity)
    return twin.mechanism if difficulty is None else replace(twin.mechanism, difficulty=difficulty)


@pytest.mark.parametrize(
    ("opinion", "sign"),
    [
        (Opinion((), GOOD), 1),
        (Opinion((), NOT_GOOD), -1),
        (Opinion((), NOT_BAD), 1),
        (Opinion((), PANNED), -1),
        (Opinion((), GOOD, PANNED, "but"), -1),
        (Opinion((), NOT_GOOD, ENJOYED, "but"), 1),
        (Opinion((), GOOD, BAD, "although"), 1),  # "good, although bad"
        (Opinion((), GOOD, BAD, "although first"), -1),  # "although good, bad"
        (Opinion((), Judgement(GOOD.about, "unreal")), -1),
        (Opinion((), Judgement(BAD.about, "unreal")), 1),
        (Opinion((), PANNED, ENJOYED, "who"), 1),  # "people who pan such films will enjoy this one"
        (Opinion((), GOOD, PANNED, "but", GOOD), -1),  # "good, but bad, although good"
        (Opinion((), Judgement(GOOD.about, "unreal"), Judgement(BAD.about, "unreal"), "but"), 1),
        (Opinion((Judgement(BAD.about, "asked"), Judgement(GOOD.about, "hoped"))), 0),
        (Opinion(()), 0),
    ],
)
def test_the_judgement_that_counts(opinion: Opinion, sign: int) -> None:
    assert polarity(opinion) == sign


@pytest.mark.parametrize("difficulty", [0.0, None, 1.0])
@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.task.name)
def test_labels_follow_the_shares(twin: Twin, difficulty: float | None) -> None:
    mechanism, n = at(twin, difficulty), 1200
    labels = [mechanism.label(mechanism.draw(Chance("share", index))) for index in range(n)]
    for label, share in enumerate(mechanism.shares):
        assert abs(labels.count(label) / n - share) < 0.05


def test_every_kind_of_composition_has_both_signs() -> None:
    mechanism = TWINS[0].mechanism
    assert isinstance(mechanism, Polarity)
    for kind in COMPOSED:
        for sign in (-1, 1):
            for index in range(20):
                assert polarity(mechanism._opinion(kind, sign, Chance(kind, sign, index))) == sign


@pytest.mark.parametrize(("difficulty", "least", "most"), [(0.0, 0.03, 0.12), (0.5, 0.35, 0.6), (1.0, 0.7, 0.95)])
def test_difficulty_is_the_share_of_opinions_that_need_more_than_their_words(
    difficulty: float, least: float, most: float
) -> None:
    """The sum of the words' own values has another sign than the opinion, or none."""
    mechanism, misleading = at(TWINS[0], difficulty), 0
    for index in range(1000):
        meaning = mechanism.draw(Chance("half", index))
        told = [j for j in (meaning.first, meaning.second, meaning.conceded) if j is not None]
        plain = [judged(Judgement(j.about)) * (-1 if j.about.negated else 1) for j in told]
        misleading += sum(plain) * polarity(meaning) <= 0
    assert least < misleading / 1000 < most


@pytest.mark.parametrize("difficulty", [0.0, None, 1.0])
@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.task.name)
def test_wishes_say_nothing_about_the_class(twin: Twin, difficulty: float | None) -> None:
    mechanism = at(twin, difficulty)
    wishes: dict[float, list[bool]] = {}
    for index in range(1500):
        meaning = mechanism.draw(Chance("wishes", index))
        hoped = any(fact.mode == "hoped" for fact in meaning.facts)
        wishes.setdefault(mechanism.label(meaning), []).append(hoped)
    shares = [sum(of_class) / len(of_class) for of_class in wishes.values()]
    assert max(shares) - min(shares) < 0.07
    assert (max(shares) > 0) == (mechanism.difficulty > 0)


@pytest.mark.parametrize("difficulty", [0.0, 0.5, 1.0])
def test_reviews_of_any_difficulty_read_as_they_are_labelled(difficulty: float) -> None:
    mechanism = at(TWINS[0], difficulty)
    for index in range(200):
        meaning = mechanism.draw(Chance("read", index))
        text, _ = mechanism.write(meaning, Chance("said", index), "train")
        assert opinion_of(text) == polarity(meaning), text

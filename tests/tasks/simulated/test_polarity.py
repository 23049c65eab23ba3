from __future__ import annotations

import pytest

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.opinions import Judgement, Opinion, judged, polarity
from tasks.sources.simulated.twins.polarity import COMPOSED, TWINS, Polarity

FILM, ME = Entity("film"), Entity("I", "pronoun")
GOOD, BAD = (Judgement(Proposition(FILM, "be", quality=quality)) for quality in ("great", "terrible"))
NOT_GOOD, NOT_BAD = (Judgement(Proposition(FILM, "be", quality=q, negated=True)) for q in ("great", "terrible"))
ENJOYED, PANNED = (Judgement(Proposition(ME, verb, FILM)) for verb in ("enjoy", "pan"))


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
        (Opinion((Judgement(BAD.about, "asked"), Judgement(GOOD.about, "hoped"))), 0),
        (Opinion(()), 0),
    ],
)
def test_the_judgement_that_counts(opinion: Opinion, sign: int) -> None:
    assert polarity(opinion) == sign


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.task.name)
def test_labels_follow_the_shares(twin) -> None:  # type: ignore[no-untyped-def]
    mechanism, n = twin.mechanism, 1200
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


def test_half_of_all_opinions_need_more_than_their_words() -> None:
    """The sum of the words' own values has another sign than the opinion, or none."""
    mechanism, misleading = TWINS[0].mechanism, 0
    for index in range(1000):
        meaning = mechanism.draw(Chance("half", index))
        told = [j for j in (meaning.first, meaning.second) if j is not None]
        plain = [judged(Judgement(j.about)) * (-1 if j.about.negated else 1) for j in told]
        misleading += sum(plain) * polarity(meaning) <= 0
    assert 400 < misleading < 600

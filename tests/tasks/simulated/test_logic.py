from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.compose import Domain
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.logic import SPECIFIC, UNIVERSAL, contradicts, entails, relation
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.premises import FIELDS, SORTS, draw_hypothesis, draw_premise

THE_NURSE, A_DOG, A_POODLE = Entity("nurse"), Entity("dog", "a"), Entity("poodle", "a")
SAW = Proposition(THE_NURSE, "see", A_DOG)
HOT = Proposition(Entity("soup"), "be", quality="hot")
TALLER = Proposition(Entity("tower"), "be", quality="tall", than=Entity("castle"))


def of(quantity: str, p: Proposition = SAW) -> Proposition:
    return replace(p, subject=Entity("nurse", quantity, many=quantity not in ("a", "the")))


@pytest.mark.parametrize(
    ("premise", "hypothesis", "expected"),
    [
        (replace(SAW, object=A_POODLE), SAW, "entailment"),
        (SAW, replace(SAW, object=A_POODLE), "neutral"),
        (replace(SAW, negated=True), replace(SAW, object=A_POODLE, negated=True), "entailment"),
        (replace(SAW, object=A_POODLE, negated=True), replace(SAW, negated=True), "neutral"),
        (replace(SAW, negated=True), replace(SAW, object=A_POODLE), "contradiction"),
        (replace(SAW, object=Entity("dog", "no")), replace(SAW, negated=True), "entailment"),
        (replace(SAW, object=Entity("dog", "no")), SAW, "contradiction"),
        (replace(SAW, time="yesterday"), SAW, "entailment"),
        (SAW, replace(SAW, time="yesterday"), "neutral"),
        (replace(SAW, subject=Entity("nurse", qualities=("tall",))), SAW, "entailment"),
        (SAW, replace(SAW, subject=Entity("dog"), object=Entity("nurse", "a")), "neutral"),
        (SAW, replace(SAW, tense="future"), "neutral"),
        (of("every"), of("most"), "entailment"),
        (of("every"), of("no"), "contradiction"),
        (of("some"), of("every"), "neutral"),
        (of("every"), replace(of("some"), negated=True), "contradiction"),
        (of("2"), of("3"), "contradiction"),
        (of("5"), of("several"), "entailment"),
        (of("2"), of("several"), "neutral"),
        (HOT, replace(HOT, quality="cold"), "contradiction"),
        (HOT, replace(HOT, quality="cold", negated=True), "entailment"),
        (replace(HOT, negated=True), replace(HOT, quality="cold"), "neutral"),
        (replace(HOT, degree="very"), HOT, "entailment"),
        (HOT, replace(HOT, degree="very"), "neutral"),
        (TALLER, replace(TALLER, subject=Entity("castle"), than=Entity("tower")), "contradiction"),
        (TALLER, replace(TALLER, subject=Entity("castle"), than=Entity("tower"), quality="short"), "entailment"),
        (TALLER, replace(TALLER, than=Entity("palace")), "neutral"),
    ],
)
def test_relation(premise: Proposition, hypothesis: Proposition, expected: str) -> None:
    assert relation(premise, hypothesis) == expected


def related(seed: int) -> list[Proposition]:
    """A statement and some that have to do with it, by the edits that make premises."""
    chance = Chance("logic", seed)
    domain = Domain((chance.pick(FIELDS),), general=0.45, tenses=(3, 1, 0))
    hypothesis = None
    while hypothesis is None:
        hypothesis = draw_hypothesis(chance.pick(SORTS), domain, chance)
    told, adjectives = [hypothesis], lexicon().adjectives
    for _ in range(5):
        base = chance.pick([p for p in told if not p.quality or adjectives[p.quality].antonym])
        told.append(draw_premise(base, chance.pick(("entailment", "contradiction", "neutral")), domain, chance))
    return told


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_laws(seed: int) -> None:
    told = related(seed)
    for p in told:
        assert entails(p, p)
        for h in told:
            assert not (entails(p, h) and contradicts(p, h))
            assert contradicts(p, h) == contradicts(h, p)


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_entailment_is_transitive(seed: int) -> None:
    # "Every trip" covers every tour, and "every tour" supposes that there are tours: so chains begin without it.
    told = [p for p in related(seed) if p.subject.quantity not in UNIVERSAL]
    for a in told:
        for b in (b for b in told if entails(a, b)):
            assert all(entails(a, c) for c in told if entails(b, c))


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_a_statement_and_its_denial_exclude_each_other(seed: int) -> None:
    for p in related(seed):
        if p.subject.quantity in SPECIFIC:
            assert relation(p, replace(p, negated=not p.negated)) == "contradiction"

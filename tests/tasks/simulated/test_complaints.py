"""Complaints: only what is still to be put right makes the class."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twin import examples
from tasks.sources.simulated.twins.complaints import ISSUES, PRODUCTS, TWINS, Complaints, Event

MECHANISM = TWINS[0].mechanism
FEES = Proposition(Entity("they", "pronoun"), "overcharge for", Entity("mortgage", "my"))
REPORT = Proposition(Entity("they", "pronoun"), "report wrongly on", Entity("credit report", "my"))


def name(*events: Event) -> str:
    return MECHANISM.labels[int(MECHANISM.label(events))]


def test_what_is_settled_denied_or_feared_does_not_count() -> None:
    others = [Event(standing, REPORT) for standing in ("settled", "never", "feared", "told")]
    assert name(*others, Event("open", FEES)) == "mortgage: high fees"
    assert name(Event("settled", FEES), Event("open", REPORT)) == "credit report: wrong report"
    with pytest.raises(ValueError, match="0 different wrongs"):
        MECHANISM.label(tuple(others))


def test_neither_product_nor_issue_tells_alone() -> None:
    assert isinstance(MECHANISM, Complaints)
    assert len(set(MECHANISM.labels)) == 157 == len(MECHANISM.shares)
    assert sum(MECHANISM.shares) == pytest.approx(1)
    assert {product for product, _ in MECHANISM.pairs} == set(range(len(PRODUCTS)))
    assert min(sum(issue == i for _, issue in MECHANISM.pairs) for i in range(len(ISSUES))) >= len(PRODUCTS) - 1
    assert all(lexicon().verbs[verb].objects for _, verb in ISSUES)


def test_the_label_is_drawn_by_its_share_and_the_wrong_comes_early() -> None:
    assert isinstance(MECHANISM, Complaints)
    rows = list(examples(TWINS[0], 5, "train", 150))
    assert 0.16 < sum(row.clean == 0 for row in rows) / 150 < 0.36
    bare = replace(MECHANISM, history=(0, 0))
    lengths = [len(bare.write(bare.draw(Chance("early", k))[:2], Chance("words", k), "train")[0]) for k in range(50)]
    assert median(lengths) < 250


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from((0.0, None, 1.0)))
def test_the_wrongs_are_all_pairs_of_two_products_and_two_issues_where_it_is_hard(
    seed: int, difficulty: float | None
) -> None:
    assert isinstance(MECHANISM, Complaints)
    mechanism = MECHANISM if difficulty is None else replace(MECHANISM, difficulty=difficulty)
    meaning = mechanism.draw(Chance("wrongs", seed))
    mechanism.label(meaning)  # one wrong is open
    open_one, *again = [event.proposition for event in meaning if event.standing == "open"]
    others = [event.proposition for event in meaning if event.standing not in ("open", "told")]
    if difficulty == 0:
        assert not others
        assert again
    if difficulty == 1:
        pairs = [(product(p), p.verb) for p in (open_one, *others)]
        assert len(pairs) == len(set(pairs)) == 4
        assert all(len(set(each)) == 2 for each in zip(*pairs, strict=True))


def product(p: Proposition) -> str:
    assert p.object is not None
    return lexicon().nouns[p.object.noun].field

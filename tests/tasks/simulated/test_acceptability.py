from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.grammar import RULES
from tasks.sources.simulated.judged import Judged
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twins.acceptability import TWINS, Acceptability

MECHANISM = TWINS[0].mechanism
assert isinstance(MECHANISM, Acceptability)


def drawn(rule: str, n: int) -> list[Judged]:
    of_rule = replace(MECHANISM, rules=(rule,), reported=0.0, linked=0.0)
    return [of_rule.draw(Chance("test", rule, index)) for index in range(n)]


def words(judged: Judged, corruption: str, name: int) -> list[str]:
    text, _ = MECHANISM.write(replace(judged, corruption=corruption), Chance("words", name), "train")
    return text.rstrip(".?").replace(",", "").lower().split()


@pytest.mark.parametrize("rule", RULES)
def test_a_broken_rule_changes_the_sentence_by_a_word_or_two(rule: str) -> None:
    for index, judged in enumerate(drawn(rule, 20)):
        right, wrong = (words(judged, corruption, index) for corruption in ("", rule))
        assert right != wrong
        if rule in ("number", "agreement", "form", "order", "case", "comparison", "reflexive"):
            kept = (Counter(right) & Counter(wrong)).total()
            assert len(right) - kept <= 2
            assert abs(len(right) - len(wrong)) <= 1


def test_order_keeps_the_very_words() -> None:
    for index, judged in enumerate(drawn("order", 40)):
        assert Counter(words(judged, "", index)) == Counter(words(judged, "order", index))


def test_words_do_not_tell_the_classes_apart() -> None:
    """Small words, which carry the rules, are as frequent in wrong sentences as in right ones."""
    twin = Acceptability(MECHANISM.domain, shares=(0.5, 0.5))
    counts = (Counter[str](), Counter[str]())
    for index in range(2000):
        judged = twin.draw(Chance("balance", index))
        text, _ = twin.write(judged, Chance("said", index), "train")
        counts[int(twin.label(judged))].update(set(text.rstrip(".?").lower().split()))
    for word in (
        "a",
        "every",
        "most",
        "this",
        "these",
        "is",
        "are",
        "did",
        "than",
        "as",
        "him",
        "he",
        "himself",
        "will",
    ):
        wrong, right = counts[0][word], counts[1][word]
        assert abs(wrong - right) <= 25 + 4 * (wrong + right) ** 0.5, word


def test_labels_follow_the_shares_and_the_corruption() -> None:
    labels = [MECHANISM.label(MECHANISM.draw(Chance("share", index))) for index in range(1500)]
    assert abs(sum(labels) / len(labels) - 0.703) < 0.04
    barks = Proposition(Entity("dog"), "arrive")
    assert MECHANISM.label(Judged(barks, "number")) == 1.0
    assert MECHANISM.label(Judged(barks, "number", "number")) == 0.0


@pytest.mark.parametrize(
    ("rule", "judged", "wrong"),
    [
        ("case", Judged(Proposition(Entity("he", "pronoun"), "greet", Entity("nurse")), ""), "him"),
        ("reflexive", Judged(Proposition(Entity("king"), "know", Entity("himself", "pronoun")), ""), "the king knew"),
        ("argument", Judged(Proposition(Entity("nurse"), "need", Entity("tool")), ""), "the nurse"),
    ],
)
def test_the_right_and_the_wrong_form(rule: str, judged: Judged, wrong: str) -> None:
    right = {" ".join(words(replace(judged, rule=rule), "", name)) for name in range(5)}
    broken = {" ".join(words(replace(judged, rule=rule), rule, name)) for name in range(5)}
    assert not right & broken
    assert all(text.startswith(wrong) for text in islice(sorted(broken), 5))

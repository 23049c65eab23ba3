from __future__ import annotations

from collections import Counter
from collections.abc import Callable
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
DIFFICULTIES = (0.0, MECHANISM.difficulty, 1.0)


def drawn(rule: str, n: int, difficulty: float = MECHANISM.difficulty) -> list[Judged]:
    of_rule = replace(MECHANISM, rules=(rule,), reported=0.0, linked=0.0, difficulty=difficulty)
    return [of_rule.draw(Chance("test", rule, index)) for index in range(n)]


def words(judged: Judged, corruption: str, name: int) -> list[str]:
    text, _ = MECHANISM.write(replace(judged, corruption=corruption), Chance("words", name), "train")
    return text.rstrip(".?").replace(",", "").lower().split()


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
@pytest.mark.parametrize("rule", RULES)
def test_a_broken_rule_changes_the_sentence_by_a_word_or_two(rule: str, difficulty: float) -> None:
    for index, judged in enumerate(drawn(rule, 20, difficulty)):
        right, wrong = (words(judged, corruption, index) for corruption in ("", rule))
        assert right != wrong
        if rule in ("number", "agreement", "form", "order", "case", "comparison", "reflexive"):
            kept = (Counter(right) & Counter(wrong)).total()
            assert len(right) - kept <= 2
            assert abs(len(right) - len(wrong)) <= 1


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_order_keeps_the_very_words(difficulty: float) -> None:
    for index, judged in enumerate(drawn("order", 40, difficulty)):
        assert Counter(words(judged, "", index)) == Counter(words(judged, "order", index))


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_words_do_not_tell_the_classes_apart(difficulty: float) -> None:
    """Small words, which carry the rules, are as frequent in wrong sentences as in right ones, which are as long."""
    twin = Acceptability(MECHANISM.domain, shares=(0.5, 0.5), difficulty=difficulty)
    lengths: tuple[list[int], list[int]] = ([], [])
    counts = (Counter[str](), Counter[str]())
    for index in range(2000):
        judged = twin.draw(Chance("balance", index))
        text, _ = twin.write(judged, Chance("said", index), "train")
        counts[int(twin.label(judged))].update(set(text.rstrip(".?").lower().split()))
        lengths[int(twin.label(judged))].append(len(text.split()))
    means = [sum(of_class) / len(of_class) for of_class in lengths]
    assert abs(means[0] - means[1]) < 0.1 * max(means)
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
        "near",
        "met",
        "that",
    ):
        wrong, right = counts[0][word], counts[1][word]
        assert abs(wrong - right) <= 25 + 4 * (wrong + right) ** 0.5, word


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_nouns_between_are_of_the_other_number_as_often_as_not(difficulty: float) -> None:
    """The number of the noun before the verb says nothing about the subject's, whether the sentence is right or not."""
    judged = [m for m in drawn("agreement", 600, difficulty) if m.between]
    assert bool(judged) == bool(difficulty)
    for wrong in (False, True) if judged else ():
        of_class = [m for m in judged if bool(m.corruption) == wrong]
        other = sum(m.between[-1].plural != m.proposition.subject.plural for m in of_class)
        assert abs(other / len(of_class) - 0.5) < 2 / len(of_class) ** 0.5


def test_difficulty_parts_verbs_from_subjects_and_buries_clauses() -> None:
    def share(difficulty: float, deep: Callable[[Judged], object]) -> float:
        mechanism = replace(MECHANISM, difficulty=difficulty)
        return sum(bool(deep(mechanism.draw(Chance("deep", index)))) for index in range(600)) / 600

    for deep in (
        lambda m: m.between,
        lambda m: len(m.between) > 1,
        lambda m: m.reporter,
        lambda m: m.outer,
        lambda m: m.rule in ("agreement", "reflexive", "argument", "gap"),
    ):
        shares = [share(difficulty, deep) for difficulty in (0, 0.5, 1)]
        assert shares == sorted(set(shares))
        assert shares[2] > 0.03


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_labels_follow_the_shares_and_the_corruption(difficulty: float) -> None:
    mechanism = replace(MECHANISM, difficulty=difficulty)
    labels = [mechanism.label(mechanism.draw(Chance("share", index))) for index in range(1500)]
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

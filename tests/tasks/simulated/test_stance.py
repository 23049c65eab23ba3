from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twins import belief
from tasks.sources.simulated.twins.belief import SIDES, Belief, Claim
from tasks.sources.simulated.twins.stance import ME, TWINS, Post, Remark, Side, opinion_of, stance_of

OPINION, STANCE = (twin.mechanism for twin in TWINS)
BELIEF = belief.TWINS[0].mechanism
assert isinstance(BELIEF, Belief)
assert isinstance(OPINION, Side)
assert isinstance(STANCE, Side)
HOAX = Proposition(Entity("global warming", "bare"), "be", Entity("hoax", "a"), tense="present")
LEAVE, SENATOR = Entity("paid leave", "bare"), Entity("senator")
FAIR = Proposition(LEAVE, "be", quality="fair", tense="present")
HONEST = Proposition(SENATOR, "be", quality="honest", tense="present")
OPPOSES = Proposition(SENATOR, "oppose", LEAVE, tense="present")


@pytest.mark.parametrize(
    ("claim", "label"),
    [
        (Claim(HOAX), 0),
        (Claim(HOAX, -1), 1),
        (Claim(replace(HOAX, negated=True)), 1),
        (Claim(replace(HOAX, negated=True), -1), 0),
        (Claim(HOAX, 1, "my uncle", -1), 1),
        (Claim(HOAX, -1, "my uncle", -1), 0),
        (Claim(HOAX, -1, "my uncle", 1), 1),
    ],
)
def test_belief(claim: Claim, label: int) -> None:
    assert BELIEF.label((claim,)) == label
    somebody = Claim(HOAX, -1 if label else 1, "the mayor")  # a view without a comment is not the writer's
    assert BELIEF.label((somebody, claim)) == label


@pytest.mark.parametrize(
    ("remarks", "stance", "opinion"),
    [
        ([Remark(FAIR)], "for", "opinion_on_target"),
        ([Remark(replace(FAIR, negated=True))], "against", "opinion_on_target"),
        ([Remark(FAIR, holder=SENATOR)], "none_of_the_above", "no_opinion"),
        ([Remark(FAIR, holder=SENATOR), Remark(HONEST)], "for", "opinion_on_other"),
        ([Remark(OPPOSES), Remark(HONEST)], "against", "opinion_on_other"),
        ([Remark(OPPOSES), Remark(replace(HONEST, quality="dishonest"))], "for", "opinion_on_other"),
        ([Remark(replace(OPPOSES, subject=ME))], "against", "no_opinion"),
        ([Remark(replace(FAIR, quality="new"), mine=True)], "none_of_the_above", "opinion_on_target"),
        ([Remark(replace(FAIR, quality="new"))], "none_of_the_above", "no_opinion"),
        ([Remark(FAIR), Remark(replace(FAIR, quality="absurd"))], "neutral", "opinion_on_target"),
    ],
)
def test_sides(remarks: list[Remark], stance: str, opinion: str) -> None:
    post = Post("paid leave", tuple(remarks))
    assert (stance_of(post), opinion_of(post)) == (stance, opinion)


def test_the_two_tasks_ask_different_things_of_the_same_posts() -> None:
    assert OPINION.space == STANCE.space
    assert OPINION.draw(Chance("post")) == STANCE.draw(Chance("post"))


@pytest.mark.parametrize("mechanism", [BELIEF, OPINION, STANCE])
def test_shares(mechanism: Belief | Side) -> None:
    counts = Counter(mechanism.label(mechanism.draw(Chance("stance", index))) for index in range(600))
    for label, share in enumerate(mechanism.shares):
        assert abs(counts[label] / 600 - share) < 0.07


def test_words_that_take_sides_are_in_the_lexicon() -> None:
    words = lexicon()
    assert set(SIDES) <= {*words.nouns, *words.verbs, *words.adjectives}

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.sides import ME, Post, Remark, opinion_of, sign_of, stance_of
from tasks.sources.simulated.twins import belief
from tasks.sources.simulated.twins.belief import SIDES, Belief, Claim
from tasks.sources.simulated.twins.stance import TWINS, Side

OPINION, STANCE = (twin.mechanism for twin in TWINS)
BELIEF = belief.TWINS[0].mechanism
assert isinstance(BELIEF, Belief)
assert isinstance(OPINION, Side)
assert isinstance(STANCE, Side)
DIFFICULTIES = (0.0, None, 1.0)  # None: the default
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


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
@pytest.mark.parametrize("twin", [BELIEF, OPINION, STANCE])
def test_shares(twin: Belief | Side, difficulty: float | None) -> None:
    mechanism: Any = twin if difficulty is None else replace(twin, difficulty=difficulty)
    counts = Counter(mechanism.label(mechanism.draw(Chance("stance", index))) for index in range(600))
    for label, share in enumerate(mechanism.shares):
        assert abs(counts[label] / 600 - share) < 0.07


def test_hard_posts_judge_people_and_the_cause_whatever_the_opinion_is_on() -> None:
    """Both are judged in posts of either kind, by the writer or by somebody else, so that words do not tell them."""
    for difficulty, least, most in ((0.0, 0.0, 0.3), (1.0, 0.3, 1.0)):
        side = replace(OPINION, difficulty=difficulty)
        posts = [side.draw(Chance("judged", index)) for index in range(400)]
        for opinion, beside in (("opinion_on_target", False), ("opinion_on_other", True)):
            of_kind = [post for post in posts if opinion_of(post) == opinion]
            found = sum(
                any(r.holder is not None and sign_of(r.what) and (r.what.subject.noun == post.target) == beside
                    for r in post.remarks) for post in of_kind
            )  # fmt: skip
            assert least <= found / len(of_kind) <= most, (difficulty, opinion)


def test_words_that_take_sides_are_in_the_lexicon() -> None:
    words = lexicon()
    assert set(SIDES) <= {*words.nouns, *words.verbs, *words.adjectives}

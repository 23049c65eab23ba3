from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twins.answerability import (
    TWINS,
    Answerability,
    Asked,
    Enquiry,
    _crossed,
    _exchanged,
    answers,
)

QNLI = TWINS[0].mechanism
assert isinstance(QNLI, Answerability)
BAKER, NURSE = Entity("baker"), Entity("nurse")
SOLD = Proposition(BAKER, "sell", Entity("bicycle", "a"), place="Norwyn", time="yesterday")
BOUGHT = Proposition(NURSE, "buy", Entity("piano", "a"))


@pytest.mark.parametrize(
    ("told", "asked", "answered"),
    [
        (SOLD, "subject", True),
        (SOLD, "time", True),
        (replace(SOLD, time=""), "time", False),
        (replace(SOLD, time=""), "place", False),  # asked: where yesterday
        (replace(SOLD, time="last week"), "time", True),
        (replace(SOLD, subject=NURSE), "subject", True),
        (replace(SOLD, subject=NURSE), "time", False),
        (replace(SOLD, object=Entity("piano", "a")), "object", True),
        (replace(SOLD, verb="buy"), "object", False),
        (replace(SOLD, negated=True), "object", False),
    ],
)
def test_answers(told: Proposition, asked: Asked, answered: bool) -> None:
    assert answers(told, SOLD, asked) is answered


@pytest.mark.parametrize("asked", ["subject", "object", "place", "time"])
def test_crossed_statements_have_the_same_parts_and_no_answer(asked: Asked) -> None:
    crossed = _crossed(SOLD, BOUGHT, asked)
    assert crossed is not None

    def parts(told: tuple[Proposition, Proposition]) -> Counter[object]:
        return Counter(getattr(p, part) for p in told for part in ("subject", "verb", "object", "place", "time"))

    assert parts(crossed) == parts((SOLD, BOUGHT))
    assert QNLI.label(Enquiry(SOLD, asked, crossed, "home")) == 1
    assert QNLI.label(Enquiry(SOLD, asked, (BOUGHT, SOLD), "home")) == 0


def test_where_instead_of_when_is_no_answer() -> None:
    when = replace(SOLD, place="")
    exchanged = _exchanged(when, BOUGHT, "time", {"place": "Norwyn", "time": "yesterday"})
    assert exchanged == (replace(when, time="", place="Norwyn"), BOUGHT)
    assert QNLI.label(Enquiry(when, "time", exchanged, "home")) == 1
    assert _exchanged(SOLD, BOUGHT, "time", {"place": "Norwyn", "time": "yesterday"}) is None  # asked: when in Norwyn


@pytest.mark.parametrize("difficulty", [0.0, QNLI.difficulty, 1.0])
def test_half_of_the_questions_are_answered(difficulty: float) -> None:
    mechanism = replace(QNLI, difficulty=difficulty)
    labels = [mechanism.label(mechanism.draw(Chance("enquiry", index))) for index in range(400)]
    assert abs(sum(labels) / 400 - 0.5) < 0.08


@pytest.mark.parametrize("difficulty", [0.0, QNLI.difficulty, 1.0])
def test_nothing_but_the_match_tells_an_answer(difficulty: float) -> None:
    """Questions, numbers of statements and of places and times are alike whether the text has the answer or not."""
    mechanism = replace(QNLI, difficulty=difficulty)
    counts: tuple[list[tuple[int, int, bool]], list[tuple[int, int, bool]]] = ([], [])
    for index in range(600):
        enquiry = mechanism.draw(Chance("alike", index))
        adjuncts = sum(bool(p.place) + bool(p.time) for p in enquiry.told)
        counts[int(mechanism.label(enquiry))].append((len(enquiry.told), adjuncts, enquiry.asked in ("place", "time")))
    for answered, unanswered in zip(*(zip(*of_class, strict=True) for of_class in counts), strict=True):
        assert abs(sum(answered) / len(answered) - sum(unanswered) / len(unanswered)) < 0.16


def test_difficulty_makes_the_words_of_question_and_text_alike_in_texts_of_one_length() -> None:
    alike, statements = [], []
    for difficulty in (0.0, 0.5, 1.0):
        mechanism = replace(QNLI, difficulty=difficulty)
        drawn = [mechanism.draw(Chance("near", index)) for index in range(400)]
        statements.append(sum(len(enquiry.told) for enquiry in drawn) / 400)
        unanswered = [enquiry for enquiry in drawn if mechanism.label(enquiry)]
        alike.append(sum(all(part in parts(e.told) for part in parts((e.about,), e.asked)) for e in unanswered)
                     / len(unanswered))  # fmt: skip
    assert statements == pytest.approx([4.0] * 3, abs=0.1)  # two on the question, and two more
    assert alike == sorted(set(alike))


def parts(told: tuple[Proposition, ...], without: str = "") -> list[object]:
    return [getattr(p, name) for p in told for name in ("subject", "verb", "object") if name != without]


def test_the_question_does_not_say_what_it_asks() -> None:
    text, passage = QNLI.write(Enquiry(SOLD, "time", (SOLD, BOUGHT), "home"), Chance("said"), "train")
    assert text.startswith("When did the baker ")
    assert "yesterday" not in text
    assert passage is not None
    assert "esterday" in passage

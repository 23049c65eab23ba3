from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twins.answerability import TWINS, Answerability, Asked, Enquiry, _crossed, answers

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


def test_half_of_the_questions_are_answered() -> None:
    labels = [QNLI.label(QNLI.draw(Chance("enquiry", index))) for index in range(400)]
    assert abs(sum(labels) / 400 - 0.5) < 0.08


def test_the_question_does_not_say_what_it_asks() -> None:
    text, passage = QNLI.write(Enquiry(SOLD, "time", (SOLD, BOUGHT), "home"), Chance("said"), "train")
    assert text.startswith("When did the baker ")
    assert "yesterday" not in text
    assert passage is not None
    assert "esterday" in passage

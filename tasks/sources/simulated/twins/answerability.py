"""Answerability: whether a text holds the answer to a question about one part of a statement (QNLI).

Where it is easy, a text that does not answer has another subject, object or verb than the question. Where it is hard,
it is made of the same words: where, not when, the deed was done; the same deed without the part asked for, which then
belongs to another deed; or what was asked about one is said of another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import question, realise
from tasks.sources.simulated.compose import Domain, draw_place, entity, proposition
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import TIMES, Entity, Proposition
from tasks.sources.simulated.premises import FIELDS, SYMMETRIC, reworded, same_frame
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.text import sentence
from tasks.sources.simulated.twin import twin_of

Asked = Literal["subject", "object", "place", "time"]
ASKED: tuple[Asked, ...] = ("subject", "object", "place", "time")
TRIES = 200
LEARNED = ("science", "space", "medicine", "entertainment", "business", "health", "travel", "places")


@dataclass(frozen=True)
class Enquiry:
    """A text and a question about one part of `about`, a statement that the asker takes to be so."""

    about: Proposition
    asked: Asked
    told: tuple[Proposition, ...]
    field: str


@dataclass(frozen=True)
class Answerability:
    """Whether the text says what is asked.

    Attributes:
        easy_asked, hard_asked: Weights, at difficulty 0 and 1, of the parts a question may be about (subject, object,
            place, time).
        others: Mean number of statements that have nothing to do with the question.
        crossed: Share of the hard unanswered questions whose text says the right words of the wrong deed; of the others
            the text says another thing of the deed, or another deed of the same.
    """

    labels: tuple[str, ...] = ("entailment", "not_entailment")
    shares: tuple[float, ...] = (0.5, 0.5)
    space: str = "qnli"
    register: str = "article"
    fields: tuple[str, ...] = (*FIELDS, *LEARNED)
    easy_asked: tuple[float, ...] = (1, 1, 4, 4)
    hard_asked: tuple[float, ...] = (4, 4, 3, 3)
    others: float = 2.0
    crossed: float = 0.7
    difficulty: float = 0.5
    hard_by: ClassVar[str] = (
        "near answers: texts in the question's words have another subject, object or verb (0); texts in other words "
        "say where instead of when, say what is asked of another deed, or turn the deed round (1)"
    )

    def draw(self, chance: Chance) -> Enquiry:
        weights = [easy + self.difficulty * (hard - easy) for easy, hard in zip(
            self.easy_asked, self.hard_asked, strict=True)]  # fmt: skip
        field, asked = chance.pick(self.fields), chance.weighted(ASKED, weights)
        near = not chance.flip(self.difficulty)
        crossing = chance.flip(self.crossed)
        domain = Domain((field,), general=0.4, negation=0, copula=0, quality=0.5, place=0, time=0, tenses=(1, 0, 0))
        for _ in range(TRIES):
            about, beside = _deed(domain, chance), _deed(domain, chance)
            part = {"place": draw_place(domain, chance), "time": chance.pick(TIMES["past"])}
            if asked in ("place", "time"):
                about = _placed(about, asked, part[asked])
            other = chance.pick(("place", "time"))
            if other != asked and chance.flip(0.7 * self.difficulty):  # an adjunct that is not asked for
                about, beside = chance.pick(((_placed(about, other, part[other]), beside),
                                             (about, _placed(beside, other, part[other]))))  # fmt: skip
            if near:
                mixed = _changed(about, beside, asked, _deed(domain, chance), chance)
            elif crossing:
                mixed = _crossed(about, beside, asked)
            elif asked in ("place", "time") and chance.flip(0.5):
                mixed = _exchanged(about, beside, asked, part)
            else:
                mixed = _instead(about, beside, chance)
            if _apart(about, beside) and mixed is not None:  # whatever the class, so that its words do not tell it
                break
        else:
            raise RuntimeError(f"no two deeds found in {field}")
        told = (about, beside) if chance.flip(self.shares[0]) else mixed
        around = replace(domain, copula=0.5, time=0.4 * self.difficulty)
        n = int(self.others + chance.unit())
        more = [proposition(around, chance, tense="past") for _ in range(n)]
        more = [p for p in more if not answers(p, about, asked)]
        return Enquiry(about, asked, tuple(chance.sample((*told, *more), len(told) + len(more))), field)

    def label(self, meaning: Enquiry) -> float:
        return float(not any(answers(p, meaning.about, meaning.asked) for p in meaning.told))

    def write(self, meaning: Enquiry, chance: Chance, split: str) -> tuple[str, str | None]:
        style = reworded(replace(style_of(self.register), passive=0.4), self.difficulty)
        asks = reworded(style_of("plain"), self.difficulty)
        text = write(self.register, [realise(p, style, chance) for p in meaning.told], chance, meaning.field)
        return sentence(question(meaning.about, meaning.asked, asks, chance), "?"), text


def answers(p: Proposition, about: Proposition, asked: Asked) -> bool:
    """Whether a statement gives the part asked for, of the deed that the question is about."""
    if p.verb != about.verb or p.negated != about.negated or p.tense != about.tense or p.modal != about.modal:
        return False
    known = [part for part in ASKED if part != asked and getattr(about, part)]
    return bool(getattr(p, asked)) and all(getattr(p, part) == getattr(about, part) for part in known)


def _deed(domain: Domain, chance: Chance) -> Proposition:
    """What somebody or something did to something, once."""
    verbs = lexicon().verbs_of(("general", *domain.fields), True)
    while True:
        verb = lexicon().verbs[chance.pick(verbs)]
        quantity = "" if chance.flip(0.4) else chance.weighted(("the", "a", "some", "3"), (6, 3, 1, 1))
        subject = entity(verb.kinds, domain, chance, quantity=quantity or "the")
        if not quantity and lexicon().is_a(subject.noun, "person"):
            subject = Entity(chance.pick(lexicon().names_of("person")), "name")
        object = entity(verb.objects, domain, chance, quantity=chance.weighted(("the", "a", "some"), (5, 4, 1)))
        if not _alike(subject, object):
            return Proposition(subject, verb.id, object)


def _alike(one: Entity, other: Entity) -> bool:
    return lexicon().is_a(one.noun, other.noun) or lexicon().is_a(other.noun, one.noun)


def _apart(one: Proposition, other: Proposition) -> bool:
    """Whether two deeds have nothing in common that would let the one answer what is asked of the other."""
    assert one.object is not None
    assert other.object is not None
    return one.verb != other.verb and not _alike(one.subject, other.subject) and not _alike(one.object, other.object)


def _placed(p: Proposition, part: str, value: str) -> Proposition:
    return replace(p, place=value) if part == "place" else replace(p, time=value)


def _crossed(about: Proposition, beside: Proposition, asked: Asked) -> tuple[Proposition, Proposition] | None:
    """The same words, but what was asked about is said of the other deed; None where that cannot be said."""
    words = lexicon()
    if asked in ("place", "time"):
        return _placed(about, asked, ""), _placed(beside, asked, getattr(about, asked))
    assert about.object is not None
    assert beside.object is not None
    one, other = words.verbs[about.verb], words.verbs[beside.verb]
    if asked == "object":
        fits = words.fits(about.subject.noun, other.kinds) and words.fits(beside.subject.noun, one.kinds)
        swapped = replace(about, subject=beside.subject), replace(beside, subject=about.subject)
    else:
        fits = words.fits(about.object.noun, other.objects) and words.fits(beside.object.noun, one.objects)
        swapped = replace(about, object=beside.object), replace(beside, object=about.object)
    return swapped if fits else None


def _changed(
    about: Proposition, beside: Proposition, asked: Asked, other: Proposition, chance: Chance
) -> tuple[Proposition, Proposition] | None:
    """The deed with another subject, verb or object that the text does not have otherwise; None where none fits."""
    words = lexicon()
    assert about.object is not None
    assert other.object is not None
    part = chance.pick([part for part in ("subject", "verb", "object") if part != asked])
    changed: Proposition = replace(about, **{part: getattr(other, part)})
    assert changed.object is not None
    verb = words.verbs[changed.verb]
    fits = words.fits(changed.subject.noun, verb.kinds) and words.fits(changed.object.noun, verb.objects)
    apart = _apart(about, other) and not _alike(changed.subject, changed.object) and _apart(beside, other)
    return (changed, beside) if fits and apart else None


def _exchanged(
    about: Proposition, beside: Proposition, asked: Asked, part: dict[str, str]
) -> tuple[Proposition, Proposition] | None:
    """Where instead of when, or the reverse; None where the question names the other already."""
    other = "time" if asked == "place" else "place"
    if getattr(about, other):
        return None
    return _placed(_placed(about, asked, ""), other, part[other]), beside


def _instead(about: Proposition, beside: Proposition, chance: Chance) -> tuple[Proposition, Proposition] | None:
    """Another deed in place of the one asked about, in the same words where these allow it.

    The deed turned round, or the two deeds each between those of the other; else another deed between the same.
    """
    words, verb = lexicon(), lexicon().verbs[about.verb]
    assert about.object is not None
    assert beside.object is not None
    turns = about.verb not in SYMMETRIC and about.object.quantity != "some"
    if turns and words.fits(about.object.noun, verb.kinds) and words.fits(about.subject.noun, verb.objects):
        return replace(about, subject=about.object, object=about.subject), beside
    frame = same_frame(about.subject.noun, about.object.noun)
    if beside.verb in frame and about.verb in same_frame(beside.subject.noun, beside.object.noun):
        return replace(about, verb=beside.verb), replace(beside, verb=about.verb)
    others = [v for v in frame if v not in (about.verb, beside.verb)]
    return (replace(about, verb=chance.pick(others)), beside) if others else None


TWINS = (twin_of("qnli", Answerability(difficulty=0.05)),)

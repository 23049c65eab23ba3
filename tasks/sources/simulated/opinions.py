"""Opinions: judgements and how they are linked, what they come to, and how they are said."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Style, Token, Tokens, fixed, gerund_phrase, noun_phrase, question, realise
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition

BUT = (", but", ", yet", "; however,", ". But", ". Still,")
ALTHOUGH = ("although", "though", "even though", "while")
PEOPLE = ("people", "those", "friends of mine", "most people", "even people")


@dataclass(frozen=True)
class Judgement:
    """A statement with a value, and how it is meant.

    Attributes:
        about: A quality of something, an attitude to it, or an event that is good or bad for the writer.
        mode: "" as a fact; `unreal`: it could have been so; `asked`; `hoped`; `thanks`: thanks for it, in irony or not.
    """

    about: Proposition
    mode: str = ""


@dataclass(frozen=True)
class Opinion:
    """A text of this task.

    Attributes:
        facts: What is said besides.
        first, second: Judgements in the order of the text.
        link: `and`, `but`, `although` (the second is conceded), `although first` (the first is), or `who`: people of
            the first judgement, on things of this sort, will pass the second.
        conceded: A judgement that is conceded to the second one: "dull, but witty, although long".
    """

    facts: tuple[Judgement, ...]
    first: Judgement | None = None
    second: Judgement | None = None
    link: str = ""
    conceded: Judgement | None = None


def value(p: Proposition) -> int:
    """-1, 0 or 1: the sign of the word that evaluates, turned round by a denial."""
    words = lexicon()
    raw = words.adjectives[p.quality].value if p.verb == "be" else words.verbs[p.verb].value
    sign = (raw > 0) - (raw < 0)
    return -sign if p.negated else sign


def judged(judgement: Judgement) -> int:
    """What a judgement says of its object: the opposite for what only could have been, nothing for wishes."""
    if judgement.mode in ("asked", "hoped"):
        return 0
    return -value(judgement.about) if judgement.mode == "unreal" else value(judgement.about)


def polarity(opinion: Opinion) -> int:
    """-1, 0 or 1: the judgement that counts, which a contrast puts last and a concession leaves to the main clause."""
    if opinion.first is None:
        return 0
    decisive = opinion.second if opinion.link in ("but", "although first", "who") else opinion.first
    return judged(decisive) if decisive is not None else 0


def argued(opinion: Opinion, style: Style, chance: Chance) -> list[Tokens]:
    """The sentences of the judgements and their link."""
    assert opinion.first is not None
    if opinion.second is None:
        return [said(opinion.first, style, chance, alone=True)]
    if opinion.link == "who":
        people = (*fixed(chance.pick(PEOPLE)), Token("who", "relative"))
        plain = replace(style, passive=0, fronting=0, cleft=0, relative=0, contractions=0)
        first, second = (realise(j.about, plain, chance)[1:] for j in (opinion.first, opinion.second))
        return [(*people, *first, *second)]
    second_judgement = opinion.second
    if opinion.first.about.verb == "be" and opinion.first.about.subject == second_judgement.about.subject:
        again = opinion.first.about.subject
        one = chance.pick(("he", "she")) if lexicon().is_a(again.noun, "person") else "it"
        pronoun = Entity("they" if again.plural else one, "pronoun")
        second_judgement = replace(second_judgement, about=replace(second_judgement.about, subject=pronoun))
    first, second = said(opinion.first, style, chance), said(second_judgement, style, chance)
    if opinion.link == "and":
        if chance.flip(0.3):
            return [first, second]
        return [(*first, *fixed(chance.pick(("and", ", and"))), *second)]
    if opinion.conceded is not None:
        although = fixed(chance.pick(ALTHOUGH))
        second = (*second, Token(",", "punctuation"), *although, *said(opinion.conceded, style, chance))
    if opinion.link == "but":
        mark, _, word = chance.pick(BUT).partition(" ")
        if mark == ".":
            return [first, (*fixed(word.lower()), *second)]
        return [(*first, Token(mark, "punctuation"), *fixed(word), *second)] if word else [first, second]
    although = fixed(chance.pick(ALTHOUGH))
    if opinion.link == "although first":
        return [(*although, *first, Token(",", "punctuation"), *second)]
    return [(*first, Token(",", "punctuation"), *although, *second)]


def said(judgement: Judgement, style: Style, chance: Chance, alone: bool = False) -> Tokens:
    """One judgement or fact as a clause."""
    p = judgement.about
    if judgement.mode == "asked":
        return (*question(p, "whether", style, chance), Token("?", "punctuation"))
    if judgement.mode == "hoped":
        return (*fixed(chance.pick(("I hope", "I hope that", "hopefully", "we hope"))), *realise(p, style, chance))
    if judgement.mode == "thanks":
        return (*fixed(chance.pick(("thanks for", "thank you for"))), *gerund_phrase(p, style, chance))
    if judgement.mode == "unreal":
        should = "should have been" if value(p) > 0 else "could so easily have been"
        might = fixed(chance.pick(("could have been", should, "might have been", "could easily have been")))
        adjective = realise(replace(p, negated=False), replace(style, fronting=0, cleft=0), chance)[-1]
        return (*noun_phrase(p.subject, style, chance), *might, adjective)
    if (
        alone
        and p.verb == "be"
        and not p.negated
        and p.subject.quantity == "the"
        and not p.subject.many
        and chance.flip(0.3)
    ):
        article = "bare" if lexicon().nouns[p.subject.noun].mass else "a"  # "a gripping film", "what a dull book"
        thing = noun_phrase(Entity(p.subject.noun, article, (p.quality,)), replace(style, relative=0), chance)
        return (*fixed(chance.pick(("", "what", "simply", "in short ,"))), *thing)
    return realise(p, style, chance)

"""Acceptability: whether a sentence keeps the rules of grammar, of which it may break one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Tokens, fixed, noun_phrase, realise
from tasks.sources.simulated.compose import EVERYDAY, Domain, entity
from tasks.sources.simulated.grammar import RULES
from tasks.sources.simulated.judged import STYLE, Judged, bystanders, parted, said_between, simple_fact
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Tense
from tasks.sources.simulated.text import sentence
from tasks.sources.simulated.twin import twin_of

QUESTIONS = ("direct", "object", "whether")
# What another clause would put right: "said he will sleep last week", "the boy needed and the girl greeted the king".
UNREPORTED, UNLINKED = ("inversion", "tense"), ("argument",)


@dataclass(frozen=True)
class Acceptability:
    """Sentences of a domain, some of which break a rule of grammar.

    Attributes:
        domain: What they are about.
        rules: Names of the rules at stake; those of `RULES` if none is given.
        reported, linked: Shares, at difficulty 1, of sentences in "... said that ..." and of those with another clause.
        parted: Share, at difficulty 1, of subjects that others part from their verb, where these can stand there.
    """

    domain: Domain
    shares: tuple[float, ...] = (0.297, 0.703)
    rules: tuple[str, ...] = ()
    reported: float = 0.3
    linked: float = 0.06
    parted: float = 0.7
    space: str = "cola"
    labels: tuple[str, ...] = ("0", "1")
    difficulty: float = 0.5
    hard_by: ClassVar[str] = (
        "structure: two neighbouring words show most mistakes (0); most are between a verb and its subject or object, "
        "which other nouns part from it, in reports or beside another clause (1)"
    )

    def draw(self, chance: Chance) -> Judged:
        acceptable = chance.weighted((0, 1), self.shares)
        rules = self.rules or tuple(RULES)
        rule = chance.weighted(rules, [self._weight(name) for name in rules])
        judged = RULES[rule].draw(self.domain, chance)
        judged = replace(judged, rule=rule, corruption="" if acceptable else rule)
        n = 1 + chance.flip(self.difficulty) if chance.flip(self.parted * self.difficulty) else 0
        people = lexicon().is_a(judged.proposition.subject.noun, "person")
        near = replace(self.domain, fields=("people",)) if rule == "reflexive" and people else self.domain
        judged = replace(judged, between=bystanders(judged.proposition.subject, near, chance, n))
        if judged.form in QUESTIONS:
            return judged
        if rule not in UNREPORTED and chance.flip(self.reported * self.difficulty):
            reporter, outer = (entity(("person",), replace(self.domain, names=0.5), chance, quantity="the")
                               for _ in range(2))  # fmt: skip
            return replace(judged, reporter=reporter, outer=outer if chance.flip(self.difficulty / 2) else None)
        if rule not in UNLINKED and chance.flip(self.linked * self.difficulty):
            told = judged.proposition
            tense: Tense = "past" if told.tense == "past" and not told.modal else "present"
            return replace(judged, link=chance.pick(("and", "but", "because", "while")),
                           companion=simple_fact(self.domain, chance, tense))  # fmt: skip
        return judged

    def _weight(self, rule: str) -> float:
        return RULES[rule].easy + self.difficulty * (RULES[rule].hard - RULES[rule].easy)

    def label(self, meaning: Judged) -> float:
        return 0.0 if meaning.corruption else 1.0

    def write(self, meaning: Judged, chance: Chance, split: str) -> tuple[str, str | None]:
        rule, between = RULES[meaning.rule], said_between(meaning, chance)
        tokens = parted(rule.write(meaning, bool(meaning.corruption), chance), between)
        if meaning.reporter is not None:
            tokens = _reported(tokens, meaning.reporter, meaning.rule == "argument", chance)
        if meaning.outer is not None:
            tokens = _reported(tokens, meaning.outer, False, chance)
        if meaning.companion is not None:
            tokens = (*tokens, *fixed(meaning.link), *realise(meaning.companion, STYLE, chance))
        return sentence(tokens, "?" if meaning.form in QUESTIONS else "."), None


def _reported(tokens: Tokens, reporter: Entity, needed: bool, chance: Chance) -> Tokens:
    """ "The nurse said that ...", with `that` where it is `needed`: "claimed the hat needed" is right without it."""
    said = chance.pick(("said", "thought", "believed", "heard", "told us", "claimed"))
    that = fixed("that") if needed or said == "heard" or chance.flip(0.7) else ()  # "heard the dog bark" is right too
    return (*noun_phrase(reporter, STYLE, chance), *fixed(said), *that, *tokens)


DOMAIN = Domain(EVERYDAY, general=0.4, names=0.2, quality=0.12, time=0.15)
TWINS = (twin_of("cola", Acceptability(DOMAIN, difficulty=0.3)),)

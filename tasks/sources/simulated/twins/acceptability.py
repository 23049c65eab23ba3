"""Acceptability: whether a sentence keeps the rules of grammar, of which it may break one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import fixed, noun_phrase, realise
from tasks.sources.simulated.compose import EVERYDAY, Domain, entity
from tasks.sources.simulated.grammar import RULES
from tasks.sources.simulated.judged import STYLE, Judged, simple_fact
from tasks.sources.simulated.meaning import Tense
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
        reported, linked: Shares of sentences in "... said that ...", and of those with a second clause.
    """

    domain: Domain
    shares: tuple[float, ...] = (0.297, 0.703)
    rules: tuple[str, ...] = ()
    reported: float = 0.14
    linked: float = 0.05
    space: str = "cola"
    labels: tuple[str, ...] = ("0", "1")

    def draw(self, chance: Chance) -> Judged:
        acceptable = chance.weighted((0, 1), self.shares)
        rules = self.rules or tuple(RULES)
        rule = chance.weighted(rules, [RULES[name].weight for name in rules])
        judged = RULES[rule].draw(self.domain, chance)
        judged = replace(judged, rule=rule, corruption="" if acceptable else rule)
        if judged.form in QUESTIONS:
            return judged
        if rule not in UNREPORTED and chance.flip(self.reported):
            return replace(
                judged, reporter=entity(("person",), replace(self.domain, names=0.5), chance, quantity="the")
            )
        if rule not in UNLINKED and chance.flip(self.linked):
            told = judged.proposition
            tense: Tense = "past" if told.tense == "past" and not told.modal else "present"
            return replace(judged, link=chance.pick(("and", "but", "because", "while")),
                           companion=simple_fact(self.domain, chance, tense))  # fmt: skip
        return judged

    def label(self, meaning: Judged) -> float:
        return 0.0 if meaning.corruption else 1.0

    def write(self, meaning: Judged, chance: Chance, split: str) -> tuple[str, str | None]:
        rule = RULES[meaning.rule]
        tokens = rule.write(meaning, bool(meaning.corruption), chance)
        if meaning.reporter is not None:
            said = chance.pick(("said", "thought", "believed", "heard", "told us", "claimed"))
            # "heard the dog bark" and "claimed the hat needed" are right without it.
            needed = said == "heard" or meaning.rule == "argument"
            that = fixed("that") if needed or chance.flip(0.7) else ()
            tokens = (*noun_phrase(meaning.reporter, STYLE, chance), *fixed(said), *that, *tokens)
        if meaning.companion is not None:
            tokens = (*tokens, *fixed(meaning.link), *realise(meaning.companion, STYLE, chance))
        return sentence(tokens, "?" if meaning.form in QUESTIONS else "."), None


TWINS = (twin_of("cola", Acceptability(Domain(EVERYDAY, general=0.4, names=0.2, quality=0.12, time=0.15))),)

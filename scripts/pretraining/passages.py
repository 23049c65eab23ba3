"""Passages: unlabelled sentences about one field in one register, with their propositions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Token, Tokens, fixed, realise
from tasks.sources.simulated.compose import EVERYDAY, Domain, proposition
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.registers import STYLES, style_of, write

Bond = Literal["retold", "implied", "detailed", "changed", "continued", "other"]
BONDS: tuple[Bond, ...] = ("retold", "implied", "detailed", "changed", "continued", "other")
REGISTERS = tuple(STYLES)
LINKS = ("and", "but", "because", "so", "while", "when")
INTRODUCED = ("although", "because", "when", "while", "after", "before")
PERSONS = ("I", "I", "we", "you", "they")
REPORTS = (
    "I think that", "I heard that", "I am sure that", "it is clear that", "it seems that", "they say that",
    "some say that", "it is said that", "the report says that", "he believes that", "everybody knows that",
    "it turned out that",
)  # fmt: skip


@dataclass(frozen=True)
class Document:
    """One text, or two texts and their relation.

    Attributes:
        bond: Relation of the second text to the first. `retold`: the same propositions in other words. `implied`: fewer
            propositions, or more general ones. `detailed`: more propositions. `changed`: one part of one proposition
            differs. `continued`: other propositions about the same field. `other`: about another field. None for a
            single text.
        told, told_b: Propositions of each text; empty if it has none. For an opinion: its meaning.
    """

    text: str
    text_b: str | None = None
    bond: Bond | None = None
    told: tuple[Proposition, ...] = ()
    told_b: tuple[Proposition, ...] = ()


def passage(chance: Chance, sentences: int) -> Document:
    """A passage of `sentences` statements about one field in one register."""
    field, register = draw_field(chance), chance.pick(REGISTERS)
    told = statements(field, chance, sentences)
    return Document(tell(told, register, chance, field), told=tuple(told))


def draw_field(chance: Chance) -> str:
    return chance.pick(EVERYDAY) if chance.flip(0.2) else chance.pick(lexicon().fields)


def statements(field: str, chance: Chance, n: int) -> list[Proposition]:
    """n propositions about a field, often about the same subject."""
    domain = Domain((field,), general=chance.pick((0.15, 0.4)))
    speaker = Entity(chance.pick(PERSONS), "pronoun") if chance.flip(0.25) else None
    told = [proposition(domain, chance, subject=speaker)]
    while len(told) < n:
        before = told[-1].subject
        again = replace(before, quantity="the") if before.quantity in ("a", "some", "the") else before
        told.append(proposition(domain, chance, subject=again if chance.flip(0.4) else None))
    return told


def tell(told: list[Proposition], register: str, chance: Chance, topic: str) -> str:
    """Propositions as a text. Sometimes two sentences are joined, and sometimes one is reported speech."""
    style = style_of(register)
    joined = len(told) > 1 and register != "headline" and chance.flip(0.4)
    plain = replace(style, fronting=0.0) if joined else style  # avoids "when, last week, ..."
    clauses = [realise(p, plain if position < 2 else style, chance) for position, p in enumerate(told)]
    clauses = [(*fixed(chance.pick(REPORTS)), *clause) if plain.cleft and chance.flip(0.12) else clause
               for clause in clauses]  # fmt: skip
    if joined:
        clauses[:2] = [_joined(clauses[0], clauses[1], chance)]
    return write(register, clauses, chance, topic.replace("_", " "))


def _joined(first: Tokens, second: Tokens, chance: Chance) -> Tokens:
    if chance.flip(0.3):
        return (Token(chance.pick(INTRODUCED), "conjunction"), *first, Token(",", "punctuation"), *second)
    return (*first, Token(",", "punctuation"), Token(chance.pick(LINKS), "conjunction"), *second)

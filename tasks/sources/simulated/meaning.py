"""Meaning as plain data: who did what to whom, how many, where, when, and whether it is so."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

Tense = Literal["past", "present", "future"]

PRONOUNS = ("I", "we", "you", "they", "he", "she", "it")
POSSESSIVES = ("my", "our", "your", "their", "his", "her", "its")
SINGULAR = ("a", "every", "this", "another", "one")
PLURAL = ("some", "most", "many", "few", "several", "all", "these")
# the, no, bare and the possessives go with both.


@dataclass(frozen=True)
class Entity:
    """Something that takes part.

    Attributes:
        noun: Concept id of a noun or name, or a pronoun.
        quantity: `the`, `a`, `some`, `every`, `all`, `no`, `most`, `many`, `few`, `several`, `this`, `these`,
            `another`, a possessive, `name`, `pronoun`, `bare`, or a number in digits.
        qualities: Concept ids of adjectives.
        many: Plural, where the quantity leaves it open.
    """

    noun: str
    quantity: str = "the"
    qualities: tuple[str, ...] = ()
    many: bool = False

    @property
    def plural(self) -> bool:
        if self.quantity == "pronoun":
            return self.noun in ("we", "you", "they")
        if self.quantity.isdigit():
            return self.quantity != "1"
        return self.quantity in PLURAL or (self.many and self.quantity not in SINGULAR and self.quantity != "name")


@dataclass(frozen=True)
class Proposition:
    """One statement.

    Attributes:
        verb: Concept id of a verb, or `be`: then `quality` says what the subject is like, or `object` what it is.
        quality: Concept id of an adjective.
        degree: `very`, `slightly`, ... before the quality.
        than: What the quality is compared with: "bigger than ...".
        modal: `might`, `must`, `should`, `can` or nothing.
        place: A noun of a place, or a name.
        time: An adverbial that goes with the tense.
    """

    subject: Entity
    verb: str
    object: Entity | None = None
    quality: str = ""
    degree: str = ""
    than: Entity | None = None
    negated: bool = False
    tense: Tense = "past"
    modal: str = ""
    place: str = ""
    time: str = ""


TIMES: dict[Tense, tuple[str, ...]] = {
    "past": (
        "yesterday", "last night", "last week", "last month", "last year", "two days ago", "three weeks ago",
        "on Monday", "on Friday", "in March", "in October", "this morning", "a few years ago", "in the spring",
    ),
    "present": ("now", "every day", "every week", "these days", "at the moment", "most of the time", "as always"),
    "future": ("tomorrow", "next week", "next month", "next year", "soon", "tonight", "on Sunday", "in the summer"),
}  # fmt: skip


def meaning_key(*meaning: object) -> int:
    """A 64-bit hash of a meaning: of its content alone, equal on every machine, whatever words realise it."""
    return int.from_bytes(hashlib.blake2b(repr(meaning).encode(), digest_size=8).digest(), "big")

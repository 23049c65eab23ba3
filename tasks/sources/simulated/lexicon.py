"""The words of the small language: concepts with synonyms, hypernyms, selectional restrictions and values.

The files in `words/` say it all, one concept a line:

    [space]                                        a field, the topic of the lines below
    noun  satellite, orbiter < device              synonyms, the first names the concept; its hypernym
    mass  fuel < substance                         no plural
    verb  launch : person,group device             kinds that its subject and its object may be
    verb  fly/flew/flown, soar : vehicle -         irregular forms; intransitive
    adj   superb : work,service +2 !dreadful       kinds it describes, value from -2 to 2, antonym
    name  Port Alder < place                       a proper name;  `family Tolvar`: a family name
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Literal

# The top of the hypernym tree. They are nouns too ("the person"), used where only the kind matters.
# fmt: off
ROOTS = ("person", "group", "animal", "plant", "place", "building", "device", "vehicle", "food", "document", "work",
         "event", "substance", "money", "idea", "body", "service", "garment", "illness", "weather")
# fmt: on
COUNTLESS_ROOTS = ("money", "food", "weather", "substance")
Part = Literal["noun", "verb", "adj", "name", "family"]


@dataclass(frozen=True)
class Word:
    """A word and its irregular forms: (plural,), (past, participle) or (comparative, superlative)."""

    base: str
    irregular: tuple[str, ...] = ()


@dataclass(frozen=True)
class Concept:
    """One sense.

    Attributes:
        id: The base form of its first word; unique within a part of speech.
        words: Words that say the same.
        field: Topic or subtopic.
        parent: Hypernym of a noun or name, "" for the roots.
        kinds: What a verb's subject, or the noun of an adjective, may be: concepts of nouns.
        objects: What a verb's object may be; () for intransitive verbs.
        value: How good, -2 ... 2.
        antonym: Concept id of the opposite adjective, or "".
        mass: Whether a noun has no plural.
    """

    part: Part
    id: str
    words: tuple[Word, ...]
    field: str
    parent: str = ""
    kinds: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    value: int = 0
    antonym: str = ""
    mass: bool = False


@dataclass(frozen=True)
class Lexicon:
    """All concepts, by part of speech and id, with the look-ups that composition needs."""

    nouns: Mapping[str, Concept]
    verbs: Mapping[str, Concept]
    adjectives: Mapping[str, Concept]
    names: Mapping[str, Concept]
    families: tuple[str, ...]

    @cached_property
    def fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(c.field for c in (*self.nouns.values(), *self.verbs.values()) if c.field))

    def hypernyms(self, noun: str) -> tuple[str, ...]:
        """The concepts above a noun or name, nearest first."""
        return _above(self, noun)

    def is_a(self, noun: str, kind: str) -> bool:
        return noun == kind or kind in _above(self, noun)

    def fits(self, noun: str, kinds: tuple[str, ...]) -> bool:
        """Whether a noun is of one of the kinds."""
        return not _kinds(self, noun).isdisjoint(kinds)

    def nouns_of(self, kinds: tuple[str, ...], fields: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Nouns of one of the kinds, of the given fields (of any, without the roots, if none is given)."""
        return _nouns_of(self, kinds, fields)

    def names_of(self, kind: str) -> tuple[str, ...]:
        return _names_of(self, kind)

    def verbs_of(self, fields: tuple[str, ...], transitive: bool | None = None) -> tuple[str, ...]:
        return _verbs_of(self, fields, transitive)

    def adjectives_of(self, noun: str, fields: tuple[str, ...] = (), sign: int | None = None) -> tuple[str, ...]:
        """Adjectives that describe a noun; of given fields; of positive, negative or no value (sign 1, -1, 0)."""
        return _adjectives_of(self, noun, fields, sign)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


@cache
def _above(lexicon: Lexicon, noun: str) -> tuple[str, ...]:
    concept = lexicon.nouns.get(noun) or lexicon.names.get(noun)
    chain: list[str] = []
    while concept is not None and concept.parent:
        chain.append(concept.parent)
        concept = lexicon.nouns[concept.parent]
    return tuple(chain)


@cache
def _kinds(lexicon: Lexicon, noun: str) -> frozenset[str]:
    return frozenset((noun, *_above(lexicon, noun)))


@cache
def _nouns_of(lexicon: Lexicon, kinds: tuple[str, ...], fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        noun.id
        for noun in lexicon.nouns.values()
        if (noun.field in fields if fields else noun.parent) and lexicon.fits(noun.id, kinds)
    )


@cache
def _names_of(lexicon: Lexicon, kind: str) -> tuple[str, ...]:
    return tuple(name for name in lexicon.names if lexicon.is_a(name, kind))


@cache
def _verbs_of(lexicon: Lexicon, fields: tuple[str, ...], transitive: bool | None) -> tuple[str, ...]:
    return tuple(
        verb.id
        for verb in lexicon.verbs.values()
        if verb.field in fields and (transitive is None or transitive == bool(verb.objects))
    )


@cache
def _adjectives_of(lexicon: Lexicon, noun: str, fields: tuple[str, ...], sign: int | None) -> tuple[str, ...]:
    return tuple(
        adjective.id
        for adjective in _describing(lexicon, noun)
        if (not fields or adjective.field in fields)
        and (sign is None or sign == (adjective.value > 0) - (adjective.value < 0))
    )


@cache
def _describing(lexicon: Lexicon, noun: str) -> tuple[Concept, ...]:
    concept = lexicon.nouns.get(noun)
    fitting = (adjective for adjective in lexicon.adjectives.values() if lexicon.fits(noun, adjective.kinds))
    return tuple(adjective for adjective in fitting if not _repeats(concept, adjective))


def _repeats(noun: Concept | None, adjective: Concept) -> bool:
    """Whether a noun of several words says the adjective already: no "chronic chronic disease"."""
    parts = {part for word in noun.words for part in word.base.split()[:-1]} if noun is not None else set()
    return any(word.base in parts for word in adjective.words)


@cache
def lexicon() -> Lexicon:
    """Read the word files.

    Raises:
        ValueError: A line that is not of the form above, or a name used for two concepts: a mistake in the package.
    """
    nouns = {root: Concept("noun", root, (Word(root),), "", mass=root in COUNTLESS_ROOTS) for root in ROOTS}
    nouns["person"] = Concept("noun", "person", (Word("person", ("people",)),), "")
    tables: dict[str, dict[str, Concept]] = {"noun": nouns, "verb": {}, "adj": {}, "name": {}}
    families: list[str] = []
    folder = files(__package__) / "words"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        field = ""
        if not file.name.endswith(".txt"):
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            line = line.partition("#")[0].strip()
            if not line:
                continue
            if line.startswith("["):
                field = line.strip("[]")
                continue
            try:
                part, _, rest = line.partition(" ")
                if part == "family":
                    families.append(rest.strip())
                    continue
                concept = _concept("noun" if part == "mass" else part, rest, field, mass=part == "mass")
                table = tables[concept.part]
                if concept.id in table:
                    raise ValueError(f"{concept.id!r} is already a concept of {table[concept.id].field}")
            except (KeyError, ValueError) as error:
                raise ValueError(f"{file.name}, line {number}: {line!r}: {error}") from None
            table[concept.id] = concept
    words = Lexicon(nouns, tables["verb"], tables["adj"], tables["name"], tuple(families))
    _check(words)
    return words


def _check(words: Lexicon) -> None:
    """Every name that a concept uses must be one."""
    for table in (words.nouns, words.verbs, words.adjectives, words.names):
        for concept in table.values():
            used = {*concept.kinds, *concept.objects, *([concept.parent] if concept.parent else ())}
            unknown = sorted(used - set(words.nouns))
            if concept.antonym and concept.antonym not in words.adjectives:
                unknown.append("!" + concept.antonym)
            if unknown:
                raise ValueError(f"[{concept.field}] {concept.part} {concept.id}: unknown concept {', '.join(unknown)}")


def _concept(part: str, text: str, field: str, mass: bool) -> Concept:
    if part in ("noun", "name"):
        words, _, parent = text.partition("<")
        forms = _words(words, part)
        return Concept("noun" if part == "noun" else "name", forms[0].base, forms, field, parent.strip(), mass=mass)
    if part not in ("verb", "adj"):
        raise ValueError("expected noun, mass, verb, adj, name or family")
    words, _, right = text.partition(":")
    forms, terms = _words(words, part), right.split()
    value = next((int(term) for term in terms if term[0] in "+-" and len(term) > 1), 0)
    antonym = next((term[1:].replace("_", " ") for term in terms if term[0] == "!"), "")
    kinds = [tuple(k.replace("_", " ") for k in term.split(",")) for term in terms if term[0] not in "+!" and
             (term == "-" or term[0] != "-")]  # fmt: skip
    if part == "adj":
        return Concept("adj", forms[0].base, forms, field, kinds=kinds[0], value=value, antonym=antonym)
    subjects, objects = kinds
    return Concept("verb", forms[0].base, forms, field, kinds=subjects, value=value,
                   objects=() if objects == ("-",) else objects)  # fmt: skip


def _words(text: str, part: str) -> tuple[Word, ...]:
    """Words with irregular forms; a verb's particle may stand after the last form: catch/caught/caught up with."""
    words = []
    for entry in text.split(","):
        base, *irregular = (form.strip() for form in entry.split("/"))
        if part == "verb" and irregular and " " in irregular[-1] and " " not in base:
            irregular[-1], _, particle = irregular[-1].partition(" ")
            base += f" {particle}"
        if not base:
            raise ValueError("an empty word")
        words.append(Word(base, tuple(irregular)))
    return tuple(words)

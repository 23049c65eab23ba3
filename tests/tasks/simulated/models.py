"""Truth in small worlds: what statements mean, told apart from the rules that label them.

A world has some individuals and some events. Statements that hold together in all of many worlds are taken to mean the
same, one that holds wherever another does to follow from it. Nothing here asks the generator's own logic; what both
take over from readers: "the dog" of two texts is one dog, two texts speak of one occasion, a premise, and every strong
quantity, speaks of something that there is, a number names one group, and "the dogs" did a thing all or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import POSSESSIVES, Entity, Proposition

ALONE = ("the", "this", "these", "name", "pronoun", *POSSESSIVES)
COUNTED = ("few", "several", "many", "most", "every", "all")
ENOUGH = 60  # worlds in which each of two statements holds, to say that they never do together, or never apart
STRONG = ("every", "all", "most", "no")  # said where there is something to speak of
MANY, SOME = (
    (5, 12),
    2,
)  # things of a sort, where they are counted: enough to tell several from many, and many from most


@dataclass(frozen=True)
class Thing:
    """An individual: its noun, its qualities, and the phrase that names it, if one does."""

    noun: str
    qualities: frozenset[str]
    named: int = -1  # the phrase, a number of its group
    number: int = 0

    def is_a(self, noun: str, qualities: Iterable[str]) -> bool:
        return lexicon().is_a(self.noun, noun) and self.qualities.issuperset(qualities)


@dataclass(frozen=True)
class World:
    """Individuals by number; by who and verb deeds (whom, tense, modal, place, time); heights on scales; groups."""

    things: tuple[Thing, ...]
    deeds: Mapping[tuple[int, str], list[tuple[int, str, str, str, str]]]
    heights: Mapping[tuple[int, str], int]
    groups: Mapping[Entity, int]

    def of(self, phrase: Entity) -> list[Thing]:
        """What a phrase speaks of: its named group, or everything that it describes."""
        if phrase not in self.groups:
            return [thing for thing in self.things if thing.is_a(phrase.noun, phrase.qualities)]
        group = [thing for thing in self.things if thing.named == self.groups[phrase]]
        if phrase.quantity.isdigit() and int(phrase.quantity) != len(group):
            return []
        fits = all(thing.is_a(phrase.noun, phrase.qualities) for thing in group)
        return group if fits or phrase.quantity in ("name", "pronoun") else []

    def enough(self, phrase: Entity, yes: list[bool]) -> bool:
        """Whether as many are so as the quantity asks for."""
        n, quantity = sum(yes), phrase.quantity
        if phrase in self.groups or quantity in ("every", "all"):
            return all(yes) and (bool(yes) or phrase not in self.groups)
        return {"no": n == 0, "few": n <= 2, "several": n >= 3, "many": n >= 4, "most": 2 * n > len(yes)}.get(
            quantity, n >= 1
        )

    def holds(self, p: Proposition) -> bool:
        """Whether a statement is true: the subject's quantity outside, then the denial, then that of the object."""
        who = self.of(p.subject)
        if p.object is not None and p.object in self.groups and not self.of(p.object):
            return False  # "did not see the red car" speaks of a car that is red
        so = [self.does(p, thing) != p.negated for thing in who]
        return self.enough(p.subject, so)

    def does(self, p: Proposition, who: Thing) -> bool:
        if p.verb != "be":
            whom = {other for other, tense, modal, place, time in self.deeds.get((who.number, p.verb), ()) if (
                tense, modal) == (p.tense, p.modal) and p.place in ("", place) and p.time in ("", time)}  # fmt: skip
            if p.object is None:
                return bool(whom)
            return self.enough(p.object, [other.number in whom for other in self.of(p.object)])
        if p.object is not None:
            return who.is_a(p.object.noun, p.object.qualities)
        scale, sign = scale_of(p.quality)
        height = sign * self.heights[who.number, scale]
        if p.than is not None:
            return all(height > sign * self.heights[other.number, scale] for other in self.of(p.than))
        return height >= (3 if p.degree in ("very", "really", "quite", "rather") else 2)


def scale_of(quality: str) -> tuple[str, int]:
    """The scale that a quality shares with its opposite, and its end of it."""
    opposite = lexicon().adjectives[quality].antonym
    return (opposite, -1) if opposite and opposite < quality else (quality, 1)


def worlds(told: tuple[Proposition, ...], chance: Chance, n: int) -> Iterator[World]:
    """Worlds in which the things and deeds occur that some statements speak of, and some others."""
    phrases = [e for p in told for e in (p.subject, p.object, p.than) if e is not None and e.noun]
    groups = _groups(told)
    kinds = [(e.noun, e.qualities) for e in phrases if e.quantity not in ("name", "pronoun")]
    counted = [e.noun for e in phrases if e.quantity in COUNTED]
    scales = {scale_of(p.quality)[0] for p in told if p.quality}
    times, places = {"", *(p.time for p in told)}, {"", *(p.place for p in told)}
    manners = sorted({(p.tense, p.modal) for p in told})
    for _ in range(n):
        things: list[Thing] = []
        for group in sorted(set(groups.values())):
            of_group = [e for e in phrases if groups.get(e) == group]
            sizes = [int(e.quantity) + (not chance.flip(0.7)) for e in of_group if e.quantity.isdigit()]
            size = sizes[0] if sizes else 1 + of_group[0].plural
            e = chance.pick(of_group)
            qualities = [q for other in of_group for q in other.qualities if other == e or chance.flip(0.5)]
            things += [Thing(e.noun, frozenset(qualities), group, len(things) + i) for i in range(size)]
        for noun, qualities in kinds:
            near = any(lexicon().is_a(noun, other) or lexicon().is_a(other, noun) for other in counted)
            for _ in range(0 if chance.flip(0.1) else chance.between(*MANY) if near else SOME):
                has = qualities if chance.flip(0.7) else chance.pick(kinds)[1]
                things.append(Thing(noun, frozenset(has), -1, len(things)))
        supposed = [told[0].subject, told[0].object, *(e for e in phrases if e.quantity in STRONG)]
        if not all(_exists(things, e) for e in supposed if e is not None and e not in groups):
            continue
        quiet = chance.flip(0.2)  # some do it, and not several
        deeds: dict[tuple[int, str], list[tuple[int, str, str, str, str]]] = {}
        for p in told:
            if p.verb == "be":
                continue
            sorts = sorted({(thing.noun, thing.named) for thing in things})
            rates = (0.08,) if quiet else (0.0, 0.15, 0.5, 1.0, 1.0)
            eager = {sort: chance.pick(rates) for sort in sorts}
            fond = {sort: chance.pick((0.0, 0.0, 0.1, 0.6, 1.0)) for sort in sorts}
            usual = chance.flip(0.6)
            for who in things:
                if not chance.flip(eager[who.noun, who.named]):
                    continue
                when = p.time if usual else chance.pick(sorted(times))
                where = p.place if usual else chance.pick(sorted(places))
                manner = chance.pick(manners)
                whom = [t.number for t in things if chance.flip(fond[t.noun, t.named])] if p.object else [-1]
                deeds.setdefault((who.number, p.verb), []).extend((other, *manner, where, when) for other in whom)
        heights = {(t.number, scale): chance.between(-4, 4) for t in things for scale in scales}
        for thing in things[1:]:
            if chance.flip(0.7):  # alike
                heights |= {(thing.number, scale): heights[thing.number - 1, scale] for scale in scales}
        yield World(tuple(things), deeds, heights, groups)


def _groups(told: tuple[Proposition, ...]) -> dict[Entity, int]:
    """Phrases that name one thing or group, by its number: the same where one describes what another does."""
    found: dict[Entity, int] = {}
    for p in told:
        taken: set[int] = set()  # who does a thing to something is not that thing
        for phrase in (p.subject, p.object, p.than):
            if phrase is not None and (phrase.quantity in ALONE or phrase.quantity.isdigit()):
                same = (n for other, n in found.items() if n not in taken and _same_one(phrase, other))
                number = found.setdefault(phrase, next(same, len(found)))
                taken.add(number)
    return found


def _same_one(one: Entity, other: Entity) -> bool:
    if one.quantity.isdigit() and other.quantity.isdigit() and one.quantity != other.quantity:
        return (one.noun, one.qualities) == (other.noun, other.qualities)
    if one.quantity != other.quantity or one.plural != other.plural:
        return False
    if one.quantity in ("name", "pronoun"):
        return one.noun == other.noun
    return any(
        lexicon().is_a(near.noun, far.noun) and set(far.qualities) <= set(near.qualities)
        for near, far in ((one, other), (other, one))
    )


def _exists(things: list[Thing], phrase: Entity) -> bool:
    """A quantity speaks of things that there are, of enough of them if they are counted."""
    return sum(thing.is_a(phrase.noun, phrase.qualities) for thing in things) >= (
        5 if phrase.quantity in COUNTED else 1
    )


def compared(p: Proposition, h: Proposition, name: int, tries: int = 3000) -> tuple[bool, bool, bool]:
    """Whether worlds are found in which both hold, only the first, only the second: few where some of all are."""
    found, held = [False, False, False], [0, 0]
    for world in worlds((p, h), Chance("worlds", name), tries):
        truth = world.holds(p), world.holds(h)
        found = [was or truth == case for was, case in zip(
            found, ((True, True), (True, False), (False, True)), strict=True)]  # fmt: skip
        held = [n + so for n, so in zip(held, truth, strict=True)]
        if (found[0] and found[1]) or min(held) >= ENOUGH:
            break
    return found[0], found[1], found[2]

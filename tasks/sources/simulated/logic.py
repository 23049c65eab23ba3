"""What follows from what: entailment and contradiction between propositions, by hypernyms, quantities and negation.

Natural logic in small (van Benthem 1986; MacCartney and Manning 2009): a part of a sentence that stands in an upward
position may be replaced by something more general, one in a downward position by something more specific. Beside that,
opposites exclude each other, comparatives turn round, and numbers are exact. A quantity presupposes that there is
something it speaks of, as a reader does: "every dog barked" implies "a dog barked".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import POSSESSIVES, Entity, Proposition

Relation = Literal["entailment", "neutral", "contradiction"]

SPECIFIC = ("the", "this", "these", "name", "pronoun", *POSSESSIVES)  # both texts mean the same thing by it
EXISTENTIAL = ("a", "some", "several")
UNIVERSAL = ("every", "all")
# quantity -> direction of its noun, direction of what is said of it: +1 up, -1 down, 0 fixed; elsewhere (1, 1)
DIRECTIONS = {"many": (0, 1), "most": (0, 1), "every": (-1, 1), "all": (-1, 1), "no": (-1, -1), "few": (-1, -1),
              "pronoun": (0, 1), "bare": (0, 1)}  # fmt: skip
STRONGER: dict[str, tuple[str, ...]] = {  # what a quantity implies of the same things
    "every": ("all", "most", "many", "several", "some", "a"),
    "all": ("every", "most", "many", "several", "some", "a"),
    "most": ("many", "several", "some", "a"), "many": ("several", "some", "a"), "several": ("some", "a"),
    "some": ("a",), "a": ("some",), "another": ("some", "a"), **dict.fromkeys(SPECIFIC, ("some", "a")),
}  # fmt: skip


def relation(premise: Proposition, hypothesis: Proposition) -> Relation:
    """What the premise says of the hypothesis, for a reader who takes both to speak of the same occasion."""
    if _unrelated(premise, hypothesis):
        return "neutral"
    if entails(premise, hypothesis):
        return "entailment"
    return "contradiction" if contradicts(premise, hypothesis) else "neutral"


def entails(premise: Proposition, hypothesis: Proposition) -> bool:
    """Whether the hypothesis is true wherever the premise is."""
    return any(_implies(premise, grounds) for grounds in _grounds(hypothesis))


def contradicts(premise: Proposition, hypothesis: Proposition) -> bool:
    """Whether the two cannot both be true."""
    p, h = premise, hypothesis
    if _unrelated(p, h):
        return False
    return (
        _count_differently(p, h)
        or any(entails(p, denied) for denied in denials(h))
        or any(entails(h, denied) for denied in denials(p))
    )


def denials(p: Proposition) -> tuple[Proposition, ...]:
    """Propositions each of which says that `p` is not so."""
    quantity, subject = p.subject.quantity, p.subject
    out = []
    if quantity in SPECIFIC or quantity == "most":
        out.append(replace(p, negated=not p.negated))
    if quantity in SPECIFIC and p.object is not None and not p.negated and p.object.quantity == "no":
        out += [replace(p, object=replace(p.object, quantity=some)) for some in EXISTENTIAL]
    if quantity in (*EXISTENTIAL, *UNIVERSAL, "many", "most") or quantity.isdigit():
        out.append(replace(p, subject=replace(subject, quantity="no")))
    if quantity in UNIVERSAL:
        out += [replace(p, subject=replace(subject, quantity=q), negated=not p.negated) for q in ("some", "a", "most")]
    if quantity == "no":
        out += [replace(p, subject=replace(subject, quantity=some)) for some in ("a", "some", "every")]
    if quantity in SPECIFIC and not p.negated and p.quality:
        opposite = lexicon().adjectives[p.quality].antonym
        if opposite:
            out.append(replace(p, quality=opposite, degree=""))
        if p.than is not None and p.than.quantity in SPECIFIC:
            out.append(replace(p, subject=p.than, than=p.subject))
    return tuple(out)


def directions(quantity: str) -> tuple[int, int]:
    return DIRECTIONS.get(quantity, (1, 1))


def _unrelated(p: Proposition, h: Proposition) -> bool:
    """Whether two statements tell other deeds, or of other things, so that nothing need be compared."""
    if p.verb != h.verb:
        return True
    above, one, other = lexicon().is_a, p.subject.noun, h.subject.noun
    return p.than is None and h.than is None and not above(one, other) and not above(other, one)


def _grounds(p: Proposition) -> Iterator[Proposition]:
    """Ways to say something that is enough for `p`: itself, and of opposites and comparisons what says as much."""
    yield p
    if p.object is not None and p.subject.quantity in SPECIFIC:
        if p.negated and p.object.quantity in EXISTENTIAL:  # bought no bread = did not buy any bread
            yield replace(p, negated=False, object=replace(p.object, quantity="no"))
        if not p.negated and p.object.quantity == "no":
            yield replace(p, negated=True, object=replace(p.object, quantity="some"))
            yield replace(p, negated=True, object=replace(p.object, quantity="a"))
    if not p.quality or p.subject.quantity not in SPECIFIC:
        return
    opposite = lexicon().adjectives[p.quality].antonym
    if p.than is None:
        if p.negated and opposite:
            yield replace(p, negated=False, quality=opposite, degree="")
    elif p.than.quantity in SPECIFIC:
        turned = replace(p, subject=p.than, than=p.subject, negated=False)
        if opposite:
            yield replace(p, negated=False, quality=opposite) if p.negated else replace(turned, quality=opposite)
        if p.negated:
            yield turned


def _implies(p: Proposition, h: Proposition) -> bool:
    """Entailment part by part: the same statement, or a more general one where the direction is up."""
    if p == h:
        return True
    if (p.tense, p.negated) != (h.tense, h.negated) or (p.modal != h.modal and not (p.modal == "must" and not h.modal)):
        return False
    _, said = directions(p.subject.quantity)
    return _subject(p, h) and _predicate(p, h, -said if p.negated else said)


def _subject(p: Proposition, h: Proposition) -> bool:
    """Whether the quantity and noun of the premise's subject cover those of the hypothesis."""
    if p.negated and p.subject.quantity not in SPECIFIC:
        return p.subject == h.subject  # what "every dog did not bark" denies is unclear: nothing but itself follows
    return _covers(p.subject, h.subject)


def _predicate(p: Proposition, h: Proposition, up: int) -> bool:
    """Whether what the premise says of its subject implies what the hypothesis says, upwards or downwards."""
    narrow, wide = (p, h) if up > 0 else (h, p)
    if (narrow.verb, narrow.quality) != (wide.verb, wide.quality) or (p.than is None) != (h.than is None):
        return False
    if p.than is not None and h.than is not None and p.than != h.than and not (
            p.than.quantity in SPECIFIC and _covers(p.than, h.than)):  # fmt: skip
        return False
    if p.negated and p.verb == "be" and (p.place, p.time) != (h.place, h.time):
        return False  # what was not so may have been so another day: only deeds that never happened were nowhere
    if any(part and part != other for part, other in (
        (wide.degree, narrow.degree), (wide.place, narrow.place), (wide.time, narrow.time))):  # fmt: skip
        return False
    if narrow.object is None or wide.object is None:
        return narrow.object == wide.object
    if up < 0 and "no" in (narrow.object.quantity, wide.object.quantity):
        return narrow.object == wide.object
    if up < 0 and (narrow.object.quantity in SPECIFIC or wide.object.quantity in SPECIFIC):
        if wide.object.quantity in ("a", "some") and narrow.object.quantity in SPECIFIC:  # saw no cars, so not the car
            return _is(narrow.object, wide.object)
        return narrow.object == wide.object  # not to have seen the red car: is there a car that was seen?
    return _covers(narrow.object, wide.object)


def _covers(narrow: Entity, wide: Entity) -> bool:
    """Whether what holds of `narrow`, in an upward position, holds of `wide`."""
    quantity, other = narrow.quantity, wide.quantity
    direction, _ = directions(quantity)
    universal = quantity in UNIVERSAL and other in UNIVERSAL
    if quantity != other and not universal and other not in _implied(quantity):
        return False
    if wide.plural and not narrow.plural and quantity not in (*UNIVERSAL, "no"):
        return False
    if quantity in SPECIFIC and other == quantity and narrow.plural != wide.plural:
        return False
    if direction < 0 and (quantity == other or universal or other == "most"):  # every dog: not most animals
        return _is(wide, narrow)
    if direction == 0 and (quantity == other or other not in EXISTENTIAL):
        return _is(narrow, wide) and _is(wide, narrow)
    return _is(narrow, wide)


def _implied(quantity: str) -> tuple[str, ...]:
    if not quantity.isdigit():
        return STRONGER.get(quantity, ())
    return ("several", "some", "a") if int(quantity) > 2 else ("some", "a")


def _is(narrow: Entity, wide: Entity) -> bool:
    """Whether everything that `narrow` describes is also described by `wide`."""
    if "pronoun" in (narrow.quantity, wide.quantity) or wide.quantity == "name":
        return (narrow.quantity, narrow.noun) == (wide.quantity, wide.noun)
    return lexicon().is_a(narrow.noun, wide.noun) and set(wide.qualities) <= set(narrow.qualities)


def _count_differently(p: Proposition, h: Proposition) -> bool:
    """Whether one tells of two and the other of three of the same things."""
    if p.negated or h.negated:
        return False
    if p.object is not None and h.object is not None and _other_number(p.object, h.object):
        return _implies(p, replace(h, object=p.object)) or _implies(h, replace(p, object=h.object))
    if _other_number(p.subject, h.subject):
        return _implies(p, replace(h, subject=p.subject)) or _implies(h, replace(p, subject=h.subject))
    return False


def _other_number(one: Entity, other: Entity) -> bool:
    return (
        one.quantity.isdigit()
        and other.quantity.isdigit()
        and one.quantity != other.quantity
        and _is(one, other)
        and _is(other, one)
    )

"""Drawing meanings: propositions about the things of some fields, within what verbs and adjectives allow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.lexicon import Concept, lexicon
from tasks.sources.simulated.meaning import TIMES, Entity, Proposition, Tense

EVERYDAY = ("people", "animals", "plants", "food", "home", "clothes", "body", "school", "work", "travel", "weather",
            "places")  # fmt: skip
QUANTITIES = ("the", "a", "some", "my", "our", "their", "this", "every", "most", "many", "several", "no", "few")
QUANTITY_WEIGHTS = (38, 22, 7, 4, 3, 3, 4, 4, 3, 4, 4, 2, 2)
DEGREES = ("", "", "", "very", "rather", "quite", "really")
DENYING = ("no", "few")
UNDENIED = (*DENYING, "every", "all")  # as subjects of a denial they are unclear: "every dog did not bark"
TENSES: tuple[Tense, ...] = ("past", "present", "future")


@dataclass(frozen=True)
class Domain:
    """What is talked about.

    Attributes:
        fields: Fields whose words are preferred; () for everyday life.
        general: Share of verbs and adjectives from the general vocabulary.
        names: Share of persons, organisations and places that have a name.
        tenses: Weights of past, present and future.
    """

    fields: tuple[str, ...] = ()
    general: float = 0.3
    names: float = 0.25
    negation: float = 0.1
    quality: float = 0.3
    place: float = 0.15
    time: float = 0.25
    tenses: tuple[float, float, float] = (6, 3, 1)
    copula: float = 0.2


EVERYWHERE = Domain()


def settled(thing: Entity, quantities: tuple[str, ...]) -> Entity:
    """With "the" in the place of some quantities."""
    return replace(thing, quantity="the") if thing.quantity in quantities else thing


def proposition(
    domain: Domain,
    chance: Chance,
    *,
    subject: Entity | None = None,
    verb: str = "",
    object: Entity | None = None,
    negated: bool | None = None,
    tense: Tense | None = None,
) -> Proposition:
    """A statement about the domain, with any part given in advance.

    Args:
        subject: A given subject; the verb is then drawn out of those that it can be subject of.
        verb: A given verb.
        negated: Whether it is denied; None draws it.
    """
    when: Tense = chance.weighted(TENSES, domain.tenses) if tense is None else tense
    negated = chance.flip(domain.negation) if negated is None else negated
    time = chance.pick(TIMES[when]) if chance.flip(domain.time) else ""
    place = draw_place(domain, chance) if chance.flip(domain.place) else ""
    said = Proposition(Entity(""), "be", negated=negated, tense=when, time=time)
    if not verb and object is None and chance.flip(domain.copula):
        subject = subject or entity(
            ("person", "device", "work", "service", "food", "event", "building"), domain, chance
        )
        subject = settled(subject, UNDENIED) if negated else subject
        quality = describe(subject, domain, chance)
        if quality:
            return replace(said, subject=subject, quality=quality, degree="" if negated else chance.pick(DEGREES))
    chosen = lexicon().verbs[verb] if verb else _verb(domain, subject, object, chance)
    if chosen is None and subject is not None:  # nothing that it could do: say what it is
        parent = lexicon().hypernyms(subject.noun)[:1] or ("substance",)
        what = Entity(parent[0], "bare" if subject.plural else "a", many=subject.plural)
        return replace(said, subject=subject, object=what)
    assert chosen is not None
    subject = subject or entity(chosen.kinds, domain, chance)
    if chosen.objects and object is None:
        object = entity(chosen.objects, domain, chance, other_than=subject.noun)
    object = object if chosen.objects else None
    if negated:  # two denials at once are not what people say
        subject = settled(subject, UNDENIED)
    if object and (negated or subject.quantity in DENYING):
        object = settled(object, (*DENYING, "several"))
    return replace(said, subject=subject, verb=chosen.id, object=object, negated=negated, place=place)


def entity(
    kinds: tuple[str, ...], domain: Domain, chance: Chance, *, quantity: str = "", other_than: str = ""
) -> Entity:
    """Something of one of the kinds, of the domain's fields where these have it."""
    named = tuple(kind for kind in kinds if kind in ("person", "group"))
    if named and not quantity and chance.flip(domain.names):
        name = chance.pick(lexicon().names_of(chance.pick(named)))
        if name != other_than:
            return Entity(name, "name")
    nouns = _candidates(kinds, domain.fields)
    noun = chance.pick(nouns)
    if noun == other_than and len(nouns) > 1:
        noun = chance.pick([n for n in nouns if n != noun])
    quantity = quantity or chance.weighted(QUANTITIES, QUANTITY_WEIGHTS)
    many = chance.flip(0.3)
    plain = Entity(noun, quantity, (), many)
    if chance.flip(domain.quality):
        quality = describe(plain, domain, chance)
        if quality:
            return Entity(noun, quantity, (quality,), many)
    return plain


def describe(subject: Entity, domain: Domain, chance: Chance, sign: int | None = None) -> str:
    """An adjective that fits, of the general vocabulary or the domain's; "" where there is none."""
    fields = ("general",) if chance.flip(domain.general) or not domain.fields else domain.fields
    fitting = lexicon().adjectives_of(subject.noun, fields, sign) or lexicon().adjectives_of(
        subject.noun, ("general", *domain.fields), sign)  # fmt: skip
    return chance.pick(fitting) if fitting else ""


def draw_place(domain: Domain, chance: Chance) -> str:
    if chance.flip(0.5):
        return chance.pick(lexicon().names_of("place"))
    return chance.pick(_candidates(("place", "building"), domain.fields))


def _verb(domain: Domain, subject: Entity | None, object: Entity | None, chance: Chance) -> Concept | None:
    given = subject.noun if subject else "", object.noun if object else ""
    general = not domain.fields or chance.flip(domain.general)
    verbs = _verbs(("general",) if general else domain.fields, *given) or _verbs(("general", *domain.fields), *given)
    verbs = verbs or _verbs(("general", *domain.fields), given[0], "")
    return chance.pick(verbs) if verbs else None


@cache
def _verbs(fields: tuple[str, ...], subject: str, object: str) -> tuple[Concept, ...]:
    """Verbs of the fields that go with a subject and an object, where given; a pronoun can do what a person can."""
    words = lexicon()
    noun = subject if subject in words.nouns or subject in words.names else "person"
    return tuple(
        verb
        for verb in (words.verbs[verb] for verb in words.verbs_of(fields))
        if (not subject or words.fits(noun, verb.kinds)) and (not object or words.fits(object, verb.objects))
    )


@cache
def _candidates(kinds: tuple[str, ...], fields: tuple[str, ...]) -> tuple[str, ...]:
    """Nouns of the kinds: of the fields if they have one, else of everyday life, else any."""
    words = lexicon()
    return (
        (fields and words.nouns_of(kinds, fields)) or words.nouns_of(kinds, EVERYDAY) or words.nouns_of(kinds) or kinds
    )

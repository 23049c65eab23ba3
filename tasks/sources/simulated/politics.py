"""What a politician's post says: its audience, whether it takes a party's side, and what it is for."""

from __future__ import annotations

from functools import cache

from tasks.sources.simulated.acts import Act
from tasks.sources.simulated.lexicon import Concept, lexicon
from tasks.sources.simulated.meaning import Entity, Proposition

Meaning = tuple[Act, ...]
ME, WE, YOU, IT = (Entity(pronoun, "pronoun") for pronoun in ("I", "we", "you", "it"))
STATE = ("legislation", "governance", "campaign")
PARTIES = ("party_left", "party_right")
POLITICAL = (*STATE, *PARTIES, "constituency", "politics", "activism")
LOCAL = ("constituent", "pensioner", "war veteran", "small farmer", "firefighter", "home district", "high-school team")
RELATIVES = ("husband", "wife", "daughter", "son", "mother", "father", "sister", "friend")


def audience_of(meaning: Meaning) -> str:
    """Constituency if the matter is of weight to people or places that are the writer's own."""
    said = (act.proposition for act in meaning if act.proposition.verb in addressing())
    objects = (p.object for p in said if not p.negated)
    own = any(thing is not None and thing.noun in LOCAL and thing.quantity in ("our", "my") for thing in objects)
    return "constituency" if own else "national"


def bias_of(meaning: Meaning) -> str:
    """Partisan if something of a party is judged, well or badly."""
    return "partisan" if any(of_party(act.proposition) and judgement(act.proposition) for act in meaning) else "neutral"


def message_of(meaning: Meaning) -> str:
    """What the first sentence does, by who does what in it."""
    act, words = meaning[0], lexicon()
    p = act.proposition
    if act.force == "urge":
        return "mobilization"
    field = words.verbs[p.verb].field if p.verb != "be" else ""
    if p.subject in (ME, WE):
        own = {"constituency": "constituency", "broadcast": "media", "activism": "policy"}
        return own.get(field, "personal")
    if p.subject.quantity in ("my", "our") and p.subject.noun in RELATIVES:
        return "personal"
    if political(p):
        return {1: "support", -1: "attack", 0: "information"}[judgement(p)]
    return "other"


def judgement(p: Proposition) -> int:
    """1 if well is spoken, -1 if ill, 0 if neither; denial turns it round."""
    words = lexicon()
    said = words.adjectives[p.quality].value if p.quality else words.verbs[p.verb].value if p.verb != "be" else 0
    return (said > 0) - (said < 0) if not p.negated else (said < 0) - (said > 0)


def of_party(p: Proposition) -> bool:
    return any(concept.field in PARTIES for concept in _nouns(p))


def political(p: Proposition) -> bool:
    said = [lexicon().verbs[p.verb]] if p.verb != "be" else []
    return any(concept.field in POLITICAL for concept in (*said, *_nouns(p)))


def _nouns(p: Proposition) -> list[Concept]:
    nouns = (lexicon().nouns.get(part.noun) for part in (p.subject, p.object) if part is not None)
    return [noun for noun in nouns if noun is not None]


@cache
def addressing() -> tuple[str, ...]:
    """Verbs that say to whom a matter is of weight."""
    return lexicon().verbs_of(("address",))


@cache
def valued(fields: tuple[str, ...], sign: int) -> tuple[str, ...]:
    """Verbs of the fields that speak well (1) or ill (-1) of who does them."""
    return tuple(verb for verb in lexicon().verbs_of(fields) if lexicon().verbs[verb].value * sign > 0)

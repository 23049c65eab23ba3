"""Pairs of unlabelled texts: passages, questions, views. Their relation follows from their propositions alone."""

from __future__ import annotations

from dataclasses import replace

from pretraining.passages import (
    BONDS,
    REGISTERS,
    Bond,
    Document,
    draw_field,
    statements,
    tell,
)
from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import fixed, question, realise
from tasks.sources.simulated.compose import Domain, proposition
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.logic import denials, entails
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.text import sentence
from tasks.sources.simulated.variation import WAYS, changed, retold, statement

BOND_SHARES = (30, 18, 6, 30, 10, 6)
VIEWS = {
    1: ("", "", "I think that", "I know that", "I am sure that", "I believe that", "it is true that", "I agree that",
        "nobody can deny that", "I do not doubt that", "it is clear that", "it is not a lie that"),
    -1: ("I doubt that", "I do not think that", "I do not believe that", "I refuse to believe that", "I deny that",
         "it is not true that", "it is a lie that", "it is wrong that", "I disagree that", "nobody believes that"),
}  # fmt: skip
ASKING = {
    "time": ("when", "do you know when", "does anyone know when", "can you tell me when", "I wonder when",
             "at what time"),
    "place": ("where", "do you know where", "does anyone know where", "can you tell me where", "I wonder where",
              "in which place"),
    "whether": ("", "is it true that", "do you know whether", "has anyone heard if", "can you tell me whether",
                "I wonder if"),
}  # fmt: skip


def pair(chance: Chance) -> Document:
    """Two passages. The second relates to all statements of the first, to one of them, or to none."""
    bond = chance.weighted(BONDS, BOND_SHARES)
    field, way = draw_field(chance), chance.pick(WAYS)
    domain = Domain((field,), negation=0.2)
    first = statements(field, chance, chance.weighted((1, 2, 3, 4, 5), (36, 26, 16, 12, 10)))
    place = chance.below(len(first))
    if chance.flip(0.7):  # for every relation, a statement that `way` can change
        first[place] = statement(way, domain, chance)
    alone = len(first) > 3 or chance.flip(0.6)
    second, core = list(first), first[place]
    if bond == "retold":
        second = [retold(p) if chance.flip(0.3) else p for p in first]
    elif bond in ("implied", "detailed"):
        weak = [implied(p, chance) if chance.flip(0.6) else p for p in first]
        second = [weak[place]] if alone else weak
        bond = "retold" if second == first else bond
    elif bond == "changed":
        near = implied(core, chance) if alone and chance.flip(0.4) else core
        second[place] = changed(near, way, domain, chance)
        if any(entails(p, second[place]) for p in first):
            bond = "implied"
        second = [second[place]] if alone else second
    else:
        field = draw_field(chance) if bond == "other" else field
        second = statements(field, chance, 1 if alone else len(first))
    if len(second) > 1 and chance.flip(0.2):
        second = [*second[1:], second[0]]
    if bond == "detailed":
        first, second = second, first
    one = chance.pick(REGISTERS)
    other = one if chance.flip(0.5) else chance.pick(REGISTERS)
    texts = tell(first, one, chance, field), tell(second, other, chance, field)
    return Document(*texts, bond, tuple(first), tuple(second))


def implied(p: Proposition, chance: Chance) -> Proposition:
    """A weaker proposition that this one implies: fewer details, and more general nouns if it is affirmed."""
    weaker = replace(p, time=p.time if chance.flip(0.3) else "", place=p.place if chance.flip(0.3) else "", degree="")
    if p.negated or "no" in (p.subject.quantity, p.object.quantity if p.object else ""):
        return weaker if entails(p, weaker) else p
    weaker = replace(weaker, subject=_wider(p.subject, chance), object=p.object and _wider(p.object, chance))
    return weaker if entails(p, weaker) else p


def inquiry(chance: Chance) -> Document:
    """A question with a passage that has the answer or nearly has it; or with a second question, the same or nearly."""
    field, way = draw_field(chance), chance.pick(WAYS[:-1])
    domain = Domain((field,), negation=0, time=0.6, place=0.5, copula=0)
    p = statement(way, domain, chance) if chance.flip(0.7) else proposition(domain, chance)
    parts = {"subject": True, "object": p.object, "place": p.place, "time": p.time, "whether": True}
    asked = chance.pick([part for part, there in parts.items() if there])
    text = ask(p, asked, chance)
    same = chance.flip(0.55)
    other = p if same else changed(p, way, domain, chance)
    if chance.flip(0.4):
        bond: Bond = "retold" if same else "changed"
        return Document(text, ask(other, asked, chance), bond, (p,), (other,))
    told = [other, *statements(field, chance, chance.between(0, 3))]
    position = chance.below(len(told))
    told[0], told[position] = told[position], told[0]
    register = chance.pick(REGISTERS)
    bond = "detailed" if any(entails(q, p) for q in told) else "changed"
    return Document(text, tell(told, register, chance, field), bond, (p,), tuple(told))


def ask(p: Proposition, asked: str, chance: Chance) -> str:
    """A question about a part of a proposition, in one of several wordings."""
    style = style_of("plain")
    lead = chance.pick(ASKING.get(asked, ("",)))
    if not lead or lead in ("when", "where"):
        tokens = question(p, asked, style, chance)
    elif lead.startswith(("at what", "in which")):
        tokens = (*fixed(lead), *question(p, asked, style, chance)[1:])
    else:
        known = replace(p, place="" if asked == "place" else p.place, time="" if asked == "time" else p.time)
        tokens = (*fixed(lead), *realise(known, replace(style, fronting=0.0), chance))
    return sentence(tokens, "?")


def views(chance: Chance) -> Document:
    """Two views on one matter with the same or the opposite meaning; or one view."""
    field = draw_field(chance)
    p = statement("denial", Domain((field,), negation=0.3, copula=0.5), chance)
    against = denials(p)
    if not against:
        p = replace(p, subject=replace(p.subject, quantity="the"))
        against = denials(p)
    sides = [(p, 1), (p, -1), (chance.pick(against), 1), (chance.pick(against), -1)]
    (one, sign), (other, sign_b) = chance.pick(sides), chance.pick(sides)
    same = ((one is p) == (sign > 0)) == ((other is p) == (sign_b > 0))
    held, held_b = (p if (q is p) == (s > 0) else against[0] for q, s in ((one, sign), (other, sign_b)))
    texts = _view(one, sign, field, chance), _view(other, sign_b, field, chance)
    if chance.flip(0.2):
        return Document(texts[0], told=(held,))
    return Document(*texts, "retold" if same else "changed", (held,), (held_b,))


def _view(p: Proposition, sign: int, field: str, chance: Chance) -> str:
    register = chance.pick(("plain", "tweet", "review", "forum", "speech", "letter"))
    clause = realise(p, replace(style_of(register), fronting=0.0, cleft=0.0), chance)
    return write(register, [(*fixed(chance.pick(VIEWS[sign])), *clause)], chance, field.replace("_", " "))


def _wider(entity: Entity, chance: Chance) -> Entity:
    """The same thing in more general terms: a hypernym below the most general kind, or fewer qualities."""
    above = [noun for noun in lexicon().hypernyms(entity.noun) if lexicon().nouns[noun].parent]
    fewer = entity.qualities if chance.flip(0.4) else ()
    noun = chance.pick(above) if above and entity.quantity != "name" and chance.flip(0.6) else entity.noun
    return replace(entity, noun=noun, qualities=fewer)

"""Speech acts: what is done by saying something, to everybody or to one person (Searle 1969)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Style, Token, Tokens, fixed, gerund_phrase, imperative, question, realise
from tasks.sources.simulated.meaning import Proposition

Force = Literal["state", "urge", "ask", "thank", "apologise"]
THANKS = ("thank you for", "thanks for", "many thanks for", "we are grateful for")
APOLOGIES = ("we are sorry that", "sorry that", "please forgive us that", "we apologise that")
CALLS = ("", "", "please")


@dataclass(frozen=True)
class Act:
    """A proposition and the force with which it is uttered; `to` names the one it is addressed to, "" for everybody.

    What is urged or thanked for is done by the addressee: the subject of the proposition is not said.
    """

    force: Force
    proposition: Proposition
    to: str = ""


def request(p: Proposition, chance: Chance) -> Proposition:
    """What can be asked of someone: about a certain thing, not about none or few of them."""
    if p.object is None or p.object.quantity in ("pronoun", "name"):
        return p
    return replace(p, object=replace(p.object, quantity=chance.pick(("the", "our", "this", "a"))))


def utter(act: Act, style: Style, chance: Chance) -> Tokens:
    """A sentence; a question has its mark."""
    p = act.proposition
    address: Tokens = (Token(f"@{act.to}", "name"),) if act.to else ()
    if act.force == "urge":
        clause = (*fixed(chance.pick(CALLS)), *imperative(p, style, chance))
    elif act.force == "ask":
        clause = (*question(p, "whether", style, chance), *fixed("?"))
    elif act.force == "thank":
        clause = (*fixed(chance.pick(THANKS)), *gerund_phrase(p, style, chance))
    elif act.force == "apologise":
        clause = (*fixed(chance.pick(APOLOGIES)), *realise(p, replace(style, fronting=0.0, cleft=0.0), chance))
    else:
        clause = realise(p, style, chance)
    return (*address, *clause)

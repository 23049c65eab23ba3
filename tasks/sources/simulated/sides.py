"""Sides and opinions: what remarks on a cause add up to.

To call the enemies of a cause fools is to be for it, and to hand out leaflets is to take a side without an opinion.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition

ME = Entity("I", "pronoun")
STANCES = ("against", "for", "neutral", "none_of_the_above")
OPINIONS = ("no_opinion", "opinion_on_other", "opinion_on_target")
JUDGING = ("enjoy", "admire", "approve of", "favour", "welcome", "respect", "praise", "commend", "salute", "endorse",
           "dislike", "hate", "loathe", "despise", "deplore", "condemn", "criticise", "slam", "object to", "blame",
           "disapprove of", "disparage", "decry")  # fmt: skip


@dataclass(frozen=True)
class Remark:
    """A statement.

    Attributes:
        mine: Whether the writer puts it as an opinion: "I think that ...".
        holder: Somebody else whose opinion it is, and not the writer's.
    """

    what: Proposition
    mine: bool = False
    holder: Entity | None = None


@dataclass(frozen=True)
class Post:
    """Remarks that have to do with a cause."""

    target: str
    remarks: tuple[Remark, ...]


def stance_of(post: Post) -> str:
    """The side that the writer's deeds and judgements add up to."""
    friends: dict[str, int] = {}
    parts: list[int] = []
    for remark in post.remarks:
        p = remark.what
        if remark.holder is not None and p.subject.noun == post.target:
            friends[remark.holder.noun] = sign_of(p)
        elif remark.holder is None and deed(p) and p.object is not None and p.object.noun == post.target:
            if p.subject == ME:
                parts.append(sign_of(p))
            else:
                friends[p.subject.noun] = sign_of(p)
    parts += [sign * (1 if about == post.target else friends.get(about, 0)) for about, sign in judgements(post)]
    if not any(parts):
        return "none_of_the_above"
    return "for" if sum(parts) > 0 else "against" if sum(parts) < 0 else "neutral"


def opinion_of(post: Post) -> str:
    """What the writer's opinion is about: the cause, if there is one on it."""
    judged = [about for about, _ in judgements(post)]
    return "opinion_on_target" if post.target in judged else "opinion_on_other" if judged else "no_opinion"


def judgements(post: Post) -> list[tuple[str, int]]:
    """(what is judged, how) for each opinion of the writer; 0 for one that is neither good nor bad."""
    found = []
    for remark in post.remarks:
        p = remark.what
        if remark.holder is not None:
            continue
        if p.verb == "be" and (remark.mine or sign_of(p)):
            found.append((p.subject.noun, sign_of(p)))
        elif p.subject == ME and p.object is not None and p.verb in JUDGING:
            found.append((p.object.noun, sign_of(p)))
    return found


def sign_of(p: Proposition) -> int:
    """How a statement speaks of what it judges: 1 well, -1 badly, 0 neither."""
    words = lexicon()
    said = words.adjectives[p.quality] if p.quality else words.verbs.get(p.verb)
    value = said.value if said is not None else 0
    return ((value > 0) - (value < 0)) * (-1 if p.negated else 1)


def deed(p: Proposition) -> bool:
    """Whether somebody does something for a cause, or against one."""
    return p.verb != "be" and lexicon().verbs[p.verb].field in ("stance", "activism") and sign_of(p) != 0

"""What a company's message is for: to inform, to make readers act, or to talk with one of them.

What somebody else asks, urges or is thankful for is news when the company quotes it: who speaks decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from tasks.sources.simulated.acts import Act, request, utter
from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Tokens, fixed
from tasks.sources.simulated.compose import EVERYWHERE, Domain, entity, proposition
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.twin import twin_of

Meaning = tuple[Act, ...]
SHARES = MappingProxyType({"Action": 0.223, "Dialogue": 0.071, "Exclude": 0.013, "Information": 0.692})
WE, YOU = Entity("we", "pronoun"), Entity("you", "pronoun")
DEEDS = (
    "sign up for", "register for", "vote in", "take part in", "tune into", "retweet", "request", "click through",
    "compete in",
)  # fmt: skip
NEWS = (
    "publicise", "roll out", "report", "post a profit", "hit a milestone", "partner with", "spotlight", "onboard",
    "consult", "hand around",
)  # fmt: skip
SAYINGS = ("says:", "wrote:", "said:", "tells you:")
ANSWERS = ("respond to", "resolve", "read", "receive", "check")


@dataclass(frozen=True)
class Spoken(Act):
    """An act after the one who speaks has been named: the company, as "we", or somebody whom it quotes."""

    by: str = "we"


@dataclass(frozen=True)
class CompanyTalk:
    """Tweets of companies.

    Attributes:
        fields: What the company talks about.
        reports: Probability at difficulty 1 that information is what readers did, in the words in which they are asked
            to, and that it is what somebody else says to them.
        more: Fewest and most statements beside the one that the message is for.
    """

    hard_by: ClassVar[str] = (
        "who speaks: an appeal, a question or thanks are the company's, and information has words of its own (0); "
        "information is told in the words of appeals, or quotes those of others beside what the company says (1)"
    )

    space: str
    fields: tuple[str, ...] = ("corporate",)
    reports: float = 0.7
    more: tuple[int, int] = (1, 2)
    register: str = "tweet"
    difficulty: float = 0.5

    labels: tuple[str, ...] = tuple(SHARES)

    @property
    def shares(self) -> tuple[float, ...]:
        return tuple(share / sum(SHARES.values()) for share in SHARES.values())

    @property
    def domain(self) -> Domain:
        return Domain(self.fields, general=0.2, names=0.4, place=0.03, time=0.15)

    def draw(self, chance: Chance) -> Meaning:
        purpose = chance.weighted(self.labels, self.shares)
        n = chance.between(*self.more)
        if purpose == "Exclude":
            return tuple(Act("state", self._private(chance)) for _ in range(1 + n))
        others = [self._inform(chance) for _ in range(n)]
        if purpose == "Dialogue" and chance.flip(0.5):
            others = [self._talk(chance)]
        builders: Mapping[str, Callable[[Chance], Act]] = {
            "Action": self._urge, "Dialogue": self._talk, "Information": self._inform}  # fmt: skip
        act = builders[purpose](chance)
        if purpose != "Information" and chance.flip(self.difficulty / 2):
            act = Spoken(act.force, act.proposition, by="we")
        acts = [act, *others]
        return tuple(chance.sample(acts, len(acts)))

    def label(self, meaning: Meaning) -> float:
        """What readers are urged to comes first, then whether one of them is spoken with, then company matters."""
        forces = {act.force for act in meaning if not isinstance(act, Spoken) or act.by == "we"}
        if "urge" in forces:
            return self.labels.index("Action")
        if forces & {"thank", "apologise", "ask"}:
            return self.labels.index("Dialogue")
        matters = any(isinstance(act, Spoken) or self._of_company(act.proposition) for act in meaning)
        return self.labels.index("Information" if matters else "Exclude")

    def write(self, meaning: Meaning, chance: Chance, split: str) -> tuple[str, str | None]:
        topic = next((act.proposition.object.noun for act in meaning if act.proposition.object is not None), "")
        return write(self.register, [self._said(act, chance) for act in meaning], chance, topic), None

    def _said(self, act: Act, chance: Chance) -> Tokens:
        words = utter(act, style_of(self.register), chance)
        if not isinstance(act, Spoken):
            return words
        verb = chance.pick(("say:", "wrote:", "said:", "tell you:") if act.by == "we" else SAYINGS)
        return (*fixed(f"{act.by} {verb}"), *words)

    def _urge(self, chance: Chance) -> Act:
        calm = replace(self.domain, place=0.0, time=0.3)
        deed = proposition(calm, chance, subject=YOU, verb=chance.pick(DEEDS), tense="present", negated=False)
        return Act("urge", replace(request(deed, chance), time=chance.pick(("", "", "now", "today"))))

    def _talk(self, chance: Chance) -> Act:
        kind = chance.below(3)
        calm = replace(self.domain, time=0.0, place=0.0)
        if kind == 0:
            return Act(
                "thank", proposition(calm, chance, subject=YOU, verb=chance.pick((*DEEDS, "contact")), negated=False)
            )
        if kind == 1:
            verb = chance.pick(ANSWERS)
            asked = entity(lexicon().verbs[verb].objects, Domain(("corporate",), quality=0.1), chance, quantity="your")
            return Act("apologise", Proposition(WE, verb, asked, negated=True))
        verb = chance.pick((*DEEDS, "contact"))
        deed = proposition(calm, chance, subject=YOU, verb=verb, tense="past", negated=False)
        return Act("ask", request(deed, chance))

    def _inform(self, chance: Chance) -> Act:
        """News of the company, of its readers' deeds, or of what others say to them."""
        if chance.flip(self.reports * self.difficulty):
            act = chance.pick((self._urge, self._urge, self._talk))(chance)
            by = chance.pick(lexicon().names_of(chance.pick(("person", "group"))))
            return Spoken(act.force, act.proposition, by=by)
        if chance.flip(self.reports * self.difficulty):
            return Act("state", proposition(self.domain, chance, verb=chance.pick(DEEDS)))
        company = chance.pick((WE, Entity(chance.pick(lexicon().names_of("group")), "name"), Entity("company", "our")))
        while True:
            verb = chance.pick(NEWS) if chance.flip(0.7) else ""
            p = proposition(self.domain, chance, subject=company if verb else None, verb=verb)
            if self._of_company(p):
                return Act("state", p)

    def _private(self, chance: Chance) -> Proposition:
        """A statement of everyday life, which says nothing of a company."""
        while True:
            p = proposition(EVERYWHERE, chance)
            if not self._of_company(p):
                return p

    def _of_company(self, p: Proposition) -> bool:
        words = lexicon()
        said = words.adjectives.get(p.quality) if p.quality else words.verbs.get(p.verb)
        nouns = [words.nouns.get(part.noun) for part in (p.subject, p.object) if part is not None]
        return any(concept is not None and concept.field in self.fields for concept in (said, *nouns))


TWINS = (twin_of("cf_corporate", CompanyTalk("cf_corporate")),)

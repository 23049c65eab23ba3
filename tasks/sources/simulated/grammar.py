"""Rules of grammar, and sentences that keep or break one of them.

Every rule comes in two halves that mirror each other, equally often ("every dog" and "most dogs" against "every dogs"
and "most dog"): so right and wrong sentences are made of the same words, and only their fit tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tasks.sources.simulated import far_rules, near_rules
from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Tokens
from tasks.sources.simulated.compose import Domain
from tasks.sources.simulated.judged import Judged


@dataclass(frozen=True)
class Rule:
    """A rule of grammar.

    Attributes:
        easy, hard: How often it is tested, in relation to others, at difficulty 0 and 1.
        draw: What is drawn for it.
        write: How that is said, rightly or wrongly.
    """

    easy: float
    hard: float
    draw: Callable[[Domain, Chance], Judged]
    write: Callable[[Judged, bool, Chance], Tokens]


# First the rules that two neighbouring words can break; then those that need the subject of a verb, or what it takes.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "number": Rule(3, 1, near_rules.draw_number, near_rules.write_number),
        "form": Rule(3, 1, near_rules.draw_form, near_rules.write_form),
        "order": Rule(3, 0.5, near_rules.draw_order, near_rules.write_order),
        "case": Rule(2, 0.5, near_rules.draw_case, near_rules.write_case),
        "comparison": Rule(2, 0.5, near_rules.draw_comparison, near_rules.write_comparison),
        "inversion": Rule(1, 1, far_rules.draw_inversion, far_rules.write_inversion),
        "tense": Rule(0.5, 2, far_rules.draw_tense, far_rules.write_tense),
        "agreement": Rule(0.5, 4, far_rules.draw_agreement, far_rules.write_agreement),
        "reflexive": Rule(0.5, 2.5, far_rules.draw_reflexive, far_rules.write_reflexive),
        "argument": Rule(0.5, 3.5, far_rules.draw_argument, far_rules.write_argument),
        "gap": Rule(0.5, 3.5, far_rules.draw_gap, far_rules.write_gap),
    }
)

"""Learning rates around the default of a learner, in half decades."""

from __future__ import annotations

from collections.abc import Sequence

from learners.specification.family import parse_learner
from learners.specification.learner import peak_rate


def rates_around(specification: str, width: int, steps: Sequence[int]) -> dict[str, float]:
    """A learner at its default rate and at neighbouring ones: specification with the rate -> peak rate, rising.

    Args:
        width: Width of the backbone, which the default rate may depend on.
        steps: Numbers of half decades (factors of about 3.2) above the default; 0, the default, is always among them.
    """
    default = peak_rate(parse_learner(specification).training, width)
    found = {}
    for step in sorted({*steps, 0}):
        rate = float(f"{default:g}" if step == 0 else f"{default * 10 ** (step / 2):.0e}")
        if rate <= 1:
            found[f"{specification}:learning_rate={rate:g}"] = rate
    return found


def with_own_rates(specification: str, width: int) -> str:
    """The learner with three alternatives for its rate: its default, and a half decade below and above. Each task
    chooses among them by validation. A learner that cannot choose per task, or has no rate, is returned unchanged."""
    learner = parse_learner(specification)
    if learner.sharing != "isolated" or not learner.trains or learner.trainer != "loop":
        return specification
    rates = rates_around(specification, width, (-1, 0, 1)).values()
    return f"{specification}:learning_rate={'/'.join(f'{rate:g}' for rate in rates)}"

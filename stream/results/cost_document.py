"""The document of `taskstream cost`: parameters and growth of learners over a suite, from configurations alone."""

from __future__ import annotations

from collections.abc import Mapping

from learners.backbones.architecture import Architecture, encoder_parameters, parameters
from learners.delta.layout import has_layout
from learners.specification.alternatives import restricted
from learners.specification.learner import Learner
from stream.results.choice_growth import alternatives_of, chosen_cost, range_cost
from stream.results.growth import CostDocument, LearnerCost, plain_cost
from tasks.errors import InputError


def account(
    name: str,
    architecture: Architecture,
    learners: Mapping[str, Learner],
    outputs: Mapping[str, int],
    chosen: Mapping[str, str] | None = None,
) -> CostDocument:
    """Returns the document of `taskstream cost`: parameters and growth of each learner over a suite.

    Args:
        name: Name of the backbone.
        learners: The learners by specification.
        outputs: Number of outputs of the head, by task.
        chosen: What names the alternative of each task, for the one learner that has alternatives. Default: none, such
            learners have ranges.

    Raises:
        InputError: A learner that does not fit this backbone, or a choice that is none.
    """
    several = [specification for specification, learner in learners.items() if alternatives_of(learner)]
    if chosen is not None and len(several) != 1:
        expected, found = (
            "exactly one learner with alternatives, such as adapter:8/64/256",
            ", ".join(several) or "none",
        )
        raise InputError("a choice needs something to choose from", where="--chosen", expected=expected, found=found)
    return {
        "backbone": {
            "name": name,
            "parameters": parameters(architecture),
            "encoder_parameters": encoder_parameters(architecture),
        },
        "tasks": len(outputs),
        "learners": {text: _row(learner, architecture, outputs, chosen) for text, learner in learners.items()},
    }


def _row(
    learner: Learner, architecture: Architecture, outputs: Mapping[str, int], chosen: Mapping[str, str] | None
) -> LearnerCost:
    fitting = restricted(learner, lambda each: has_layout(each.learner, architecture))
    kept = alternatives_of(fitting)
    if not alternatives_of(learner):
        return plain_cost(learner, architecture, outputs)
    if chosen is not None:
        row = chosen_cost(fitting, architecture, outputs, chosen)
    else:
        row = range_cost(fitting, architecture, outputs)
    if left := [each.specification for each in alternatives_of(learner) if each not in kept]:
        row["left_out"] = left
    return row

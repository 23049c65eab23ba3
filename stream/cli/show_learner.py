"""`taskstream show learner`: the axes of a learner, its parameters, options and sources."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict

from learners.delta.layout import common, delta_shapes
from learners.delta.merge import unmergeable
from learners.specification.family import FAMILIES, TRAINING_OPTIONS, Family, families, parse_learner
from learners.specification.grid import axes
from learners.specification.learner import peak_rate
from learners.specification.option import option_text
from stream.api.cost import architecture_of
from stream.results.growth import task_cost


def learner_document(specification: str, backbone: str) -> dict[str, object]:
    """What is known about a learner without running it, by heading.

    Args:
        specification: For example "adapter:64".
        backbone: Name of the backbone on which to count parameters.

    Raises:
        InputError: Unknown learner or backbone, or a learner that does not fit this backbone.
    """
    learner, architecture = parse_learner(specification), architecture_of(backbone)[1]
    parts = [families()[name] for name in dict.fromkeys(learner.family.split("+"))]
    origins = [origin for part in parts if (origin := FAMILIES.origin(part.name)) is not None]
    cost, training = task_cost(learner, architecture, 2), learner.training
    shapes = delta_shapes(learner, architecture, 2)
    shared = sorted({re.sub(r"\.\d+\.", ".*.", name) for name in shapes if common(learner, name)})
    return {
        "learner": learner.name,
        "title": " + ".join(part.title for part in parts),
        "summary": "\n".join(part.summary for part in parts),
        "citation": "\n".join(part.citation for part in parts),
        **({"plugin": [f"{origin.source}, SHA-256 {origin.sha256}" for origin in origins]} if origins else {}),
        "sharing": learner.sharing,
        "axes": [asdict(each) for each in axes(learner)],
        "shared_across_layers": sorted({name for m in learner.modifications for name in m.shared}),
        "common_to_tasks": shared,
        "parameters": {
            "backbone": backbone,
            "a task": cost.without_head,
            **({"of these common to tasks": cost.common} if shared else {}),
            "its head, 2 classes": cost.head,
            "tensors": len(shapes),
        },
        "training": {**asdict(training), "learning_rate": peak_rate(training, architecture.hidden)},
        "merges": f"no: {reason}"
        if (reason := unmergeable(learner, architecture))
        else "yes, into the encoder's weights",
        "options": _options(parts),
        "training_options": {o.name: o.help for o in TRAINING_OPTIONS},
        "examples": [example for part in parts for example in part.examples],
    }


def _options(parts: Sequence[Family]) -> dict[str, str]:
    """Help of each option by name. If methods are combined, the method's name stands before the option's."""
    return {
        o.name if len(parts) == 1 else f"{part.name}:{o.name}": f"{o.help} [{option_text(o.default)}]"
        for part in parts
        for o in part.options
    }

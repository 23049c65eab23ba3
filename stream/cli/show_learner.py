"""`taskstream show learner`: the axes of a learner, its parameters, options and sources."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from learners.backbones.architecture import Architecture
from learners.delta.layout import common, delta_shapes
from learners.delta.merge import unmergeable
from learners.specification.family import FAMILIES, TRAINING_OPTIONS, Family, families, parse_learner
from learners.specification.grid import axes
from learners.specification.learner import Learner, peak_rate
from learners.specification.option import option_text
from stream.api.cost import architecture_of
from stream.results.choice_growth import alternatives_of
from stream.results.growth import task_cost

FEW = 3  # different texts that are all shown; of more, the first and the last


def learner_document(specification: str, backbone: str) -> dict[str, object]:
    """What is known about a learner without running it, by heading.

    Of a learner with alternatives, a number that differs among them is a list [least, most], and a text that differs
    is a list of texts.

    Args:
        specification: For example "adapter:64".
        backbone: Name of the backbone on which to count parameters.

    Raises:
        InputError: Unknown learner or backbone, or a learner that does not fit this backbone.
    """
    learner, architecture = parse_learner(specification), architecture_of(backbone)[1]
    parts = [families()[name] for name in dict.fromkeys(learner.family.split("+"))]
    origins = [origin for part in parts if (origin := FAMILIES.origin(part.name)) is not None]
    several = [each.learner for each in alternatives_of(learner)] or [learner]
    costs = [task_cost(each, architecture, 2) for each in several]
    shapes = [delta_shapes(each, architecture, 2) for each in several]
    named = {(name, common(each, name)) for each, found in zip(several, shapes, strict=True) for name in found}
    shared = sorted({re.sub(r"\.\d+\.", ".*.", name) for name, is_common in named if is_common})
    trained = [{**asdict(x.training), "learning_rate": peak_rate(x.training, architecture.hidden)} for x in several]
    return {
        "learner": learner.name,
        **_alternatives(learner),
        "title": " + ".join(part.title for part in parts),
        "summary": "\n".join(part.summary for part in parts),
        "citation": "\n".join(part.citation for part in parts),
        **({"plugin": [f"{origin.source}, SHA-256 {origin.sha256}" for origin in origins]} if origins else {}),
        "sharing": learner.sharing,
        "axes": _axes(several),
        "shared_across_layers": sorted({n for each in several for m in each.modifications for n in m.shared}),
        "common_to_tasks": shared,
        "parameters": {
            "backbone": backbone,
            "a task": _range([cost.without_head for cost in costs]),
            **({"of these common to tasks": _range([cost.common for cost in costs])} if shared else {}),
            "its head, 2 classes": _range([cost.head for cost in costs]),
            "tensors": _range([len(found) for found in shapes]),
        },
        "training": {name: _range([each[name] for each in trained]) for name in trained[0]},
        "merges": _texts([_merges(each, architecture) for each in several]),
        "options": _options(parts),
        "training_options": {o.name: o.help for o in TRAINING_OPTIONS},
        "examples": [example for part in parts for example in part.examples],
    }


def _alternatives(learner: Learner) -> dict[str, object]:
    """Returns what a task chooses from, and how; empty for a learner without alternatives."""
    found, selection = alternatives_of(learner), learner.selection
    if not found or selection is None:
        return {}
    search = {"select": selection.method, "scope": selection.scope, "restarts": selection.restarts}
    words = f"each task keeps the best of {len(found)} alternatives on its validation rows"
    return {"choice": words, "alternatives": [each.specification for each in found], "search": search}


def _axes(learners: Sequence[Learner]) -> list[dict[str, object]]:
    """Returns the axes of the modifications; those of the first alternative if they have different numbers of them."""
    rows = [[asdict(each) for each in axes(learner)] for learner in learners]
    alike = [row for row in rows if len(row) == len(rows[0])]
    return [{name: _texts([each[name] for each in place]) for name in place[0]} for place in zip(*alike, strict=True)]


def _merges(learner: Learner, architecture: Architecture) -> str:
    reason = unmergeable(learner, architecture)
    return f"no: {reason}" if reason else "yes, into the encoder's weights"


def _range(values: Sequence[Any]) -> object:
    """Returns the value if all are equal, [least, most] of numbers, and else the different values."""
    different = [*dict.fromkeys(values)]
    if len(different) == 1:
        return different[0]
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in different)
    return [min(different), max(different)] if numbers else different


def _texts(values: Sequence[Any]) -> object:
    """Returns the value if all are equal, else a list of the different ones, without those between if they are many."""
    different = [*{repr(value): value for value in values}.values()]
    if len(different) == 1:
        return different[0]
    return different if len(different) <= FEW else [different[0], "...", different[-1]]


def _options(parts: Sequence[Family]) -> dict[str, str]:
    """Help of each option by name. If methods are combined, the method's name stands before the option's."""
    return {
        o.name if len(parts) == 1 else f"{part.name}:{o.name}": f"{o.help} [{option_text(o.default)}]"
        for part in parts
        for o in part.options
    }

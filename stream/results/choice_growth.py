"""Parameters of a learner with alternatives: the least and the most that it can keep, or those of given choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from learners.backbones.architecture import Architecture, encoder_parameters, parameters
from learners.specification.learner import Alternative, Learner
from learners.specification.notation import parts
from stream.results.growth import LearnerCost, TaskCost, task_cost
from tasks.errors import InputError, InputErrors, shown, unknown_name


@dataclass(frozen=True)
class Option:
    """What a task may keep.

    Attributes:
        specification: The alternative.
        cost: Its parameters on this task.
        copy: Whether it is a copy of all weights, which replaces the backbone.
    """

    specification: str
    cost: TaskCost
    copy: bool

    def size(self, heads: bool) -> int:
        return self.cost.without_head + (self.cost.head if heads else 0)


def alternatives_of(learner: Learner) -> tuple[Alternative, ...]:
    """Returns the alternatives of a learner; () if it has only one."""
    several = learner.selection.alternatives if learner.selection is not None else ()
    return several if len(several) > 1 else ()


def options_of(learner: Learner, architecture: Architecture, outputs: Mapping[str, int]) -> list[list[Option]]:
    """Returns what each task may keep, in the order of `outputs` (task -> width of its head)."""
    by_width = {
        width: [
            Option(each.specification, task_cost(each.learner, architecture, width), each.learner.tuned.all)
            for each in alternatives_of(learner)
        ]
        for width in set(outputs.values())
    }
    return [by_width[width] for width in outputs.values()]


def kept(choice: Sequence[Option], backbone: int, *, heads: bool) -> float:
    """Returns all parameters after the tasks of a choice, in multiples of the backbone.

    Args:
        choice: What each task keeps.
        backbone: Number of parameters of the backbone. It counts unless every task keeps a copy.
    """
    alone = all(option.copy for option in choice)
    return ((0 if alone else backbone) + sum(option.size(heads) for option in choice)) / backbone


def bounds(options: Sequence[Sequence[Option]], backbone: int, *, heads: bool) -> list[float]:
    """Returns the smallest and the largest growth that choices can have, [2].

    A sum is extreme if each task is. Only the backbone depends on all tasks, so choices of copies alone, and of one
    task without a copy, are compared too.
    """

    def picked(best: Callable[..., Option], among: Callable[[Option], bool] = lambda option: True) -> list[Option]:
        ranked = ([x for x in each if among(x)] or list(each) for each in options)
        return [best(each, key=lambda option: option.size(heads)) for each in ranked]

    largest, other = picked(max), picked(max, lambda option: not option.copy)
    choices = [picked(min), picked(min, lambda option: option.copy), largest]
    choices += [[*largest[:at], other[at], *largest[at + 1 :]] for at in range(len(largest))]
    found = [kept(choice, backbone, heads=heads) for choice in choices]
    return [min(found), max(found)]


def range_cost(learner: Learner, architecture: Architecture, outputs: Mapping[str, int]) -> LearnerCost:
    """Returns the row of `taskstream cost`, with [least, most] in place of each number that depends on the choice."""
    whole, encoder = parameters(architecture), encoder_parameters(architecture)
    options = options_of(learner, architecture, outputs)
    sizes = [option.cost.without_head for option in options[0]]
    least, most = min(sizes), max(sizes)
    heads = [sorted({option.cost.head for option in each}) for each in options]
    return {
        "parameters_per_task": [least, most],
        "head_parameters": {
            task: head[0] if len(head) == 1 else [head[0], head[-1]] for task, head in zip(outputs, heads, strict=True)
        },
        "growth": bounds(options, whole, heads=True),
        "growth_without_heads": bounds(options, whole, heads=False),
        "share_of_model": [least / whole, most / whole],
        "share_of_encoder": [least / encoder, most / encoder],
    }


def chosen_cost(
    learner: Learner, architecture: Architecture, outputs: Mapping[str, int], chosen: Mapping[str, str]
) -> LearnerCost:
    """Returns the row of `taskstream cost` for given choices. Numbers per task are means over the tasks.

    Args:
        chosen: What names the alternative of each task, see `choice_of`.

    Raises:
        InputErrors: All tasks that are not chosen for, unknown tasks and unknown alternatives.
    """
    whole, encoder = parameters(architecture), encoder_parameters(architecture)
    options = options_of(learner, architecture, outputs)
    errors = [unknown_name("task", task, outputs, where=f"--chosen {task}") for task in chosen if task not in outputs]
    if missing := [task for task in outputs if task not in chosen]:
        fix = "give TASK=ALTERNATIVE for every task of the suite"
        errors.append(InputError(f"no choice for {shown(missing)}", where="--chosen", fix=fix))
    choice: list[Option] = []
    for task, each in zip(outputs, options, strict=True):
        try:
            choice += [choice_of(chosen[task], each, f"--chosen {task}={chosen[task]}")] if task in chosen else []
        except InputError as error:
            errors.append(error)
    if errors:
        raise InputErrors(errors)
    mean = sum(option.cost.without_head for option in choice) / len(choice)
    return {
        "parameters_per_task": mean,
        "head_parameters": {task: option.cost.head for task, option in zip(outputs, choice, strict=True)},
        "growth": kept(choice, whole, heads=True),
        "growth_without_heads": kept(choice, whole, heads=False),
        "share_of_model": mean / whole,
        "share_of_encoder": mean / encoder,
        "chosen": {task: option.specification for task, option in zip(outputs, choice, strict=True)},
    }


def choice_of(text: str, options: Sequence[Option], where: str) -> Option:
    """Returns the alternative that a text names: a whole specification, or values in which alternatives differ.

    `8` and `8:learning_rate=3e-4` name `adapter:8:learning_rate=3e-4` of `adapter:8/64:learning_rate=3e-4/3e-3`.
    Several alternatives may have these values if they have the same number of parameters.

    Raises:
        InputError: No alternative has this text, or several of different size have it.
    """
    found = [option for option in options if option.specification == text]
    named = {*parts(text, ":")}
    values = varying([option.specification for option in options])
    found = found or [option for option, own in zip(options, values, strict=True) if named <= {*own}]
    if not found:
        short = [[value for value in own if "=" not in value] for own in values]
        one_axis = all(len(own) == 1 for own in short)
        known = [own[0] for own in short] if one_axis else [option.specification for option in options]
        raise unknown_name("alternative", text, known, where=where, listed=known)
    if len({(option.cost, option.copy) for option in found}) > 1:
        what = f"{text} names several alternatives of different size"
        fix = "give more of the values that differ, with : between them, or a whole specification"
        raise InputError(what, where=where, found=shown(option.specification for option in found), fix=fix)
    return found[0]


def varying(specifications: Sequence[str]) -> list[list[str]]:
    """Returns the parts of each specification that differ from the others': values, and also `name=value`."""
    cut = [[piece for part in parts(text, r"\+(?=[a-z])") for piece in parts(part, ":")] for text in specifications]
    differ = [len(set(column)) > 1 for column in zip(*cut, strict=True)]
    own = [[piece for piece, other in zip(pieces, differ, strict=True) if other] for pieces in cut]
    return [[x for piece in pieces for x in dict.fromkeys((piece.partition("=")[2] or piece, piece))] for pieces in own]

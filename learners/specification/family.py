"""Families of learners, and the specifications that name a learner: `adapter:64`, `adapterbias:share=alpha:l0=1e-4`.

A family is one file in `learners/methods/`, or a plug-in, that defines `FAMILY`. A specification is a family name and
options, separated by colons. An option is `key=value`, or a value alone for the options that the family lists as
positional, in their order. Every family also takes the options of `TRAINING_OPTIONS`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache, partial
from typing import Any, get_args

from learners.specification.alternatives import SEARCH_OPTIONS, checked, read_alternatives, with_selection
from learners.specification.combine import combined
from learners.specification.learner import LOOP, Learner, Sharing, Training
from learners.specification.notation import parts
from learners.specification.option import Option, choice, integer, number, option_text, switch
from tasks.errors import InputError, InputErrors, unknown_name
from tasks.registry import Registry

LONGEST = 200  # characters of a specification, canonical or not; most file systems allow 255 bytes per name


@dataclass(frozen=True)
class Family:
    """A method of the literature: its options, and a function that builds a `Learner` from them.

    Attributes:
        name: Name in specifications.
        title, summary, citation: Texts that `taskstream show learner` prints.
        training: Default training settings.
        build: Takes the parsed options and the training settings, and returns the learner with an empty name.
        options: Options of this family. `TRAINING_OPTIONS` come in addition.
        positional: Names of the options that may be written as a value alone, in their order.
        examples: Valid specifications, for help texts and tests.
        aliases: Other names of the family.
        unshared: Why the family has no option `sharing`; "" if it has one.
        format: Version of what the family computes. Increase it if the same options no longer give the same learner,
            for example with another default. It enters the ids of all results. Default: 1.
        gather: Reads key=value pairs that are not options. Takes the value of the first positional option and the
            pairs, and returns the new value of that option. Raises ValueError, with what it expects, if a pair is
            invalid. None: such pairs are errors.
    """

    name: str
    title: str
    summary: str
    citation: str
    training: Training
    build: Callable[[Mapping[str, Any], Training], Learner]
    options: tuple[Option, ...] = ()
    positional: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    unshared: str = ""
    gather: Callable[[Any, Mapping[str, str]], Any] | None = None
    format: int = 1


SHARING = Option(
    "sharing",
    choice(*get_args(Sharing)),
    "isolated",
    "isolated: one Delta per task; sequential: one Delta that each task trains further, and one head per task; "
    "frozen-shared: one Delta per task, but tensors that tasks can have in common are trained on the first task only",
)

# Options of every family. None means the default of the family.
TRAINING_OPTIONS = (
    Option("learning_rate", number(1e-8, 1.0), None, "peak learning rate of the linear schedule"),
    Option("epochs", integer(0, 10_000), None, "passes over the training examples"),
    Option("batch_size", integer(1, 65_536), None, "examples per training batch"),
    Option(
        "patience",
        integer(0, 10_000),
        None,
        "epochs without a better validation score before training stops; 0: it never stops early",
    ),
    Option("warmup", number(0.0, 1.0), None, "share of the steps in which the learning rate rises linearly"),
    Option("decay", switch, None, "lower the learning rate linearly to 0 after the warm-up; no: it stays at its peak"),
    Option("clip", number(0.0, 1e6), None, "largest global norm of the gradient; 0: no clipping"),
    Option("head_dropout", number(0.0, 0.99), None, "probability of dropout before the head"),
    Option("weight_decay", number(0.0, 10.0), None, "decoupled weight decay, on matrices only"),
    Option("dropout", switch, None, "apply the backbone's dropout in training, from the lowest changed layer upwards"),
)


LOOP_OPTIONS = ("warmup", "decay", "clip", "head_dropout")  # earlier versions accepted the other ones everywhere


@cache
def built_in() -> Mapping[str, Family]:
    """Returns the families of this package by name: the `FAMILY` of each module in `learners/methods/`."""
    package = importlib.import_module("learners.methods")
    modules = [
        importlib.import_module(f"learners.methods.{info.name}") for info in pkgutil.iter_modules(package.__path__)
    ]
    return {module.FAMILY.name: module.FAMILY for module in modules}


FAMILIES = Registry("learner", lambda: built_in())


def families() -> Mapping[str, Family]:
    """Returns every family by name, with the families of the plug-ins that are loaded."""
    return FAMILIES.known()


def aliases() -> Mapping[str, str]:
    """Returns alias -> name of the family."""
    return {alias: name for name, family in families().items() for alias in family.aliases}


def parse_learner(specification: str, overrides: Mapping[str, Any] | None = None) -> Learner:
    """Returns the learner that a specification names.

    The name of the learner is canonical: parsing it gives the same learner. It lists the options that differ from their
    defaults. So a new option of a family changes neither names nor seeds.

    Args:
        specification: Such as "full:sequential", "topk:2", "adapter:size=64:learning_rate=1e-3"; several joined,
            "prefix:30+parallel:512:scale=4"; or alternatives, "adapter:8/64/256:select=halving".
        overrides: Training settings for all learners of a run, and how alternatives are searched (`select`, `scope`,
            `restarts`). Settings in the specification take precedence.

    Raises:
        InputError: Unknown family, unknown option, a value out of range, or a name too long for a folder.
    """
    _check_length(specification, specification)
    given = overrides or {}
    training = {name: value for name, value in given.items() if name not in SEARCH_OPTIONS}
    written = read_alternatives(specification)
    for_all = {
        name: checked(name, str(value), f"--{name} {value}")
        for name, value in given.items()
        if name in SEARCH_OPTIONS and value is not None
    }
    if len(written.texts) > 1 or int(written.search.get("restarts", 0)):
        return with_selection(
            specification, written, {**for_all, **written.search}, partial(_parse_plain, overrides=training)
        )
    if written.search:
        where, fix = f"learner {specification!r}", "separate alternatives by /, as in adapter:8/64"
        raise InputError("there is nothing to select", where=where, found=", ".join(written.search), fix=fix)
    learner = _parse_plain(specification, training)
    if int(for_all.get("restarts", 0)) and learner.sharing == "isolated" and learner.trains and learner.trainer == LOOP:
        return with_selection(specification, written, for_all, partial(_parse_plain, overrides=training))
    return learner


def _parse_plain(specification: str, overrides: Mapping[str, Any]) -> Learner:
    """Returns the learner of a specification without alternatives, as `parse_learner`."""
    joined = parts(specification, r"\+(?=[a-z])")  # the + of 1e+3 joins nothing
    if len(joined) == 1:
        learner = _parse_single(specification, overrides)
    else:
        named = [{segment.partition("=")[0] for segment in parts(part, ":")} for part in joined]
        for option in TRAINING_OPTIONS:  # the first part's settings apply to the whole
            if any(option.name in names for names in named[1:]):
                where = f"learner {specification!r}"
                fix = f"write {option.name} in the first part: it applies to all parts"
                raise InputError(f"{option.name} of a later part has no effect", where=where, fix=fix)
        singles = [_parse_single(part, overrides) for part in joined]
        learner = combined(singles, specification)
        if "learning_rate" in named[0]:
            learner = replace(learner, training=singles[0].training)
    _check_length(learner.name, specification)
    return learner


def _check_length(name: str, specification: str) -> None:
    if len(name) > LONGEST:
        what = "too long: the name becomes the name of a folder"
        where = f"learner '{specification[:40]}{'...' if len(specification) > 40 else ''}'"
        found = f"{len(name)} characters" + ("" if name == specification else " in its canonical name")
        raise InputError(what, where=where, expected=f"at most {LONGEST}", found=found)


def _parse_single(specification: str, overrides: Mapping[str, Any] | None) -> Learner:
    """Returns the learner of a specification with one method.

    Args:
        specification: One method, such as "adapter:64".
        overrides: As in `parse_learner`.
    """
    name, *segments = parts(specification, ":")
    name = aliases().get(name, name)
    if name not in families():
        raise unknown_name("learner", name, families(), where=f"learner {specification!r}")
    family = families()[name]
    written = _parse_options(family, specification, segments)
    values = {option.name: written.get(option.name, option.default) for option in family.options}
    names = {field.name for field in fields(Training)}
    training = family.training
    for source in (overrides or {}, written):
        named = {k: v for k, v in source.items() if k in names and v is not None}
        training = replace(training, **named)
        if "learning_rate" in named:
            training = replace(training, width_power=0.0)
    learner = family.build(values, training)
    idle = [name for name in written if name in LOOP_OPTIONS]
    if idle and not learner.trains:
        what = f"{', '.join(idle)} has no effect"
        raise InputError(what, where=f"learner {specification!r}", found=f"{family.name} takes no training steps")
    defaults = {option.name: option.default for option in family.options}
    listed = {k: v for k, v in sorted(values.items()) if v is not None and v != defaults[k]}
    origin = FAMILIES.origin(name)
    return replace(
        learner,
        name=":".join([name, *(f"{key}={option_text(value)}" for key, value in listed.items())]),
        formats=() if family.format == 1 else (f"{name} {family.format}",),
        plugins=() if origin is None else (origin.key,),
    )


def parse_learners(text: str, overrides: Mapping[str, Any] | None = None) -> dict[str, Learner]:
    """Returns the learners of a comma-separated list: specification as written -> learner, in the order of the list.

    Raises:
        InputErrors: All errors of the list together. A learner that is listed twice is an error.
    """
    learners: dict[str, Learner] = {}
    errors: list[InputError] = []
    for specification in (part.strip() for part in parts(text, ",")):
        try:
            learner = parse_learner(specification, overrides)
        except InputError as error:
            errors += error.errors
            continue
        twins = [s for s, other in learners.items() if (other.name, other.training) == (learner.name, learner.training)]
        if twins:
            errors.append(
                InputError("the same learner twice", where="--learners", found=f"{twins[0]} and {specification}")
            )
        learners[specification] = learner
    if errors:
        raise InputErrors(errors)
    return learners


def _parse_options(family: Family, specification: str, segments: list[str]) -> dict[str, Any]:
    """Returns the options that a specification gives: name -> parsed value.

    Args:
        family: Family that the specification names.
        specification: The whole text, for error messages.
        segments: The parts after the family name.
    """
    options = {option.name: option for option in (*family.options, *TRAINING_OPTIONS)}
    open_positions = [options[name] for name in family.positional]
    values: dict[str, Any] = {}
    pairs: dict[str, str] = {}
    where = f"learner {specification!r}"
    for segment in segments:
        key, equals, text = segment.partition("=")
        if family.unshared and (key == SHARING.name or segment in get_args(Sharing)):
            raise InputError(f"{family.name} has no sharing", where=where, found=family.unshared)
        if equals and "{" not in key:
            if key not in options:
                if family.gather is None:
                    raise unknown_name(f"option of {family.name}", key, options, where=where)
                if key in pairs:
                    raise InputError(f"{key} is given twice", where=where)
                pairs[key] = text
                continue
            option = options[key]
            try:
                value = option.parse(text)
            except ValueError as error:
                raise InputError(f"bad value of {key}", where=where, expected=str(error), found=repr(text)) from None
        elif segment in options and options[segment].bare is not None:
            option, value = options[segment], options[segment].bare
        else:
            option, value = _positional(open_positions, segment, where, family)
        if option.name in values:
            raise InputError(f"{option.name} is given twice", where=where)
        open_positions = [position for position in open_positions if position is not option]
        values[option.name] = value
    if pairs and family.gather is not None:
        option = options[family.positional[0]]
        try:
            values[option.name] = family.gather(values.get(option.name, option.default), pairs)
        except ValueError as error:
            found = ":".join(f"{key}={text}" for key, text in pairs.items())
            raise InputError(f"bad arguments of {family.name}", where=where, expected=str(error), found=found) from None
    return values


def _positional(positions: list[Option], text: str, where: str, family: Family) -> tuple[Option, Any]:
    """Returns the first open positional option that accepts `text`, and its parsed value."""
    expected = []
    for option in positions:
        try:
            return option, option.parse(text)
        except ValueError as error:
            expected.append(f"{option.name} ({error})")
    raise InputError(
        "cannot read this part of the specification",
        where=where,
        expected=" or ".join(expected) or "key=value",
        found=repr(text),
        fix=f"see the options of {family.name}: taskstream show learner {family.name}",
    )

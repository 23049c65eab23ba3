"""Alternatives in a specification: `adapter:8/64/256:learning_rate=3e-4/3e-3` names 3 x 2 learners.

A "/" separates the values of an axis. Options of the search itself are `select`, `scope` and `restarts`; see
`learners.specification.learner.Selection`. Houlsby et al. (2019, section 3.2) choose the size of adapters, the learning
rate and the number of epochs this way.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from learners.specification.learner import LOOP, Alternative, Learner, Selection
from learners.specification.notation import parts
from tasks.errors import InputError, InputErrors

MOST = 1_000  # alternatives of a learner: more are a mistake in a specification
METHODS, SCOPES = "grid, random:N, halving or optuna:N", "task, first:K or twin"
SEARCH_OPTIONS: Mapping[str, str] = {
    "select": f"how alternatives are searched on the validation rows: {METHODS}",
    "scope": f"what the choice is made on: {SCOPES}",
    "restarts": "further fits of the winner with other seeds, a whole number from 0; the best on validation is kept",
}
_CHECKS = {
    "select": re.compile(r"grid|halving|(?:random|optuna):[1-9][0-9]{0,3}"),
    "scope": re.compile(r"task|twin|first:[1-9][0-9]{0,3}"),
    "restarts": re.compile(r"[0-9]{1,3}"),
}
_EXPECTED = {"select": METHODS, "scope": SCOPES, "restarts": "a whole number from 0 to 999"}
_SEVERAL_NAMES = re.compile(r"[a-z][\w-]*(/[a-z][\w-]*)+")
_COUNTS = {"random": "N", "optuna": "N", "first": "K"}  # values with a number
_COUNTED = ("select=random", "select=optuna", "scope=first")  # the next segment is their number


@dataclass(frozen=True)
class Written:
    """A specification taken apart.

    Attributes:
        texts: Specification of each alternative, and its place on each axis.
        search: Options of the search that the specification gives, by name.
    """

    texts: tuple[tuple[str, tuple[int, ...]], ...]
    search: Mapping[str, str]


def read_alternatives(specification: str) -> Written:
    """Takes a specification apart into alternatives and options of the search.

    Raises:
        InputError: A value is empty or given twice, there are more than `MOST` alternatives, or an option of the
            search is wrong.
    """
    where = f"learner {specification!r}"
    search: dict[str, str] = {}
    joined = []
    for part in parts(specification, r"\+(?=[a-z])"):
        segments = parts(part, ":")
        kept = []
        if _SEVERAL_NAMES.fullmatch(segments[0]):  # not ../head, which is only an unknown name
            what, fix = "/ separates values of an option", "separate learners by commas"
            raise InputError(what, where=where, found=segments[0], fix=fix)
        while segments:
            segment = segments.pop(0)
            name, equals, value = segment.partition("=")
            if not equals or name not in SEARCH_OPTIONS:
                kept.append(segment)
                continue
            if segment in _COUNTED and segments:
                value = f"{value}:{segments.pop(0)}"
            if name in search:
                raise InputError(f"{name} is given twice", where=where)
            search[name] = checked(name, value, where)
        joined.append(kept)
    pieces = []  # texts of each segment, with the mark before it
    for number, segments in enumerate(joined):
        for place, segment in enumerate(segments):
            mark = ":" if place else "+" if number else ""
            values = _values(segment, where) if place else [segment]  # the family has no alternatives
            pieces.append([mark + text for text in values])
    if (count := prod(map(len, pieces))) > MOST:
        raise InputError("too many alternatives", where=where, expected=f"at most {MOST}", found=str(count))
    axes = [range(len(texts)) for texts in pieces if len(texts) > 1]
    texts = map("".join, itertools.product(*pieces))
    return Written(tuple(zip(texts, itertools.product(*axes), strict=True)), search)


def checked(name: str, value: str, where: str) -> str:
    """Returns the value of an option of the search.

    Raises:
        InputError: The value is wrong.
    """
    if not _CHECKS[name].fullmatch(value):
        kind = value.partition(":")[0]
        number = f"{kind}:{_COUNTS[kind]} with {_COUNTS[kind]} from 1" if kind in _COUNTS else ""
        expected = number or _EXPECTED[name]
        raise InputError(f"bad value of {name}", where=where, expected=expected, found=repr(value))
    return value


def _values(segment: str, where: str) -> list[str]:
    """Returns a segment of a specification with each of its alternative values."""
    name, equals, values = segment.partition("=")
    if "{" in name or not equals:
        name, equals, values = "", "", segment
    several = parts(values, "/")
    if len(several) > 1 and ("" in several or len(set(several)) < len(several)):
        found = "an empty value" if "" in several else "a value given twice"
        raise InputError("bad alternatives", where=where, expected="different values separated by /", found=found)
    return [f"{name}{equals}{value}" for value in several]


def with_selection(
    specification: str, written: Written, search: Mapping[str, Any], parse: Callable[[str], Learner]
) -> Learner:
    """Returns the learner with these alternatives. It has the fields of the first one, and the text as its name.

    Args:
        written: The specification, taken apart.
        search: Options of the search, by name; missing ones have their defaults.
        parse: Returns the learner of a specification without alternatives.

    Raises:
        InputErrors: All errors in the alternatives, or a search that the learner does not allow.
    """
    where = f"learner {specification!r}"
    found: list[Alternative] = []
    errors: dict[tuple[str, ...], list[InputError]] = {}
    for text, point in written.texts:
        try:
            found.append(Alternative(text, parse(text), point))
        except InputError as error:
            for each in error.errors:
                errors.setdefault((each.what, each.expected, each.found, each.fix), []).append(each)
    if errors:
        raise InputErrors([_of_all(same, where) for same in errors.values()])
    selection = Selection(
        tuple(found), search.get("select") or "grid", search.get("scope") or "task", int(search.get("restarts") or 0)
    )
    if shared := next((each.learner.sharing for each in found if each.learner.sharing != "isolated"), ""):
        what, fix = ("alternatives need", "give one value") if len(found) > 1 else ("restarts need", "the restarts")
        raise InputError(
            f"{what} a Delta of their own on each task",
            where=where,
            found=f"sharing {shared}",
            fix=f"leave out {shared}, or {fix}",
        )
    if reason := refused(selection):
        raise InputError("nothing can be selected per task", where=where, found=reason)
    first = found[0].learner
    return replace(first, name=specification, selection=selection, draws_as=first.seeds)


def _of_all(same: Sequence[InputError], where: str) -> InputError:
    """Returns one error for the same error in several alternatives. It names the whole specification."""
    each = same[0]
    if len(same) == 1:
        return each
    return InputError(each.what, where=where, expected=each.expected, found=each.found, fix=each.fix)


def refused(selection: Selection) -> str:
    """Returns in one sentence why these alternatives of isolated learners cannot be searched; "" if they can."""
    for each in selection.alternatives:
        if each.learner.text_model is not None:
            if selection.method == "halving":
                return f"{each.specification} has no epochs, so halving cannot stop it halfway"
        elif not each.learner.trains:
            return f"{each.specification} trains nothing"
        if each.learner.trainer != LOOP and (selection.method == "halving" or selection.restarts):
            return f"{each.specification} has its own trainer, which neither stops halfway nor has other seeds"
    if selection.scope.startswith("first") and not selection.method.startswith(("grid", "random")):
        method, of_all = selection.method, "so there is no mean over the first tasks"
        return f"{method} tries other alternatives on each task, {of_all}; {selection.scope} allows grid and random:N"
    return ""


def restricted(learner: Learner, fits: Callable[[Alternative], bool]) -> Learner:
    """Returns a learner with only those alternatives for which `fits` is true. It takes the fields of the first one.

    A learner without alternatives, or without any that fits, is returned unchanged.
    """
    if learner.selection is None:
        return learner
    kept = tuple(each for each in learner.selection.alternatives if fits(each))
    if not kept or len(kept) == len(learner.selection.alternatives):
        return learner
    first = kept[0].learner
    selection = replace(learner.selection, alternatives=kept)
    return replace(first, name=learner.name, selection=selection, draws_as=first.seeds)


def task_learner(learner: Learner, chosen: str | None) -> Learner:
    """Returns the learner that made the Delta of a task.

    Args:
        chosen: Specification of the alternative that won on this task; None for a learner without alternatives.

    Raises:
        KeyError: There is no such alternative.
    """
    if learner.selection is None or chosen is None:
        return learner
    return learner.selection[chosen].learner


def argument(text: str) -> int:
    """Returns the number in "random:N", "optuna:N" or "first:K"; 0 if the text has none."""
    return int(text.partition(":")[2] or 0)

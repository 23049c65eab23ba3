"""The table of a profile: CPU milliseconds and shares of a step by group of operators, one column per learner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from profiling.operators import GROUPS

PYTHON = "Python and the rest"
NODE = "autograd::engine::evaluate_function"  # the event of each node that the backward pass visits
GAP = 2  # between columns
Profile = Mapping[str, Any]  # as `recording.difference` returns it


def seconds_of(profile: Profile) -> dict[str, float]:
    """CPU seconds of a step by group; the rest of its CPU time is that of Python and of what PyTorch does not name."""
    found: dict[str, float] = dict.fromkeys(GROUPS, 0.0)
    for group, _name, _calls, seconds in profile["operators"]:
        found[group] += seconds
    return {**found, PYTHON: profile["cpu"] - sum(found.values())}


def calls_of(profile: Profile) -> tuple[float, float]:
    """Number of operator calls of a step, with those that operators make; and number of nodes of the graph that the
    backward pass visits."""
    operators = [calls for _, name, calls, _ in profile["operators"] if name.startswith("aten::")]
    nodes = [calls for _, name, calls, _ in profile["operators"] if name.startswith(NODE)]
    return sum(operators), sum(nodes)


def as_rows(profiles: Sequence[Profile], peak: float | None) -> list[list[str]]:
    """Rows of the table: a title, and a cell for each profile.

    Args:
        peak: Best FLOP/s of matrix products on this machine in this dtype. None leaves out the last two rows.
    """
    spent = [seconds_of(profile) for profile in profiles]
    rows = [
        ["wall clock, ms", *(f"{1e3 * profile['seconds']:.2f}     " for profile in profiles)],
        ["CPU time, ms", *(f"{1e3 * profile['cpu']:.2f}     " for profile in profiles)],
    ]
    for group in (*GROUPS, PYTHON):
        cells = [_cell(each[group], profile["cpu"]) for each, profile in zip(spent, profiles, strict=True)]
        rows.append([group, *cells])
    for place, title in enumerate(("operator calls", "graph nodes")):
        rows.append([title, *(f"{calls_of(profile)[place]:,.0f}     " for profile in profiles)])
    if peak is not None:
        rates = [profile["flops"] / profile["cpu"] for profile in profiles]
        rows.append(["GFLOP/s, of limit", *(f"{rate / 1e9:.1f} {100 * rate / peak:3.0f}%" for rate in rates)])
    return rows


def heaviest(profile: Profile, count: int) -> list[list[str]]:
    """The operators that take the most time: name, group, calls and CPU milliseconds of a step, and share."""
    own: dict[str, list[Any]] = defaultdict(lambda: [set(), 0.0, 0.0])
    for group, name, calls, seconds in profile["operators"]:
        own[name][0].add(group)
        own[name][1] += calls
        own[name][2] += seconds
    first = sorted(own.items(), key=lambda entry: -entry[1][2])[:count]
    return [
        [name, ", ".join(sorted(groups)), f"{calls:,.0f}", f"{1e3 * seconds:.3f}",
         f"{100 * seconds / profile['cpu']:.1f}%"]
        for name, (groups, calls, seconds) in first
    ]  # fmt: skip


def pages(names: Sequence[str], profiles: Sequence[Profile], width: int) -> Iterator[tuple[list[str], list[Profile]]]:
    """Learners and their profiles, as many at a time as a table of this width has room for, at least one."""
    free = width - max(map(len, (*GROUPS, PYTHON)))
    chosen: list[str] = []
    taken: list[Profile] = []
    used = 0
    for name, profile in zip(names, profiles, strict=True):
        needed = max(len(name), len(_cell(profile["cpu"], profile["cpu"]))) + GAP
        if chosen and used + needed > free:
            yield chosen, taken
            chosen, taken, used = [], [], 0
        chosen.append(name)
        taken.append(profile)
        used += needed
    yield chosen, taken


def _cell(seconds: float, whole: float) -> str:
    return f"{1e3 * seconds:.2f} {100 * seconds / whole:3.0f}%"

"""A paper's finding as data, and the verdict on it: our difference of two learners, its interval, `holds` or not.

The statistics are the product's (`stream.study`): differences are paired, and seeds and groups of tasks that share
texts are both random; on one task seeds are, and test rows too if the claim says so. Intervals are 95 %. Verdicts are
stricter, because many claims are judged at once: their intervals are widened until all of them hold together with 95 %
(Bonferroni). `holds`: the whole interval lies within the claim's bounds; `fails`: none of it does; `open`: the data
allow both, or have no spread from which to tell.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from measures import MEASURES, METRICS, of_metric
from rich.console import Console
from rich.text import Text
from scipy import stats

from stream import InputError
from stream.results.intervals import LEVEL, Interval
from stream.study.scores import Arm, Array, order_differences
from stream.study.statistics import LEAST, Paired, combined, paired
from tasks.suite import text_groups

BERT = re.compile(r"(ro)?bert(a)?-(base|large)", re.IGNORECASE)  # encoders that claims with `needs` are about
FEWEST = 5  # seeds of a median that can be judged: the papers' are medians of five
COLOURS = {"holds": "green", "fails": "bold red", "open": "yellow"}


@dataclass(frozen=True)
class Claim:
    """A paper's finding about one learner or two.

    Attributes:
        id: Its name, unique in all studies.
        paper: Where it is written.
        claim: The finding, in words.
        first, second: Learners, or names of rows. The finding is about the first minus the second; without a second,
            about the first alone.
        low, high: The bounds in which the finding puts this number, in the unit of the measure; None: no bound.
        measure: What is compared: a name in `MEASURES`.
        tasks: Tasks that the finding is about; it is judged on each of them. (): on the mean over all tasks.
        against: A task. The number is that of a task in `tasks` minus that of this one.
        theirs: The paper's number.
        needs: What a run needs so that the number can be compared with the paper's, such as BERT weights.
        rows: Whether the difference on a task holds for other test rows too, and not for other seeds alone. It needs a
            score as measure, two learners with a Delta per task, and tasks.
    """

    id: str
    paper: str
    claim: str
    first: str
    second: str = ""
    low: float | None = None
    high: float | None = None
    measure: str = "score"
    tasks: tuple[str, ...] = ()
    against: str = ""
    theirs: str = ""
    needs: str = ""
    rows: bool = False


Rows = Callable[[Arm, str], Array | None]  # values of a learner's test rows on a task, as `row_values.RowReader`
TEST = re.compile(r"(.+?)(?: minus (.+))? (?:above (\S+)|below (\S+)|within (\S+?)\.\.(\S+))")


def claim_of(name: str, entry: Mapping[str, Any]) -> Claim:
    """The claim of a table in a study's file: the fields of `Claim`, and `test` with learners and bounds in words:

        "adapter:64 minus full:isolated within -1..1"    "topk:1 minus adapter:64 below 0"    "head above 50"

    Raises:
        InputError: The test cannot be read, or the measure is unknown.
    """
    values = dict(entry)
    where, found = f"claim {name}", TEST.fullmatch(values.pop("test"))
    if found is None:
        raise InputError("cannot be read", where=where, expected="A minus B above X", found=entry["test"])
    first, second, above, below, low, high = found.groups()
    least, most = above or low, below or high
    if (measure := values.get("measure", "score")) not in MEASURES:
        raise InputError("unknown measure", where=where, expected=", ".join(MEASURES), found=measure)
    values |= {"low": float(least) if least else None, "high": float(most) if most else None}
    values["tasks"] = (*values.get("tasks", ()),)
    return Claim(id=name, first=first, second=second or "", **values)


class Finding(NamedTuple):
    """A claim beside what was found.

    Attributes:
        task: The task that it is judged on; "": all tasks.
        found: Our number and its 95 % interval, in words.
        value: The same as data, in the unit of the measure; None if there is no single number.
        verdict: `holds`, `fails`, `open`, or `needs ...`.
    """

    paper: str
    claim: str
    found: str
    verdict: str
    task: str = ""
    theirs: str = ""
    id: str = ""
    value: Interval | None = None


def estimate(claim: Claim, first: Arm, second: Arm | None, tasks: Sequence[str], backbone: int) -> Paired | None:
    """The number that a claim is about; None if a seed or a task has none."""
    measure = MEASURES[claim.measure]
    if claim.measure == "median":
        return difference_of_medians(first, second, tasks)
    values = measure.values(first, tasks, backbone)
    if second is not None:
        values = values - measure.values(second, tasks, backbone)
    if claim.against:
        values = values - measure.values(first, [claim.against], backbone)
    known = [not np.isnan(column).any() for column in values.T]  # the last task cannot be forgotten yet
    if not any(known):
        return None
    places = [[0]]  # one number for all tasks
    if len(known) == len(tasks):
        kept = [task for task, has in zip(tasks, known, strict=True) if has]
        places = [[kept.index(task) for task in group] for group in text_groups(kept)]
    orders: list[float] = []
    if claim.measure in METRICS and not claim.against:
        kept = [task for task, has in zip(tasks, known, strict=True) if has]
        orders = [measure.factor * each for each in order_differences(first, second, METRICS[claim.measure], kept)]
    return paired(values[:, known] * measure.factor, places, orders)


def over_rows(first: Array | None, second: Array | None) -> Paired | None:
    """The difference of two learners on one task in points, seeds and test rows random; None without their values.

    Args:
        first, second: Values of the test rows with each seed, fractions, [S, n].
    """
    if first is None or second is None:
        return None
    return paired(100 * (first - second), [[row] for row in range(first.shape[1])])


def difference_of_medians(first: Arm, second: Arm | None, tasks: Sequence[str]) -> Paired | None:
    """The difference of the medians over seeds of two learners' means over tasks, in points; the median of one learner.

    A median of normal values has at most pi/2 times the variance of their mean. The variances of the two medians are
    added: seeds that move both learners alike make medians less alike than means, so pairs are not used. Degrees of
    freedom are Satterthwaite's, as in Welch's test. No interval with fewer than `FEWEST` seeds, or without spread.
    """
    values = [
        100 * of_metric("average_accuracy")(arm, tasks, 0).mean(axis=1) for arm in (first, second) if arm is not None
    ]
    if any(np.isnan(each).any() for each in values):
        return None
    medians = [float(np.median(each)) for each in values]
    difference = medians[0] - sum(medians[1:])
    seeds = min(map(len, values))
    if seeds < FEWEST:
        return Paired(difference, None, None, None, seeds, 1)
    variance, free = combined([(math.pi / 2 * float(np.var(x, ddof=1)) / len(x), len(x) - 1) for x in values])
    if variance <= LEAST**2:
        return Paired(difference, None, None, None, seeds, 1)
    error = math.sqrt(variance)
    p = float(2 * stats.t.sf(abs(difference) / error, free))
    return Paired(difference, float(stats.t.ppf((1 + LEVEL) / 2, free)) * error, p, free, seeds, 1)


def verdict(number: Paired, low: float | None, high: float | None, claims: int = 1, exact: int = 0) -> str:
    """Verdict on a number with a claim's bounds, if so many claims are judged together; `exact` as in `Measure`."""
    if not number.half:  # all are equal
        known = exact and number.seeds * number.groups >= exact
        return Interval(number.difference, 0.0, number.seeds).verdict(low, high) if known else "open"
    wider = 1.0
    if claims > 1:
        wider = float(
            stats.t.ppf(1 - (1 - LEVEL) / 2 / claims, number.degrees) / stats.t.ppf(1 - (1 - LEVEL) / 2, number.degrees)
        )
    return Interval(number.difference, number.half * wider, number.seeds).verdict(low, high)


def in_words(claim: Claim, number: Paired, first: Arm, second: Arm | None, tasks: Sequence[str]) -> str:
    """Our number in words: `adapter minus topk:1 is +2.3 ±1.1 points`."""
    subject = claim.first if second is None else f"{claim.first} minus {claim.second}"
    if claim.against:
        subject += f" on {tasks[0]} minus {claim.against}"
    sign = "" if second is None and not claim.against else "+"
    half = (
        "" if number.half is None else f" ±{number.half:.3g}" if claim.measure == "growth" else f" ±{number.half:.1f}"
    )
    mean = f"{number.difference:{sign}.4g}" if claim.measure == "growth" else f"{number.difference:{sign}.1f}"
    words = f"{subject} is {mean}{half} {MEASURES[claim.measure].unit}"
    if claim.measure == "median":
        measure = MEASURES[claim.measure]
        medians = [
            f"{measure.factor * float(np.median(measure.values(arm, tasks, 0).mean(axis=1))):.1f}"
            for arm in (first, second)
            if arm is not None
        ]
        words += f", medians {' and '.join(medians)} of {number.seeds}"
    return words


def judge(
    claims: Sequence[Claim],
    arms: Mapping[str, Arm],
    tasks: Sequence[str],
    backbone: int,
    together: int = 0,
    rows: Rows | None = None,
) -> list[Finding]:
    """Judge each claim whose learners ran; a claim about tasks is judged on each of them that ran.

    Args:
        arms: Learners by name, and by the names of rows.
        tasks: The tasks of the runs.
        backbone: Number of parameters of the backbone.
        together: Number of claims whose verdicts hold together, if it is larger than the number of these.
        rows: Reads the values of test rows, for claims that are about other rows too. None: these are over seeds alone.
    """
    judged: list[tuple[Claim, str, Paired, str, bool]] = []
    for claim in claims:
        if claim.first not in arms or (claim.second and claim.second not in arms):
            continue
        first, second = arms[claim.first], arms.get(claim.second)
        if claim.against and claim.against not in tasks:
            continue
        for task in [each for each in claim.tasks if each in tasks] if claim.tasks else [""]:
            over = [task] if task else [*tasks]
            number = estimate(claim, first, second, over, backbone)
            if number is not None and claim.rows and task and rows is not None and second is not None:
                number = over_rows(rows(first, task), rows(second, task)) or number
            if number is not None:
                proved = all(each.retention.verified for each in first.results)
                broken = claim.measure == "forgetting" and claim.high == 0 and not proved
                judged.append((claim, task, number, in_words(claim, number, first, second, over), broken))
    found = []
    for claim, task, number, words, broken in judged:
        result = (
            "fails"
            if broken
            else verdict(number, claim.low, claim.high, max(together, len(judged)), MEASURES[claim.measure].exact)
        )
        value = Interval(number.difference, number.half, number.seeds)
        found.append(Finding(claim.paper, claim.claim, words, result, task, claim.theirs, claim.id, value))
    return found


def missing(claim: Claim, backbone: str) -> str:
    """What a claim needs that a run with this backbone does not have; "" if nothing."""
    return claim.needs if not BERT.search(backbone) else ""


def print_findings(console: Console, findings: Sequence[Finding], needs: Mapping[str, str] | None = None) -> None:
    """Print each finding of a paper beside ours.

    Args:
        needs: What the runs lack for a claim to be the paper's, by its id. None: nothing.
    """
    if not findings:
        return
    console.print("\nFindings of the papers, and ours (95 % intervals; the verdicts hold together)", style="bold")
    for each in findings:
        result = Text(each.verdict, style=COLOURS.get(each.verdict, "yellow"))
        place = f", {each.task}" if each.task else ""
        more = f" (the claim needs {lack})" if (lack := (needs or {}).get(each.id)) else ""
        console.print(Text.assemble(f"* {each.paper}{place}: {each.claim}. Here {each.found}: ", result, f"{more}."))

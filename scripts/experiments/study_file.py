"""A study as data: a TOML file in `studies/` with the settings of a run, its learners, columns and claims.

    title = "..."                        # heading of the table
    about = "..."                        # what the paper found, and what the study does
    reference = "full:isolated"          # differences are to this learner
    columns = ["score", "difference"]    # see `columns.COLUMNS`
    picture = "score"                    # score, difference or curve; none if left out
    ranked = true                        # rows by falling score; else in the order of the file
    own_rates = true                     # each task chooses each learner's rate by validation (`rates.with_own_rates`)
    rows = [["group", "name", "learner"]]  # rows with names of their own
    learners = ["adapter:<8,64,256>", "topk:<1..layers>", "<families>"]
    [run]                                # settings of `stream.run`; the command line replaces them
    [sizes]                              # numbers that depend on the backbone, used as <name>
    [claims.ID]                          # see `claims.claim_of`

`<a,b>` makes one learner for each value. A value may be a range `1..layers`, a number of `[sizes]` or of the backbone
(width, ffn, layers), or `families`: every registered family. Formulas in `[sizes]` are sums, products and quotients;
the result is rounded, and at least 1.
"""

from __future__ import annotations

import ast
import itertools
import operator
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from claims import Claim, claim_of
from rates import with_own_rates

from learners.backbones.architecture import Architecture
from learners.delta.layout import delta_shapes
from learners.specification.family import families, parse_learner
from stream import InputError

FOLDER = Path(__file__).parent / "studies"
OPERATIONS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
KEYS = ("title", "about", "reference", "columns", "picture", "ranked", "own_rates", "learners", "run", "sizes", "rows",
        "claims")  # fmt: skip


class Row(NamedTuple):
    """A row of the table: its name, the group that it belongs to, and its learner."""

    name: str
    group: str
    learner: str


@dataclass(frozen=True)
class StudyFile:
    """What a file says; see above.

    Attributes:
        name: Name of the file without its suffix.
        rows: Rows; those of `read_study` are not expanded yet.
        reference: Name of a row.
    """

    name: str
    title: str
    about: str
    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    claims: tuple[Claim, ...] = ()
    reference: str = ""
    picture: str = ""
    ranked: bool = True
    own_rates: bool = False
    run: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)

    @property
    def learners(self) -> tuple[str, ...]:
        """The learners of all rows, each once."""
        return tuple(dict.fromkeys(row.learner for row in self.rows))

    def learner(self, row: str) -> str:
        """The learner of the row with this name; "" if there is none."""
        return next((each.learner for each in self.rows if each.name == row), "")


def studies() -> tuple[str, ...]:
    """Names of the studies in `studies/`."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def read_study(name: str | Path) -> StudyFile:
    """Read a study by its name in `studies/`, or from a path that ends in .toml.

    Raises:
        InputError: There is none, it is no TOML, or a key is unknown or missing.
    """
    path = Path(name) if str(name).endswith(".toml") else FOLDER / f"{name}.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("no such study", where=str(name), expected=", ".join(studies())) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError("not TOML", where=str(path), found=str(error)) from None
    if unknown := [key for key in values if key not in KEYS]:
        raise InputError("unknown key", where=str(path), expected=", ".join(KEYS), found=", ".join(unknown))
    rows = [Row(name, group, learner) for group, name, learner in values.pop("rows", [])]
    rows += [Row(learner, "", learner) for learner in values.pop("learners", [])]
    claims = tuple(claim_of(each, entry) for each, entry in values.pop("claims", {}).items())
    columns = tuple(values.pop("columns"))
    return StudyFile(name=path.stem, rows=tuple(rows), columns=columns, claims=claims, **values)


def expanded(study: StudyFile, architecture: Architecture, notice: Callable[[str], None]) -> StudyFile:
    """The study with one row for each learner, for a backbone of this architecture.

    Args:
        notice: Called with the reason for each learner that is left out, because the backbone cannot have it.
    """
    numbers: dict[str, float] = {
        "width": architecture.hidden, "ffn": architecture.ffn, "layers": architecture.layers,
    }  # fmt: skip
    for name, formula in study.sizes.items():
        numbers[name] = max(1, round(value_of(formula, numbers)))
    rows: list[Row] = []

    def add(row: Row, place: int) -> None:
        for learner in filled(row.learner, numbers):
            name = learner if row.name == row.learner else row.name
            if fits(learner, architecture, notice):
                learner = with_own_rates(learner, architecture.hidden) if study.own_rates else learner
                rows.insert(len(rows) if place < 0 else place, Row(name, row.group, learner))

    for row in study.rows:
        add(row, -1)
    if study.reference and study.reference not in [row.name for row in rows]:
        add(Row(study.reference, "", study.reference), 0)
    claims = []
    for claim in study.claims:
        first, second = filled(claim.first, numbers), filled(claim.second, numbers)
        for place in range(max(len(first), len(second))):  # the shorter list begins again
            pair = first[place % len(first)], second[place % len(second)]
            claims.append(replace(claim, first=pair[0], second=pair[1]))
    return replace(study, rows=tuple(dict.fromkeys(rows)), claims=tuple(claims))


def filled(text: str, numbers: Mapping[str, float]) -> list[str]:
    """A text with each `<a,b>` replaced by one of its values; one text for each combination."""
    pieces = re.split(r"<([^<>]*)>", text)
    choices = [[piece] if place % 2 == 0 else values_of(piece, numbers) for place, piece in enumerate(pieces)]
    return ["".join(choice) for choice in itertools.product(*choices)]


def values_of(text: str, numbers: Mapping[str, float]) -> list[str]:
    """The values between < and >, as texts."""
    found: list[str] = []
    for item in text.split(","):
        first, dots, last = item.partition("..")
        if dots:
            found += [str(n) for n in range(round(value_of(first, numbers)), round(value_of(last, numbers)) + 1)]
        elif item == "families":
            found += [name for name in families() if name != "full"]
        else:
            found.append(f"{numbers[item]:g}" if item in numbers else item)
    return found


def value_of(formula: str, numbers: Mapping[str, float]) -> float:
    """The value of a formula with + - * / and names of numbers.

    Raises:
        InputError: It is another kind of formula, or a name is unknown.
    """

    def value(node: ast.expr) -> float:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name) if name in numbers:
                return numbers[name]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATIONS:
                return OPERATIONS[type(op)](value(left), value(right))
        raise InputError("not a formula of this study", where=formula, expected=f"+ - * / ( ) and {', '.join(numbers)}")

    try:
        return value(ast.parse(formula.strip(), mode="eval").body)
    except SyntaxError:
        raise InputError("not a formula", where=formula) from None


def fits(learner: str, architecture: Architecture, notice: Callable[[str], None]) -> bool:
    """Whether a backbone of this architecture can have the learner."""
    try:
        delta_shapes(parse_learner(learner), architecture, 2)  # of alternatives, the first; a run leaves out the others
    except InputError as error:
        notice(f"{learner} is left out: {error}")
        return False
    return True

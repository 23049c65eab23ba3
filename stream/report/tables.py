"""The numbers of studies as tables for other programs: CSV with all digits, LaTeX (booktabs) and Markdown in points."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stream.report.console import Page
from stream.report.numbers import growth, points, scaled
from stream.report.terminal.study import best_first, oriented, p_text
from stream.study.study import summary_rows

if TYPE_CHECKING:  # imports NumPy
    from stream.study.document import ComparisonEntry, NumberEntry, StudyDocument

PAGE = Page(width=1000, colour=False, ascii=False)
SPECIAL = str.maketrans({
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}",
})  # fmt: skip
HEAD = ("learner", "score", "median", "forgetting", "growth", "rank")
PAIRS = ("a", "b", "a - b", "p", "p (Holm)")


def csv_table(document: StudyDocument) -> str:
    """Returns one line per learner with all digits, as `Study.summary` has them: scores are fractions."""
    rows = summary_rows(document)
    names = dict.fromkeys(name for row in rows for name in row)
    text = io.StringIO()
    writer = csv.DictWriter(text, [*names], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: "" if value != value else value for name, value in row.items()} for row in rows)
    return text.getvalue()


def markdown_tables(document: StudyDocument) -> str:
    """Returns two tables in points: means over seeds, and paired differences of the scores."""
    parts = [_markdown(*mean_rows(document))]
    if pairs := pair_rows(document):
        parts.append(_markdown(PAIRS, pairs))
    return "\n\n".join(parts) + "\n"


def latex_tables(document: StudyDocument) -> str:
    """Returns the same tables as `markdown_tables`, as LaTeX for the package booktabs."""
    parts = [_latex(*mean_rows(document), "Means with 95\\,\\% intervals over seeds, in points.")]
    if pairs := pair_rows(document):
        method = oriented(document, "average_accuracy")[0]["method"].translate(SPECIAL)
        parts.append(_latex(PAIRS, pairs, f"Differences of scores, in points; {method}; Holm's correction."))
    return "% needs \\usepackage{booktabs}\n" + "\n\n".join(parts) + "\n"


def mean_rows(document: StudyDocument) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Returns the heading and one row per learner, best score first."""
    learners, ranks = document["learners"], document["ranks"]
    searched = any("search_flops" in entry for entry in learners.values())
    rows = []
    for name in best_first(document):
        entry = learners[name]
        score, grown, flops = (entry.get(key) for key in ("average_accuracy", "growth_without_heads", "search_flops"))
        rows.append((
            name,
            _with_half(score),
            PAGE.missing if score is None else points(score["median"], PAGE),
            _with_half(entry.get("forgetting_chaudhry")),
            growth(None if grown is None else grown["mean"], PAGE),
            *([scaled(None if flops is None else flops["mean"], PAGE)] if searched else []),
            f"{ranks['average'][name]:.2f}" if ranks else PAGE.missing,
        ))  # fmt: skip
    return (*HEAD[:-1], *(["search FLOPs"] if searched else []), HEAD[-1]), rows


def pair_rows(document: StudyDocument) -> list[tuple[str, ...]]:
    """Returns one row per pair of learners: the difference of their scores."""
    return [
        (entry["a"], entry["b"], _with_half(entry), p_text(entry["p"], PAGE), p_text(entry["p_holm"], PAGE))
        for entry in oriented(document, "average_accuracy")
    ]


def _with_half(entry: NumberEntry | ComparisonEntry | None) -> str:
    if entry is None:
        return PAGE.missing
    pair = "difference" in entry
    value: float = entry["difference"] if pair else entry["mean"]  # type: ignore[typeddict-item]
    half = entry["half"]
    if value == 0 and not half:
        return "0"
    return points(value, PAGE, sign=pair) + ("" if half is None else f" ± {100 * half:.1f}")


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _latex(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    def line(cells: Sequence[str]) -> str:
        return " & ".join(_cell(cell) for cell in cells) + r" \\"

    body = [r"\toprule", line(head), r"\midrule", *map(line, rows), r"\bottomrule"]
    inner = [rf"\caption{{{caption}}}", rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}", *body, r"\end{tabular}"]
    return "\n".join([r"\begin{table}", r"\centering", *inner, r"\end{table}"])


def _cell(cell: str) -> str:
    """A cell in LaTeX; numbers with their signs are in math mode, names have no special letters."""
    escaped = cell.translate(SPECIAL).replace("±", r"$\pm$").replace("×", r"$\times$").replace("–", "--")
    return re.sub(r"^[+-](?=\d)", r"$\g<0>$", escaped.replace("<", "$<$"))

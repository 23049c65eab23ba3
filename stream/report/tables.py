"""The numbers of studies as tables for other programs: CSV with all digits, LaTeX (booktabs) and Markdown in points."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.report.console import Page
from stream.report.numbers import count, growth, points, scaled
from stream.report.terminal.chosen import counts_text, short_names_of
from stream.report.terminal.differences import method_line, oriented
from stream.report.terminal.study_numbers import best_first, p_text
from stream.study.study import summary_rows

if TYPE_CHECKING:  # imports NumPy
    from stream.study.document import ComparisonEntry, NumberEntry, StudyDocument

PAGE = Page(width=1000, colour=False, ascii=False)
SPECIAL = str.maketrans({
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}",
})  # fmt: skip


@dataclass(frozen=True)
class PaperTable:
    """A table with its caption; the first column is text."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


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
    """Returns tables in points, each below its caption: means over seeds, paired differences of the scores, and what
    learners with alternatives chose."""
    return "\n\n".join(f"{each.caption}\n\n{_markdown(each.head, each.rows)}" for each in tables(document)) + "\n"


def latex_tables(document: StudyDocument) -> str:
    """Returns the same tables as `markdown_tables`, as LaTeX for the package booktabs."""
    parts = [_latex(each.head, each.rows, _letters(each.caption)) for each in tables(document)]
    return "% needs \\usepackage{booktabs}\n" + "\n\n".join(parts) + "\n"


def tables(document: StudyDocument) -> list[PaperTable]:
    """Returns the tables of a study. Each stands alone: its caption says what its numbers are and rest on."""
    found = [PaperTable(means_caption(document), *mean_rows(document))]
    if pairs := pair_rows(document):
        found.append(PaperTable(pairs_caption(document), PAIRS, pairs))
    for learner, counts in document.get("chosen", {}).items():
        names = short_names_of(counts)
        rows = [(task, ", ".join(counts_text(counts[task], names, PAGE)) or PAGE.missing) for task in counts]
        words = f"What {learner} chose on validation rows, by task: alternative ×number of seeds."
        found.append(PaperTable(words, ("task", "chosen"), rows))
    return found


def means_caption(document: StudyDocument) -> str:
    """Returns what the table of means shows: numbers of seeds, orders and tasks, and the meaning of the columns."""
    seeds = sorted({entry["average_accuracy"]["seeds"] for entry in document["learners"].values()
                    if "average_accuracy" in entry})  # fmt: skip
    orders = count(len({member["order"] for member in document["members"] if member["finished"]}), "order")
    on = f"{orders} of {count(len(document.get('tasks', [])), 'task')}"
    words = f"Means over {seeds_words(seeds)}, {on}, in points (×100), with 95 % intervals over seeds (Student's t)."
    if seeds == [1]:
        words = f"One seed, {on}, in points (×100); one seed: no interval."
    words += " Score: average of the last scores. Forgetting: best earlier score minus last score."
    words += " Growth: all kept parameters without heads, in multiples of the backbone."
    if any("search_flops" in entry for entry in document["learners"].values()):
        words += " Search FLOPs: of all fits that were made to choose."
    if (ranks := document["ranks"]) is not None:
        blocks = count(ranks["blocks"], "group")
        words += (
            f" Rank: mean place among the learners by score, 1 is best, over {blocks} of tasks that share no texts."
        )
    return words


def seeds_words(seeds: Sequence[int]) -> str:
    """Returns the numbers of seeds of the learners: `3 seeds`, or `1 to 3 seeds`."""
    return count(seeds[-1] if seeds else 0, "seed") if len(seeds) < 2 else f"{seeds[0]} to {count(seeds[-1], 'seed')}"


def pairs_caption(document: StudyDocument) -> str:
    """Returns what the table of differences shows and rests on."""
    entries = oriented(document, "average_accuracy")
    lines = dict.fromkeys([*map(method_line, entries), *(f"Method: {entry['method']}." for entry in entries)])
    return (
        f"Differences of scores, in points, with 95 % intervals. {' '.join(lines)} p (Holm): corrected for all pairs."
    )


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
    return re.sub(r"^[+-](?=\d)", r"$\g<0>$", _letters(cell))


def _letters(text: str) -> str:
    """A text in LaTeX: special letters are escaped, and mathematical signs are in math mode."""
    escaped = text.translate(SPECIAL).replace("±", r"$\pm$").replace("×", r"$\times$").replace("–", "--")
    return escaped.replace("<", "$<$").replace(" \\%", "\\,\\%")

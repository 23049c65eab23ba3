"""The whole page: computes what each part shows and fills the template."""

from __future__ import annotations

from stream.report.html.about import cost, cost_caption, facts, learners_table
from stream.report.html.forgetting import forgetting, without_loss
from stream.report.html.growth import growth
from stream.report.html.league import headline, league
from stream.report.html.marks import PAGE
from stream.report.html.matrix import matrices
from stream.report.html.record import Record
from stream.report.html.render import asset, digest, render
from stream.report.html.selection import selection
from stream.report.html.tasks import scores
from stream.report.html.trade_off import trade_off
from stream.report.leaders import leaders
from stream.report.learner_summary import summaries
from stream.report.palette import DARK, LIGHT, ink
from stream.report.terminal.failures import REMEDY, failures
from stream.report.terminal.header import title, unfinished
from stream.report.terminal.league import PARTLY
from stream.results.notes import data_notes
from stream.results.results import Results


def page(results: Results, record: Record) -> str:
    """Returns the report as the text of one HTML file.

    Its Content-Security-Policy forbids loading any file and running any script except its own.

    Args:
        results: The results of the run. All text in them is escaped.
        record: What else the folder of the run contains.
    """
    learners, script = summaries(results), asset("report.js")
    top = leaders(learners, results.order)
    return render(
        "page.html.jinja",
        title=title(results, PAGE),
        headline=headline(learners, top),
        warning=unfinished(learners, len(results.order)),
        league=league(results, learners, top),
        failures=failures(results),
        remedy=REMEDY,
        growth=growth(learners, len(results.order)),
        trade_off=trade_off(results, learners),
        matrices=matrices(results, learners, record),
        partly=PARTLY,
        without_loss=without_loss(learners),
        forgetting=forgetting(learners, results.order),
        scores=scores(results, learners),
        notes=data_notes({name: results.tasks[name].notes for name in results.order if name in results.tasks}),
        cost=cost(results),
        cost_caption=cost_caption(results),
        selection=selection(results),
        facts=facts(results, record),
        record=record,
        learners=learners_table(results),
        style=asset("report.css"),
        colours={"light": [(c, ink(c)) for c in LIGHT], "dark": [(c, ink(c)) for c in DARK]},
        script=script,
        digest=digest(script),
    )

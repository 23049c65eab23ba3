"""The lines of a run that stay on the screen. Both views print the same lines."""

from __future__ import annotations

from rich.text import Text

from stream.report.console import Page
from stream.report.live.arrivals import ArrivalTable, arrival_table, introduction
from stream.report.live.state import Event, RunState, entries
from stream.report.numbers import duration
from stream.results.reading import number


class PermanentLines:
    """Turns events into permanent lines. It remembers only the layout of the arrival table."""

    def __init__(self, state: RunState, page: Page) -> None:
        self.state, self.page = state, page
        self.layout: ArrivalTable | None = None

    def lines(self, event: Event) -> list[Text]:
        """Returns the lines that an event adds. The state must have taken the event already."""
        page = self.page
        match event.get("event"):
            case "run":
                return introduction(self.state, page)
            case "arrival":
                return self.arrival(event)
            case "fit" if event.get("failed"):
                where = f"{event.get('learner')}, {event.get('task')}, arrival {event.get('arrival')}"
                why = f"{entries(event['failed']).get('message')}; its cells stay empty, and the stream continues"
                return [Text(page.text(f"failed: {where}: {why}"), style="bold red")]
            case "violation":
                where = f"{event.get('learner')}, {event.get('task')}, arrival {event.get('arrival')}"
                return [Text(page.text(f"violation: {where}: {event.get('message')}"), style="bold red")]
            case "notice":
                return [Text(page.text(f"note: {event.get('message')}"), style="dim")]
            case "end":
                took = duration(number(event.get("seconds")), page)
                out = f"; results in {event['out']}" if event.get("out") else ""
                failed = self.state.failed
                fits = f"; {failed} fit{'' if failed == 1 else 's'} FAILED" if failed else ""
                return [Text(page.text(f"done in {took}{fits}{out}"), style="bold")]
        return []

    def arrival(self, event: Event) -> list[Text]:
        head: list[Text] = []
        if self.layout is None:
            self.layout = arrival_table(self.state, self.page)
            head = self.layout.head()
        arrival = int(number(event.get("arrival")) or 0)
        return [*head, self.layout.line(arrival, str(event.get("task")), self.state, number(event.get("seconds")))]

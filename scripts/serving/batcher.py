"""Rows of requests that wait at the same time are answered in one pass."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from serving.limits import Limits
from stream.hub import SharedModels
from stream.hub.models import Row


@dataclass(eq=False)
class Waiting:
    """A request that waits for its logits."""

    rows: Sequence[Row]
    logits: asyncio.Future[list[np.ndarray]]


@dataclass(eq=False)
class Batcher:
    """Answers the rows of waiting requests together, pass after pass.

    Attributes:
        requests: The requests that wait, in order of arrival.
        waiting: Number of their rows, those of the present pass included.
        answered, passes: Numbers of rows and passes so far.
    """

    models: SharedModels
    limits: Limits
    requests: asyncio.Queue[Waiting] = field(default_factory=asyncio.Queue)
    waiting: int = 0
    answered: int = 0
    passes: int = 0

    async def logits(self, rows: Sequence[Row]) -> list[np.ndarray]:
        """Returns the logits of some rows when a pass has computed them."""
        request = Waiting(rows, asyncio.get_running_loop().create_future())
        self.waiting += len(rows)
        await self.requests.put(request)
        return await request.logits

    async def run(self) -> None:
        """Answers requests until it is cancelled."""
        held: Waiting | None = None  # the first request that a pass has no room for
        while True:
            taken, held = [held or await self.requests.get()], None
            while held is None and not self.requests.empty():
                following = self.requests.get_nowait()
                if sum(len(each.rows) for each in (*taken, following)) > self.limits.batch:
                    held = following
                else:
                    taken.append(following)
            rows = [row for each in taken for row in each.rows]
            try:
                found = await asyncio.to_thread(self.models.logits, rows)
            except Exception as error:
                await self._one_by_one(taken, error)
            else:
                self.passes += 1
                for each in taken:
                    own, found = found[: len(each.rows)], found[len(each.rows) :]
                    _settle(each, own)
            self.waiting -= len(rows)
            self.answered += len(rows)

    async def _one_by_one(self, taken: Sequence[Waiting], error: Exception) -> None:
        """Answers each request by itself, so that a bad row fails its own request only."""
        for each in taken:
            outcome: list[np.ndarray] | Exception = error
            if len(taken) > 1:
                try:
                    outcome = await asyncio.to_thread(self.models.logits, each.rows)
                    self.passes += 1
                except Exception as own:
                    outcome = own
            _settle(each, outcome)


def _settle(request: Waiting, outcome: list[np.ndarray] | Exception) -> None:
    """Gives a request its logits or its error, unless its client has gone."""
    if request.logits.done():
        return
    if isinstance(outcome, Exception):
        request.logits.set_exception(outcome)
    else:
        request.logits.set_result(outcome)

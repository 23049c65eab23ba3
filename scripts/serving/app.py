"""The HTTP interface, by FastAPI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from serving.batcher import Batcher
from serving.limits import Limits
from stream import InputError
from stream.hub import SharedModels
from stream.hub.models import Row


class RowIn(BaseModel):
    """One row of a request."""

    model_config = ConfigDict(extra="forbid")
    task: str
    text: str
    text_b: str | None = None


class RowsIn(BaseModel):
    """The body of a request to /answers."""

    model_config = ConfigDict(extra="forbid")
    rows: list[RowIn] = Field(min_length=1)


class AnswerOut(BaseModel):
    """The answer to one row: a label, or a score; and the logits [C]."""

    task: str
    answer: str | float
    logits: list[float]


class AnswersOut(BaseModel):
    """The body of an answer of /answers, in the order of the rows."""

    answers: list[AnswerOut]


def app_of(models: SharedModels, limits: Limits) -> FastAPI:
    """Returns the application that answers for these models."""
    batcher = Batcher(models, limits)

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        worker = asyncio.create_task(batcher.run())
        yield
        worker.cancel()

    app = FastAPI(title="taskstream", description="Answers for the tasks of a stream.", lifespan=running)

    @app.exception_handler(InputError)
    async def refused(request: Request, error: InputError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_code=422)

    @app.exception_handler(RequestValidationError)
    async def unreadable(request: Request, error: RequestValidationError) -> JSONResponse:
        found = "; ".join(f"{'/'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:5])
        return JSONResponse({"detail": found}, status_code=422)

    @app.middleware("http")
    async def limited(request: Request, following: Any) -> Any:
        size = request.headers.get("content-length", "" if request.method == "POST" else "0")
        if not size.isdecimal() or "transfer-encoding" in request.headers:  # a body in chunks has no size to look at
            return JSONResponse({"detail": "a request needs the header content-length"}, status_code=411)
        if int(size) > limits.bytes:
            detail = f"a request has at most {limits.bytes:,} bytes, found {int(size):,}"
            return JSONResponse({"detail": detail}, status_code=413)
        return await following(request)

    @app.post("/answers")
    async def answers(body: RowsIn) -> AnswersOut:
        rows = _rows(body, limits)
        models.check(rows)
        if batcher.waiting and batcher.waiting + len(rows) > limits.waiting:
            detail = f"{batcher.waiting} rows wait for an answer already; ask again later"
            raise HTTPException(503, detail, headers={"retry-after": "1"})
        found = await batcher.logits(rows)
        if broken := [place for place, logits in enumerate(found) if not np.isfinite(logits).all()]:
            raise HTTPException(500, f"row {broken[0]}: the model of {rows[broken[0]][0]} gives no finite answer")
        return AnswersOut(
            answers=[
                AnswerOut(task=task, answer=models[task].answer(logits), logits=[float(value) for value in logits])
                for (task, _), logits in zip(rows, found, strict=True)
            ]
        )

    @app.get("/tasks")
    async def tasks() -> list[dict[str, Any]]:
        fields = ("name", "title", "kind", "metric", "labels")
        return [{name: getattr(each.record.task, name) for name in fields} for each in models.models.values()]

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return {
            "status": "ok",
            "backbone": models.backbone.name,
            "tasks": len(models.models),
            "waiting": batcher.waiting,
            "answered": batcher.answered,
            "passes": batcher.passes,
        }

    return app


def _rows(body: RowsIn, limits: Limits) -> list[Row]:
    """Returns the rows of a request.

    Raises:
        HTTPException: There are too many, or a text is too long.
    """
    if len(body.rows) > limits.rows:
        raise HTTPException(413, f"a request has at most {limits.rows} rows, found {len(body.rows)}")
    for place, row in enumerate(body.rows):
        longest = max(len(row.text), len(row.text_b or ""))
        if longest > limits.characters:
            raise HTTPException(
                413, f"row {place}: a text has at most {limits.characters:,} characters, found {longest:,}"
            )
    return [(row.task, row.text if row.text_b is None else (row.text, row.text_b)) for row in body.rows]

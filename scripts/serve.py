"""Serves the tasks of a run over HTTP: one encoder in memory, and the Delta of each task.

Rows of requests that arrive while the encoder is busy are answered together in its next pass.

    python scripts/serve.py runs/first --learner adapter:64
    curl localhost:8000/answers -H 'content-type: application/json' -d '{"rows": [
        {"task": "cola", "text": "Girl the read."}, {"task": "rte", "text": "It rains.", "text_b": "It is wet."}]}'

    POST /answers   {"rows": [{"task", "text", "text_b"?}, ...]} -> {"answers": [{"task", "answer", "logits"}, ...]}
    GET  /tasks     name, title, kind, metric and labels of each task
    GET  /health    {"status": "ok", ...}; how many rows wait, and how many were answered in how many passes
    GET  /docs      a page to try it

Errors have a code and {"detail": text}: 411 without content-length, 413 for too much, 422 for rows that are none, 503
if too many rows wait.
There is no authentication: put a server before it that has one. Needs `pip install 'taskstream[serve]'`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from serving.app import app_of
from serving.limits import Limits

from stream import InputError
from stream.hub import load_models


def main(
    folder: Annotated[Path, typer.Argument(help="folder of a run, or of `taskstream export --to-dir`")],
    learner: Annotated[str | None, typer.Option(help="learner whose Deltas answer, if there are several")] = None,
    backbone: Annotated[str | None, typer.Option(help="backbone, if it is not found by its name")] = None,
    device: Annotated[str, typer.Option(help="auto (a CUDA card, or cpu), cpu, cuda, cuda:N or mps")] = "auto",
    plugin: Annotated[list[Path] | None, typer.Option(help="plug-in file of the learner; its code is run")] = None,
    host: Annotated[str, typer.Option(help="address to listen on; 0.0.0.0 for all")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="port; 0 takes a free one")] = 8000,
    rows: Annotated[int, typer.Option(min=1, help="most rows of a request")] = Limits.rows,
    characters: Annotated[int, typer.Option(min=1, help="most characters of a text")] = Limits.characters,
    waiting: Annotated[int, typer.Option(min=1, help="most rows that wait; further requests get 503")] = Limits.waiting,
    batch: Annotated[int, typer.Option(min=1, help="most rows of several requests in one pass")] = Limits.batch,
) -> None:
    """Serve the tasks of a run over HTTP, with one encoder in memory."""
    try:
        models = load_models(folder, learner, backbone, plugin or (), device=device)
    except InputError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(2) from None
    app = app_of(models, Limits(rows, characters, waiting, batch))
    config = uvicorn.Config(app, host=host, port=port, log_level="warning")
    listening = config.bind_socket()  # ends the program if the port is taken
    address = f"http://{host}:{listening.getsockname()[1]}"
    typer.echo(f"{len(models.models)} tasks on {models.backbone.name}; a page to try them: {address}/docs")
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    typer.run(main)

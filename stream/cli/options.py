"""Options of the command that more than one verb takes: declared once, with their help."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


class Display(StrEnum):
    rich = "rich"
    plain = "plain"
    json = "json"
    none = "none"


DisplayOption = Annotated[Display, typer.Option("--display", help="json prints one JSON document and nothing else.")]
PluginOption = Annotated[
    list[str] | None,
    typer.Option("--plugin", help="Python file with a learner, metric or source of your own; may be repeated."),
]
StoreOption = Annotated[Path | None, typer.Option(help="The store, if neither in DIR nor where its settings say.")]

# Takes the settings given, the pairs of --column, the file of --config and the display; returns the exit code.
Verb = Callable[[Mapping[str, Any], Sequence[str], Path | None, str], int]


def takes_settings(verb: Verb) -> Callable[..., None]:
    """A verb of the command that takes the settings of a run, each an option named as in `stream.config.RunConfig`."""

    def command(
        suite: Annotated[
            str | None,
            typer.Option(help="houlsby26, glue9, additional17, all, NAME,NAME, or simulated:N (fresh tasks)."),
        ] = None,
        source: Annotated[
            str | None, typer.Option(help="simulated[:seed=S][:scale=X], folder:DIR, hub[:REVISION].")
        ] = None,
        backbone: Annotated[
            str | None, typer.Option(help="embedded, minilm (extra minilm), a folder, or a hub id.")
        ] = None,
        learners: Annotated[str | None, typer.Option(help="Comma list; see: taskstream list learners.")] = None,
        order: Annotated[str | None, typer.Option(help="paper, seed:N, or NAME,NAME.")] = None,
        seed: Annotated[
            int | None, typer.Option(help="Every random choice derives from it by name. Default: 0.")
        ] = None,
        epochs: Annotated[
            int | None, typer.Option(help="For all learners; at most, as training may stop early.")
        ] = None,
        batch_size: Annotated[int | None, typer.Option(help="For all learners. Default: 32.")] = None,
        learning_rate: Annotated[
            float | None, typer.Option(help="For all learners; each has a default of its own.")
        ] = None,
        max_length: Annotated[int | None, typer.Option(help="Tokens a row may have. Default: 128.")] = None,
        train_examples: Annotated[int | None, typer.Option(help="At most so many, a seeded sample.")] = None,
        test_examples: Annotated[int | None, typer.Option(help="At most so many in validation and in test.")] = None,
        evaluate: Annotated[str | None, typer.Option(help="full, audited, or square. Default: full.")] = None,
        dtype: Annotated[
            str | None, typer.Option(help="float32, bfloat16, or auto: what suits the processor. Default: float32.")
        ] = None,
        columns: Annotated[
            list[str] | None,
            typer.Option("--column", help="Our column=the files', as text=sentence or rte.text_b=second."),
        ] = None,
        workers: Annotated[int | None, typer.Option(help="Processes; one for each core by default.")] = None,
        out: Annotated[str | None, typer.Option(help="Folder of the run. Default: runs/latest.")] = None,
        store: Annotated[
            str | None, typer.Option(help="Folder of finished fits, may be shared by runs. Default: OUT/store.")
        ] = None,
        log: Annotated[
            str | None, typer.Option(help="Log the run to tensorboard, wandb, mlflow (extras), in OUT; comma list.")
        ] = None,
        plugins: PluginOption = None,
        config: Annotated[
            Path | None, typer.Option(help="TOML file of these settings; options given here win.")
        ] = None,
        display: DisplayOption = Display.rich,
    ) -> None:
        asked = locals()
        given = {name: asked[name] for name in asked.keys() - {"verb", "columns", "config", "display"}}
        raise typer.Exit(verb(given, columns or [], config, display))

    return command

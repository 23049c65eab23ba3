"""`run`: a stream of tasks through learners, from Python; and the workers that several runs share."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stream.api.arguments import by_name, read_call
from stream.api.readers import bad
from stream.api.session import perform
from stream.execution.workers import Workers, waiting_workers
from stream.results.results import Results

if TYPE_CHECKING:  # seconds
    from learners.backbones.backbone import Backbone
    from learners.specification.family import Family
    from learners.specification.learner import Learner
    from stream.engine.progress import Handle
    from stream.results.metrics import Metric


@by_name
def run(
    *,
    suite: str | Sequence[str] = "houlsby26",
    source: str | Path = "simulated",
    backbone: str | Path | Backbone = "embedded",
    learners: str | Learner | Family | Sequence[str | Learner | Family] = (
        "full:isolated,full:sequential,topk:2,layernorm,adapter:64,adapterbias:share=alpha,head"
    ),
    order: str | Sequence[str] = "paper",
    seed: int = 0,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    max_length: int = 128,
    train_examples: int | None = None,
    validation_examples: int | None = None,
    test_examples: int | None = None,
    evaluate: Literal["full", "audited", "square"] = "full",
    dtype: Literal["float32", "bfloat16", "auto"] = "float32",
    columns: Mapping[str, str] | None = None,
    out: str | Path = "runs/latest",
    store: str | Path | None = None,
    workers: int | Workers | None = None,
    log: str | Sequence[str] | None = None,
    plugins: str | Path | Sequence[str | Path] = (),
    tasks: Mapping[str, object] | None = None,
    metrics: Sequence[Metric] = (),
    config: str | Path | None = None,
    display: Literal["rich", "plain", "json", "none"] = "none",
    handle: Handle | None = None,
) -> Results:
    """Run a stream of tasks, or continue the run in `out`; the same as `taskstream run`.

        from stream import run

        results = run(suite="cola,rte", learners=["head", "adapter:64"], train_examples=500, out="runs/first")
        results["adapter:64"].matrix  # R: score on each task after each arrival

    Args:
        suite: Tasks that arrive: the name of a suite (houlsby26, glue9, additional17), all (every task of the source),
            a list of task names, or simulated:N (N new simulated tasks). Default: houlsby26. A list of names will do
            too.
        source: Where the examples come from: simulated[:seed=S][:scale=X], folder:DIR, hub[:REVISION], frames:DIR
            (tables that run(tasks=...) has written), or SOURCE+frames:DIR (both). Default: simulated. A Path is the
            folder of that path.
        backbone: Pretrained encoder, which is never changed: embedded, minilm (extra minilm), a folder, or a hub id.
            Default: embedded. What `load_backbone` gave is used as it is.
        learners: Learners to compare, a list; `taskstream list learners` shows all of them. Default: full:isolated,
            full:sequential, topk:2, layernorm, adapter:64, adapterbias:share=alpha, head. A text with commas, or a list
            of texts and of objects (`Learner`, `Family`) that taskstream knows by name.
        order: Order in which the tasks arrive: paper, seed:N (random), or a list of all task names. Default: paper.
        seed: Every random choice of the run derives from this seed. Default: 0.
        epochs: Passes over the training examples, for all learners. At most: training stops earlier when the validation
            score no longer improves. Default: each learner's own.
        batch_size: Size of a training batch, for all learners. Unit: examples. Default: each learner's own, mostly 32.
        learning_rate: Peak of the learning rate schedule, for all learners. Default: each learner's own.
        max_length: Maximum length of a row; the rest is cut off. Unit: tokens. Default: 128.
        train_examples: Maximum number of training examples of each task; a seeded sample if there are more. Default:
            all.
        validation_examples: Maximum number of validation examples of each task. Default: the same as test_examples.
        test_examples: Maximum number of test examples of each task. Default: all.
        evaluate: Which tasks are evaluated after each arrival. full: every task that has arrived. square: also those
            still to come. audited: the new task; for the others equal hashes certify that the score is unchanged, one
            of them is evaluated to audit this, and all are evaluated at the end. Default: full.
        dtype: Number format of the backbone's arithmetic: float32, bfloat16, or auto (what suits the processor).
            Default: float32.
        columns: Names of your columns, by ours (text, text_b, label, split, score): text = sentence for all tasks,
            rte.text_b = second for one. Default: your columns have our names.
        out: Folder of the run. Default: runs/latest.
        store: Folder of finished fits. Runs that share it do no fit twice. Default: the folder store in OUT.
        workers: Number of worker processes. It changes no result. Default: one per processor core. Those of
            `kept_workers` serve several runs.
        log: Tools that the run is also logged to, a list: tensorboard, wandb, mlflow (each an extra). Their files lie
            in OUT; nothing is sent. Default: no tool.
        plugins: Python files that define learners, metrics or sources of your own, a list; `taskstream new` writes one.
            Their code is run. Default: no file. One path will do too.
        tasks: Your own tasks that are in memory: name -> table of pandas, polars, pyarrow or datasets with the
            columns text, label and so on (or a dict of tables by split). They are written to OUT/tasks. Without `suite`
            they are the stream; else they come after the tasks of `suite`. Default: none.
        metrics: Your own metrics (`stream.results.metrics.Metric`), computed for the results that are returned, not for
            the files of the run. Default: none.
        config: TOML file of settings; those given here win. `taskstream config` prints one. Default: none.
        display: What is shown: rich or plain (the run as it goes, then its report), json or none (nothing). Default:
            none.
        handle: Function that is called with every event of the run, a plain dict. Default: none.

    Returns:
        The results; `as_dict()` is OUT/results.json. A fit that diverged does not end the run: it is among the
        `failures` of its learner, and the scores that need it are empty.

    Raises:
        InputError: Bad settings or data; `error.errors` holds all of them. Nothing was computed.
        RunFailed: A job failed. Finished work is kept, and the same call continues the run.
    """
    return perform(read_call(locals()))


def kept_workers(count: int | None = None) -> AbstractContextManager[Workers]:
    """Worker processes for several runs, one after another: libraries and an equal backbone are loaded once.

        with kept_workers() as workers:
            for n in range(10):
                run(order=f"seed:{n}", out=f"runs/order{n}", store="runs/store", workers=workers, ...)

    Args:
        count: Number of processes; one of them is the calling process itself. Default: one per processor core.

    Raises:
        InputError: `count` is not a whole number from 1.
    """
    if count is not None and (isinstance(count, bool) or not isinstance(count, numbers.Integral) or count < 1):
        raise bad("count", count, "a whole number from 1", "kept_workers()")
    return waiting_workers(None if count is None else int(count), kept=True)

"""`plan`: what a run would do, which part is done, and the estimated time for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stream.api.arguments import by_name, read_call
from stream.api.preview import Plan, preview
from stream.execution.workers import Workers

if TYPE_CHECKING:  # importing these takes seconds
    from learners.backbones.backbone import Backbone
    from learners.specification.family import Family
    from learners.specification.learner import Learner


@by_name
def plan(
    *,
    suite: str | Sequence[str] = "houlsby26",
    source: str | Path = "simulated",
    backbone: str | Path | Backbone = "embedded",
    learners: str | Learner | Family | Sequence[str | Learner | Family] = (
        "full:isolated,full:sequential,topk:2,layernorm,adapter:64,adapterbias:share=alpha,head"
    ),
    select: str | None = None,
    scope: str | None = None,
    restarts: int | None = None,
    order: str | Sequence[str] = "paper",
    seed: int | str | Sequence[int | str] = 0,
    data_seed: int = 0,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    max_length: int = 128,
    train_examples: int | None = None,
    validation_examples: int | None = None,
    test_examples: int | None = None,
    evaluate: Literal["full", "audited", "square"] = "full",
    dtype: Literal["float32", "bfloat16", "auto"] = "float32",
    device: str = "auto",
    pack: int | Literal["auto"] = 1,
    unseen_labels: Literal["keep", "refuse"] = "keep",
    columns: Mapping[str, str] | None = None,
    out: str | Path = "runs/latest",
    store: str | Path | None = None,
    workers: int | Workers | None = None,
    log: str | Sequence[str] | None = None,
    plugins: str | Path | Sequence[str | Path] = (),
    protocol: str | None = None,
    tasks: Mapping[str, object] | None = None,
    config: str | Path | None = None,
) -> Plan | Any:
    """Show what `run` would do with the same settings: the jobs, which of them are done, and the estimated time.

    No job runs, and the run's folder and store do not change. As in `run`, the data are encoded into the cache, and
    `tasks` are written to OUT/tasks.

        plan(suite="glue9", learners="adapter:64", out="runs/glue").seconds

    Args:
        suite: Tasks that arrive: the name of a suite (houlsby26, glue9, additional17, lm5, lm15), all (every task of
            the source), a list of task names, or simulated:N (N new simulated tasks). Default: houlsby26. A list of
            names is allowed too.
        source: Where the examples come from: simulated[:seed=S][:scale=X][:difficulty=D][:noise=X], folder:DIR,
            hub[:REVISION], frames:DIR (tables that run(tasks=...) wrote), or SOURCE+frames:DIR (both). Default:
            simulated. A `Path` stands for folder:PATH.
        backbone: Pretrained encoder: embedded, minilm (needs the extra minilm), a folder, or a hub id. NAME:cls pools
            by the first token, NAME:mean by the mean over tokens. A run never changes its weights. Default: embedded.
            The object that `load_backbone` returns is allowed too.
        learners: Learners to compare, separated by commas. `taskstream list learners` shows all of them. Default:
            full:isolated, full:sequential, topk:2, layernorm, adapter:64, adapterbias:share=alpha, head. A list of
            texts and objects (`Learner`, `Family`) is allowed too, if taskstream knows the objects by name.
        select: How learners with alternatives, such as adapter:8/64/256, are searched on each task, by validation
            scores alone: grid (all), random:N, halving (all for a few epochs, the best third further), or optuna:N
            (needs the extra optuna). Default: grid.
        scope: What an alternative is chosen on: task (each task by itself), first:K (the first K tasks; later ones keep
            that choice), or twin (the simulated twin of each task). Default: task.
        restarts: Number of further fits of each isolated learner on each task with other seeds. The fit with the best
            validation score is kept. Default: none.
        order: Order in which the tasks arrive: paper (the order of the paper), seed:N (a random order), 1 to 6 (the
            orders of Progressive Prompts and O-LoRA: 1 to 3 for lm5, 4 to 6 for lm15), or a list of all task names.
            Several orders, with ';' between them or given again, make a study, one run for each. Default: paper. A list
            is allowed too: of task names, which is one order, or of whole orders.
        seed: Seed of the run. Every random choice of training derives from it. Several seeds (0,1,2 or 0-4) make a
            study, one run for each. Default: 0. A list of numbers is allowed too.
        data_seed: Seed that draws the examples where a task has more than the limit. Runs with several seeds then use
            the same examples, so their differences are those of training alone. Default: 0.
        epochs: Maximum number of passes over the training examples, for all learners. Training stops earlier if the
            validation score no longer improves. Default: each learner's own value.
        batch_size: Size of a training batch, for all learners. Unit: examples. Default: each learner's own value,
            mostly 32.
        learning_rate: Peak of the learning rate schedule, for all learners. Default: each learner's own value.
        max_length: Maximum length of an example. Longer examples are truncated. Unit: tokens. Default: 128.
        train_examples: Maximum number of training examples per task. A task with more examples gives a random sample,
            drawn with data_seed. Default: all.
        validation_examples: Maximum number of validation examples per task. Default: the value of test_examples.
        test_examples: Maximum number of test examples per task. Default: all.
        evaluate: Which tasks are evaluated after each arrival. full: every task that has arrived. square: also the
            tasks that have not arrived yet. audited: only the new task and one earlier task; equal hashes certify that
            the scores of the other tasks are unchanged, and all tasks are evaluated after the last arrival. Default:
            full.
        dtype: Number format of the backbone's arithmetic: float32, bfloat16, or auto (bfloat16 if this processor is
            fast at it, else float32). Default: float32.
        device: What computes: cpu, cuda (a graphics card, cuda:N for card N), mps (Apple), or auto (a CUDA card if this
            machine has one, else cpu). Results of different devices differ in the last bits and do not mix. Default:
            auto.
        pack: Number of Deltas of one learner that go through the encoder together, in fits and in evaluations; auto: as
            many as a graphics card has memory for, up to 32, and 1 on a CPU, where packs do not pay. Results depend on
            it in the last bits. More than 1 needs one worker. Default: 1.
        unseen_labels: Validation and test rows whose label no training row has. keep: they stay, and count as wrong.
            refuse: a task with such rows is an error. Default: keep.
        columns: Names of the columns in your data, for the names text, text_b, label, split and score. text=sentence
            holds for all tasks, rte.text_b=second for the task rte. In data with both a label and a score,
            mine.label=label says that the label is the target of the task mine. Default: your columns have these names.
        out: Folder of the run. Default: runs/latest.
        store: Folder of finished fits. Runs that share a store do not repeat each other's fits. Default: the folder
            store in OUT.
        workers: Number of worker processes. The results do not depend on it. Default: one per usable core. The
            workers of `kept_workers` are allowed too; they serve several runs.
        log: Other tools that log the run, separated by commas: tensorboard, wandb, mlflow (each needs its extra). Their
            files are written to OUT. No data leave this machine. Default: no tool.
        plugins: Python files that define your own learners, metrics or sources. `taskstream new` writes a template. The
            run executes their code. Default: no file. A single path is allowed too.
        protocol: Settings that follow a paper: houlsby-glue, houlsby-17, adapterbias, he-unified, or quick (minutes on
            a laptop). `taskstream list protocols` says what each does. Your own settings win over it. Default: none.
        tasks: Your own tasks in memory: task name -> table (pandas, polars, pyarrow or datasets) with the columns text,
            label and so on, or a dict of tables by split. They are written to OUT/tasks. Without `suite` they are the
            whole stream; with `suite` they come after its tasks. Default: none.
        config: TOML file of settings; arguments of the call win. `taskstream config` prints one. Default: none.

    Returns:
        What the run would do: a `Plan`, or a `StudyPlan` of several seeds or orders. Its method `as_dict` returns the
        document of `taskstream plan --display json`.

    Raises:
        InputError: Input that `run` would reject too.
        RunFailed: A file is not readable.
    """
    call = read_call(locals())
    if call.grid is None:
        return preview(call)
    from stream.api.study_plan import preview_study

    return preview_study(call, call.grid)

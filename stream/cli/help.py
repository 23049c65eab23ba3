"""Help of the verbs that take more than a line, with examples."""

from __future__ import annotations

RUN = """
Stream tasks through learners; the same command continues an interrupted run.

[bold]Examples[/]

  taskstream run --suite glue9 --source folder:data --backbone minilm --learners head,adapter:64 --out runs/glue

  taskstream run --suite cola,rte,sms_spam --source folder:data --backbone ./bert-base-uncased --order seed:3
     --learners full:isolated,full:sequential,adapterbias:share=alpha:l0=1e-4 --train-examples 2000 --epochs 5

  taskstream run --config experiment.toml --seed 1 --out runs/seed1
"""

PLAN = """
Tell what `run` would do with the same options: jobs, what of them is done, estimated time.

Nothing is computed, and the run's folder and store stay as they are; data are encoded into the cache, as by `run`.

[bold]Examples[/]

  taskstream plan --suite glue9 --source folder:data --backbone minilm --learners head,adapter:64 --out runs/glue

  taskstream plan --config runs/glue/config.toml     what is left of a run
"""

CONFIG = """
Print a settings file to copy: every setting with its meaning, unit and default; or the settings of a run.

[bold]Examples[/]

  taskstream config > my.toml     then edit it, and: taskstream run --config my.toml

  taskstream config runs/latest > again.toml     the settings of that run

  taskstream config --display json     every setting as JSON
"""

REPORT = """
Print the report of a run: league table, heat maps of R, forgetting, growth; or write it as a page, or its pictures.

[bold]Examples[/]

  taskstream report runs/latest

  taskstream report runs/latest --html report.html     one file that needs nothing else: no network, no script

  taskstream report runs/latest --png pictures     for papers; --svg too; needs the extra plots
"""

COMPARE = """
Tell what differs between two runs, finished or not: settings, inputs, learners, tasks, cells of R, metrics, cost.

[bold]Examples[/]

  taskstream compare runs/seed0 runs/seed1

  taskstream compare runs/here runs/there --display json     every cell

Exit code 0 whether or not they differ; the last line says which. 2: no run there.
"""

REPLAY = """
Show a run once more as it went, from its ledger: in some 20 seconds, or at a speed. Computes and writes nothing.

[bold]Examples[/]

  taskstream replay runs/latest

  taskstream replay runs/latest --speed 100     times as fast as it was

Where no terminal is, and with --display plain, all lines come at once.
"""

VERIFY = """
Check the proof of a run: ledger, keys, Deltas, every cell of R, results, data and backbone. Only reads.

[bold]Examples[/]

  taskstream verify runs/latest

  taskstream verify runs/latest --rerun 20     evaluates 20 cells again from the stored Deltas

  taskstream verify copied/run --store copied/store --rerun all --display json

Exit code 0: PASS. 1: FAIL, and the first difference is named. 2: no run there.
"""

GC = """
List the files of a store that none of these runs needs, and half-written ones older than a day.

[bold]Examples[/]

  taskstream gc runs/latest

  taskstream gc runs/a runs/b --delete     a store that both share: name every run on it
"""

EXPORT = """
Write the model of one task as files that other programs read, a transformers checkpoint or an adapter of peft; or all
that a run learned, to pass on: Deltas with model cards, and the results as a data set with its card.

[bold]Examples[/]

  taskstream export runs/latest --learner adapterbias --task cola --to models/cola

  taskstream export runs/latest --learner lora:8 --task rte --to models/rte --format peft

  taskstream export runs/latest --to-dir shared     each folder in it can be uploaded as it is: hf upload
"""

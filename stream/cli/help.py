"""Help texts of the verbs, with examples."""

from __future__ import annotations

COMMAND = r"""
Simulate continual learning on streams of text tasks: how much each learner forgets, what each task costs, and a proof.

[bold]Examples[/]

  taskstream run --suite rte,cola --learners head,adapter:64 \
      --train-examples 500 --dtype auto --out runs/first

  taskstream report runs/first

  taskstream verify runs/first
"""

RUN = r"""
Run learners on a stream of tasks and print a report. The same command continues an interrupted run.

Several seeds or orders make a study: a run for each below OUT, which share their fits, and means over them.

[bold]Examples[/]

  taskstream run --suite rte,cola --learners head,adapter:64 \
      --train-examples 500 --dtype auto --out runs/first

  taskstream run --suite glue9 --source folder:data --backbone minilm \
      --learners head,adapter:64 --dtype auto --out runs/glue

  taskstream run --suite cola,rte,sms_spam --source folder:data \
      --backbone ./bert-base-uncased --order seed:3 --epochs 5 \
      --learners full:isolated,full:sequential,adapterbias:share=alpha \
      --dtype auto --out runs/orders

  taskstream run --config experiment.toml --seed 0-4 --order 'paper;seed:1' \
      --dtype auto --out runs/seeds
"""

PLAN = r"""
Show what `run` would do with the same options: the jobs, which of them are done, and the estimated time.

No job runs, and the run's folder and store do not change. The data are encoded into the cache, as by `run`.

[bold]Examples[/]

  taskstream plan --suite glue9 --source folder:data --backbone minilm \
      --learners head,adapter:64 --dtype auto --out runs/glue

  taskstream plan --config runs/glue/config.toml     # what is left of a run
"""

CONFIG = """
Print a settings file: every setting with its meaning, unit and default, or the settings of a run.

[bold]Examples[/]

  taskstream config > my.toml     # edit it, then: taskstream run --config my.toml

  taskstream config runs/latest > again.toml     # the settings of that run

  taskstream config --display json     # every setting as JSON
"""

LIST = """
List tasks, learners, metrics, backbones, protocols or runs.

[bold]Examples[/]

  taskstream list learners

  taskstream list runs results --display json     # in the folder results
"""

SHOW = """
Show one task, learner, metric or protocol in full: facts, formula, source, options, cost.

[bold]Examples[/]

  taskstream show task cola

  taskstream show learner adapterbias

  taskstream show metric forgetting_chaudhry
"""

REPORT = """
Print the report of a run: league table, heat maps of R, forgetting, growth. Or write it as an HTML page or as pictures.

Of a study, or of several runs and studies: means over seeds with intervals, paired differences, ranks. Runs that differ
only in seed or order are taken together.

[bold]Examples[/]

  taskstream report runs/latest

  taskstream report runs/latest --html report.html     # one file, without network or scripts

  taskstream report runs/latest --png pictures     # also --svg; both need the extra plots

  taskstream report runs/seeds --tex seeds.tex     # also --csv, --md

  taskstream report runs/seed0 runs/seed1 runs/other
"""

COMPARE = """
Show the differences between two runs, finished or not: settings, inputs, learners, tasks, cells of R, metrics, cost.

The exit code is 0 whether or not the runs differ, and 2 if a folder contains no run. The last line is the summary.

[bold]Examples[/]

  taskstream compare runs/seed0 runs/seed1

  taskstream compare runs/here runs/there --display json     # every cell
"""

REPLAY = """
Show a past run again as it happened. It reads the ledger, computes nothing and writes nothing.

A replay takes about 20 seconds or less, or has the speed that you give. Without a terminal, all lines come at once.

[bold]Examples[/]

  taskstream replay runs/latest

  taskstream replay runs/latest --speed 100     # 100 times as fast as the run
"""

VERIFY = """
Check the proof of a run: ledger, keys, Deltas, every cell of R, results, data and backbone. It only reads. Of a study,
each member is checked, and study.json.

The exit code is 0 for PASS, 1 for FAIL (the first difference is printed), and 2 if the folder contains no run.

[bold]Examples[/]

  taskstream verify runs/latest

  taskstream verify runs/latest --rerun 20     # evaluates 20 cells of R again from the stored Deltas

  taskstream verify copied/run --store copied/store --rerun all --display json
"""

GC = """
List or delete the files of a store that no run needs: not the given ones, not the run that contains the store, and not
those that registered in it. Incomplete files that are older than a day, and damaged ones, belong to them.

[bold]Examples[/]

  taskstream gc runs/latest

  taskstream gc runs/store --delete            # a shared store: its runs have registered in it

  taskstream gc runs/store --forget runs/old   # this run was deleted: its fits are no longer needed
"""

COST = r"""
Count the parameters that each learner adds to a backbone. It needs no weights, no data and no network.

[bold]Example[/]

  taskstream cost --backbone bert-large-uncased --suite glue9 \
      --learners full:isolated,adapter:64,layernorm
"""

EXPORT = r"""
Write trained models as files for other programs.

--to writes the model of one task: a transformers checkpoint or a peft adapter. README.md shows how to load it.

--to-dir writes everything that the run learned: Deltas with model cards, and the results as a data set with a card.

[bold]Examples[/]

  taskstream export runs/latest --learner adapterbias --task cola \
      --to models/cola

  taskstream export runs/latest --learner adapter:64 --task cola \
      --to models/cola-adapter            # with the code that computes it

  taskstream export runs/latest --learner lora:8 --task rte \
      --to models/rte --format peft

  taskstream export runs/latest --to-dir shared     # then: hf upload
"""

NEW = r"""
Write a template of a plug-in: a file with a learner, metric or source that works and that you can change.

[bold]Example[/]

  taskstream new learner mine

  taskstream run --plugin mine.py --learners mine,head --suite rte,cola \
      --train-examples 500 --dtype auto --out runs/mine
"""

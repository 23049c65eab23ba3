"""The functions that `stream` exports: run, plan, verify, compare and cost, one file each. The command calls them too.

arguments.py reads the arguments of a call, with one reader per argument in readers.py. perform.py does what a call asks
for: session.py a run with its workers, live view and loggers, study.py the runs of a study. preview.py and
study_plan.py plan them. objects.py, tables.py and metrics.py read objects of the caller: learners and backbones,
tasks in memory, metrics. From outside: import from `stream`; `stream.cli` also uses `read_call`, `perform` and
`preview`.
"""

"""The functions that `stream` exports: run, plan, verify, compare and cost, one file each. The command calls them too.

arguments.py reads the arguments of a call, with one reader per argument in readers.py. session.py does a run with its
workers, live view and loggers. objects.py, tables.py and metrics.py read objects of the caller: learners and backbones,
tasks in memory, metrics. From outside: import from `stream`; `stream.cli` also uses `read_call`, `perform` and
`preview`.
"""

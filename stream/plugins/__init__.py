"""Plug-ins: learners, metrics and sources from outside the package, by `--plugin FILE.py` or by entry point.

A plug-in is a Python module that defines one or more of these names:

    FAMILY, FAMILIES    a `learners.specification.family.Family`, or a list of them; its learners may use forms that the
                        file defines (classes with the protocol `learners.forms.Form`)
    METRIC, METRICS     a `stream.results.metrics.Metric`, or a list of them; METRIC has the name of its file
    SOURCE              a `tasks.sources.Source`, for example a `tasks.sources.Tables`

`load.load_plugins` loads all plug-ins and checks them before anything is trained. `Plugins.in_use()` registers their
names for a `with` block. `used.used_plugins` lists the plug-ins that a run uses. Import from these files: `file` is
light, `check` imports torch.

A plug-in file is executed with the rights of the user. So only files that the user names are executed: `verify` never
executes a file because the folder of a run names it.
"""

"""Plug-ins: learners, metrics and sources from outside the package, by `--plugin FILE.py` or by entry point.

A plug-in is a Python module that defines one or more of these names:

    FAMILY, FAMILIES    a `learners.specification.family.Family`, or a list of them; a form of one's own is a class that
                        its learners use (the protocol `learners.forms.Form`)
    METRIC, METRICS     a `stream.results.metrics.Metric`, or a list of them; METRIC is named as its file
    SOURCE              a `tasks.sources.Source`, for instance `tasks.sources.Tables`

`load.load_plugins` reads and checks them all before anything is trained; `Plugins.in_use()` makes their names known
until a `with` block ends. `used` says which of them a run rests on. Import from the modules: `file` is light, `check`
needs torch. A plug-in file is run as the user's own code, so nothing here runs one that the user did not name:
`verify` of somebody else's folder never loads the files that the folder names.
"""

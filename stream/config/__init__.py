"""Settings of a run.

settings.py defines `RunConfig`: each setting with its meaning, unit and default. resolve.py makes a `RunConfig` from
the defaults, a TOML file and the values that the caller gives. toml.py reads and writes settings as TOML. same_run.py
says which settings may change when a run continues. Other rooms import from these files.
"""

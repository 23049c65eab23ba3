"""Specification: a learner as plain data, and the text that names it.

`learner` holds the data. It consists of backbone weights that are trained (`tuned`), changes of the forward pass
(`modification`), L0 gates (`gates`) and training settings. `family` parses a specification such as `adapter:64` into a
learner (`parse_learner`). `combine` joins several methods. `applicability` checks a learner against an architecture.
`grid` describes a learner on the four axes of He et al. (2022). `recipe` gives the values that ids hash.
"""

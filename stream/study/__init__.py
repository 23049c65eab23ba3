"""A study: one run with several seeds or orders. Its members are ordinary runs that share a store.

members      `Grid`: the seeds and orders of a study, as the user writes them; `Member`: one run of it
settings     `resolve_study`: the settings of a study; its config.toml
scores       the scores of several runs as arrays by learner, seed and task
selection    what learners with alternatives chose
statistics   means, paired differences, Holm's correction, ranks
document     the content of study.json
study        `Study` and `load_study`: the results of a study
gather       several folders, of runs or of studies, as studies to report

Rooms above may import every public name. A study imports `results`, `storage` and `config`; it runs nothing.
"""

"""Results of a run: the accuracy matrix R, metrics, growth, cost, failures, and how two runs differ.

From outside: `Results` and `load_results` (results.py), the parts of a learner's results (learner_results.py,
learner_cost.py), `difference` of two runs, and the registry of metrics. document.py writes what results.py reads.
"""

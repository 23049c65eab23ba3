"""The results of a run: accuracy matrix R, metrics, growth, cost, failures, and the difference between two runs.

document.py makes the document results.json from the events of the ledger; results.py reads it back as typed objects.

Other packages may import:

* `Results`, `load_results` (results.py) and the parts of a learner's results (learner_results.py, learner_cost.py);
* `difference` (difference.py), which compares two runs;
* the continual-learning metrics (metrics/);
* the document and its parts (document.py, schema.py, matrix.py, account.py, growth.py, failures.py).
"""

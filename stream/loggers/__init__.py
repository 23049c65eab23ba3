"""Logs of a run in the tools of others, beside its ledger: TensorBoard, Weights & Biases, MLflow; all on this machine.

A tool is a file here, named as its library and its extra, with `open_writer`: see `stream.loggers.log`.
"""

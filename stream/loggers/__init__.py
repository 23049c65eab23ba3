"""Logs of a run for other tools, beside its ledger: TensorBoard, Weights & Biases, MLflow. All logs are local files.

Each tool has one file here with the name of its library and of its extra. The file defines `open_writer`; see
`Writer` in log.py. readings.py turns the events of a run into numbers.

From outside: `logged`, `loggers`, `LOGGERS` (log.py).
"""

"""The parts of `scripts/bench.py`.

`limit`, `training`, `reevaluation`, `streams`, `start`, `storage` and `equality` are the parts. `ours`, `trainer`,
`avalanche_strategy`, `plain_loop`, `methods` and `storage_peers` are the contenders. `process` and `serve` run them in
turn, each in its own process. `work`, `sizes`, `rows`, `clock` and `measurement` are shared.
"""

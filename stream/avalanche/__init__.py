"""Avalanche 0.6 (Carta et al. 2023) in both directions: our streams as its benchmarks, its strategies as our learners.

benchmark.py, rows.py and inputs.py make benchmarks of our streams. strategy.py, loop.py, session.py and memory.py make
learners of its strategies; registration.py connects them to our training. Both use model.py. Avalanche is slow to
import, so it is imported only when it is needed.

From outside: `TextBenchmark`, `houlsby26`, and `TRAINER` (registration.py).

from stream.avalanche import houlsby26
tasks = houlsby26(train_examples=320)
benchmark, model, criterion = tasks.to_avalanche(), tasks.model(), tasks.loss
"""

from stream.avalanche.benchmark import TextBenchmark, houlsby26

__all__ = ["TextBenchmark", "houlsby26"]

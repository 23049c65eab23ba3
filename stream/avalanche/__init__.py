"""Our streams as benchmarks of Avalanche 0.6 (Carta et al. 2023), imported when one is made, in seconds.

from stream.avalanche import houlsby26
tasks = houlsby26(train_examples=320)
benchmark, model, criterion = tasks.to_avalanche(), tasks.model(), tasks.loss
"""

from stream.avalanche.benchmark import TextBenchmark, houlsby26

__all__ = ["TextBenchmark", "houlsby26"]

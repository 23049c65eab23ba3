"""Results: the accuracy matrix, metrics, growth and cost of a run."""

"""Training: the loop that fits a Delta, and prediction."""

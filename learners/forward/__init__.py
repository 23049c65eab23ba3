"""Forward pass: a backbone with a Delta, applied to batches of rows."""

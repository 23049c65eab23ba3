"""Live view of a run."""

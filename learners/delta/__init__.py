"""Deltas: what one task adds to the backbone, as named tensors."""

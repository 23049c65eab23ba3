"""The parts of `scripts/pretrain_backbone.py`.

`documents`, `passages`, `pairs` and `disturb` generate text; `semantics` gives its meaning as a vector; `tokens` and
`corpus` tokenise it; `batches`, `model` and `objectives` train on it; `settings` has all settings.
"""

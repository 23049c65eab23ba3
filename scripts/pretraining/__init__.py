"""The parts of `scripts/pretrain_backbone.py`.

`documents`, `passages` and `pairs` generate text; `semantics` gives its meaning as a vector; `tokens` and `corpus`
tokenise it; `disturb` and `exchange` put wrong and other words into it; `batches`, `model`, `objectives` and
`optimiser` train on it; `settings` has all settings.
"""

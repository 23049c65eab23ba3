"""Training: fit a Delta to a task, and predict with it.

`fit` is our training loop, with `fixed` (its inputs), `running` (what changes), `loss`, `optimiser`, `adamw` and
`divergence`; `state` is a paused fit and its file. `trainer` defines the `Trainer` protocol and
finds registered trainers; `loop` registers our loop. `predict` computes logits, `precision` chooses a dtype, `formats`
has the versions of all this. Other packages implement `learners.training.trainer.Trainer`. Import from these files
directly.
"""

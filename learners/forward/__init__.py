"""Forward pass: a backbone with a Delta, applied to batches of rows.

Read `bert` first: it is the whole encoder, from top to bottom; `operations` has what encoders are made of, and `change`
the one function by which a learner acts. `deberta_v2` and `modernbert` are the other architectures. `forward` computes
pooled outputs and logits; `weights` puts those of a Delta in the place of those of the backbone. `batches` chooses the
rows of each batch and pads them. `frozen_prefix` and `frozen_layers` handle the first layers that a learner does not
change. `peft_forward` runs modules of peft. `flops` counts FLOPs by the formulas in `products`, `peft_flops` those of a
method of peft. `flops`, `products`, `polynomial`, `frozen_layers` and `frozen_size` need no PyTorch. Import from these
files directly.
"""

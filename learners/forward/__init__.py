"""Forward pass: a backbone with a Delta, applied to batches of rows.

`forward` computes pooled outputs and logits. `batches` chooses the rows of each batch and pads them. `frozen_prefix`
and `layer_range` handle the first layers of the encoder that a learner does not change. `activation_capture` gives
the forms their inputs, `dropout` is a fast dropout. `flops` counts FLOPs by the formulas in `products`, `peft_flops`
those of a method of peft. `frozen_size`, `flops`, `polynomial` and `products` need no PyTorch. Import from these files
directly.
"""

"""Deltas: the tensors that one task adds to the backbone.

`delta` defines the Delta and its file, `stored` reads facts about the file without PyTorch. `layout` gives the names
and shapes of its tensors, `initial` their first values. `prune` removes small scalars, `reparametrise` trains a
prefix through an MLP, `merge` puts a Delta into the weights of the encoder, and `peft_modules` inserts the methods of
the peft library. Import from these files directly.
"""

"""Export: the model of one task as files that other libraries load.

`transformers` writes a checkpoint: of a class of transformers if `classifier` knows one that computes the model, else
of our own class, which is in `modeling`. `modules` puts the modules of a Delta into such a checkpoint. `peft` writes an
adapter of peft, and `peft_base` its base. `readme` describes the files, with a Python program of `snippet` that loads
them. Import from these files directly.
"""

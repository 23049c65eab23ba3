"""Export: the model of one task as files that other libraries load.

`transformers` writes a checkpoint of transformers, `peft` an adapter of peft, `snippet` a Python program that loads
them. Import from these files directly.
"""

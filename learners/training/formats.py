"""Versions of training and evaluation. They are part of all ids, so results of different versions never mix."""

TRAINING_FORMAT = 7  # increase it if the same inputs no longer give the same Delta
EVALUATION_FORMAT = 4  # increase it if the same inputs no longer give the same logits
PACKING_FORMAT = 2  # increase it if this is so in packs only

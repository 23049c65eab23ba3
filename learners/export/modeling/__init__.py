"""Files that an export copies into its folder, for models that no class of transformers computes.

They import torch and transformers only. Nothing else in this package imports them.
"""

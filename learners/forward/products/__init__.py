"""Matrix products of the forward pass by formula: one file per kind of architecture, and no PyTorch.

`bert`, `deberta_v2` and `modernbert` repeat the layers on symbols. `symbolic_pass` has what they share:
weights by role, and the changes of the modifications at each site. `batch` counts a whole batch, with embeddings,
pooler and head. Import from these files directly.
"""

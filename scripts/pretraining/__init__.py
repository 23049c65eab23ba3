"""The parts of `scripts/pretrain_backbone.py`: settings, documents and their corpus, batches, model, objectives."""

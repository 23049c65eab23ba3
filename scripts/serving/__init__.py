"""The parts of `scripts/serve.py`: `limits`, `batcher` (rows of several requests in one pass) and `app` (HTTP)."""

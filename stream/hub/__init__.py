"""Folders to share on the Hugging Face hub: each Delta with a model card, and the results as a data set with a card.

folder.py writes them; model.py loads a shared Delta, models.py those of all tasks. delta_record.py defines config.json,
manifest.py makes it from a run, run_deltas.py for all Deltas of a run. card.py and dataset.py write the cards. From
outside: `SharedModel`, `load_model`, `SharedModels`, `load_models`, and `share` (folder.py).

from stream.hub import load_models
models = load_models("runs/first", learner="adapter:64")
print(models.answers([("cola", "The book was read by the girl."), ("rte", ("It rains.", "It is dry."))]))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stream.hub.model import SharedModel, load_model
    from stream.hub.models import SharedModels, load_models

__all__ = ["SharedModel", "SharedModels", "load_model", "load_models"]


def __getattr__(name: str) -> Any:
    if name in __all__:  # slow to import, and only needed to load models
        from stream.hub import model, models

        return getattr(models, name) if hasattr(models, name) else getattr(model, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

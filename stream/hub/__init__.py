"""Folders to share on the Hugging Face hub: each Delta with a model card, and the results as a data set with a card.

folder.py writes them; model.py loads a shared Delta. delta_record.py defines config.json, manifest.py makes it from a
run. card.py and dataset.py write the cards. From outside: `SharedModel`, `load_model`, and `share` (folder.py).

from stream.hub import load_model
model = load_model("shared/models/lora-8/cola")
print(model.answers(["The book was read by the girl."]))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stream.hub.model import SharedModel, load_model

__all__ = ["SharedModel", "load_model"]


def __getattr__(name: str) -> Any:
    if name in __all__:  # slow to import, and only needed to load a model
        import stream.hub.model

        return getattr(stream.hub.model, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

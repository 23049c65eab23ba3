"""What a run learned, in folders to pass on: a Delta with its model card, and the results as a data set with theirs.

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
    if name in __all__:  # seconds to load, which those who only write folders and help need not wait for
        import stream.hub.model

        return getattr(stream.hub.model, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

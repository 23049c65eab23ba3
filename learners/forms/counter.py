"""PyTorch's count of the FLOPs of matrix products, for what has no formula."""

from __future__ import annotations

from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode


class PytorchCounter(TorchDispatchMode):
    """Counts FLOPs within a `with` block by PyTorch's formulas.

    It does not count per module as `FlopCounterMode` does, which takes longer than the pass of a small model.

    Attributes:
        found: FLOPs so far.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: int = 0
        self._formulas = FlopCounterMode(display=False).flop_registry

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        out = func(*args, **named)
        if (formula := self._formulas.get(func.overloadpacket)) is not None:
            self.found += int(formula(*args, **named, out_val=out))
        return out

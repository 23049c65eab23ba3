"""The inputs of an encoder as one object that behaves like a tensor of rows. Avalanche expects that of a minibatch."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, KeysView, Mapping, Sequence
from typing import Any, overload

import torch
from torch import Tensor


class Inputs:
    """Tensors [B, S] by name; an encoder takes them as `**inputs`. The length is B.

    An index, slice or mask selects rows. `torch.cat` joins rows and pads them to the longest.
    """

    def __init__(self, tensors: Mapping[str, Tensor], fills: Mapping[str, int]) -> None:
        """Makes inputs of tensors.

        Args:
            tensors: Tensors [B, S] by name.
            fills: The padding value of each tensor, by name.
        """
        self.tensors, self.fills = dict(tensors), fills

    def keys(self) -> KeysView[str]:
        return self.tensors.keys()

    def items(self) -> ItemsView[str, Tensor]:
        return self.tensors.items()

    @overload
    def __getitem__(self, chosen: str) -> Tensor: ...
    @overload
    def __getitem__(self, chosen: slice | Tensor) -> Inputs: ...
    def __getitem__(self, chosen: str | slice | Tensor) -> Tensor | Inputs:
        """Returns a tensor by its name, or rows."""
        return self.tensors[chosen] if isinstance(chosen, str) else self._each(lambda tensor: tensor[chosen])

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def shape(self) -> torch.Size:
        return next(iter(self.tensors.values())).shape

    @property
    def device(self) -> torch.device:
        return next(iter(self.tensors.values())).device

    def size(self, dim: int | None = None) -> torch.Size | int:
        return self.shape if dim is None else self.shape[dim]

    def to(self, *where: Any, **how: Any) -> Inputs:
        return self._each(lambda tensor: tensor.to(*where, **how))

    def clone(self) -> Inputs:
        return self._each(Tensor.clone)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Inputs:
        return Inputs({name: change(tensor) for name, tensor in self.tensors.items()}, self.fills)

    @classmethod
    def __torch_function__(
        cls, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """PyTorch calls this if one of its functions gets inputs. Only `torch.cat` along rows is supported."""
        if function is not torch.cat or (dict(kwargs or {}).get("dim", 0), *args[1:]) not in ((0,), (0, 0)):
            return NotImplemented
        return joined(args[0])


def joined(parts: Sequence[Inputs]) -> Inputs:
    """Joins the rows of all parts in order, padded to the longest row."""
    longest, first = max(part.shape[1] for part in parts), parts[0]

    def padded(part: Inputs, name: str) -> Tensor:
        missing = longest - part.shape[1]
        return torch.nn.functional.pad(part[name], (0, missing), value=first.fills[name])

    return Inputs({name: torch.cat([padded(part, name) for part in parts]) for name in first.tensors}, first.fills)

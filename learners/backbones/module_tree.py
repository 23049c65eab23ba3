"""Modules that compute nothing: they only hold other modules or parameters, under the names of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def module_tree(leaves: Mapping[str, nn.Module | nn.Parameter]) -> nn.Module:
    """Returns a module that contains every leaf under its name. Each dot in a name stands for an empty module.

    Args:
        leaves: Name, such as `encoder.layer.0.output.dense.weight` -> parameter, or module without children.
    """
    from torch import nn

    root = nn.Module()
    for name, leaf in leaves.items():
        *above, last = name.split(".")
        holder = root
        for part in above:
            if part not in dict(holder.named_children()):
                holder.add_module(part, nn.Module())
            holder = holder.get_submodule(part)
        setattr(holder, last, leaf)
    return root

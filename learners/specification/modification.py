"""A change of the forward pass: one point of the grid of He et al. (2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from learners.backbones.architecture import Architecture
from learners.backbones.sites import Role, Source, width
from learners.forms import Form, Shapes

Insertion = Literal["sequential", "parallel"]


@dataclass(frozen=True)
class Modification:
    """One point of the grid of He et al. (2022, Table 1): h ← h + s·Δh at one site of every layer.

    Attributes:
        name: Prefix of its tensors' names in a Delta.
        form: Functional form that computes Δh.
        site: Representation h that is modified.
        reads: Input of the form. None: h itself (sequential insertion); a role: that representation (parallel).
        scale: Factor s.
        multiplies: The composition is h ⊙ (1 + s·Δh) instead. For a `Gated` form it is (1 − λ) h + λ Δh.
        shared: Names of the form's tensors that all layers share.
        group: Prefix of the shared tensors, if several modifications share them; "": `name`.
    """

    name: str
    form: Form
    site: Role
    reads: Source | None = None
    scale: float = 1.0
    multiplies: bool = False
    shared: tuple[str, ...] = ()
    group: str = ""

    def shapes(self, architecture: Architecture) -> Shapes:
        """Returns name -> shape of the form's tensors in one layer.

        Raises:
            InputError: The form or the site does not fit the architecture.
        """
        writes = width(architecture, self.site)
        reads = writes if self.reads is None or self.reads == "ffn.normed" else width(architecture, self.reads)
        return self.form.shapes(reads, writes)

    @property
    def insertion(self) -> Insertion:
        return "sequential" if self.reads is None else "parallel"

    def key(self, layer: int, tensor: str) -> str:
        """Returns the name in a Delta of the form's tensor that layer `layer` (from 0) uses."""
        if tensor in self.shared:
            return f"added.{self.group or self.name}.shared.{tensor}"
        return f"added.{self.name}.{layer}.{tensor}"

"""What is added to the forward pass: one point of He et al.'s grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from learners.backbones.architecture import Architecture
from learners.backbones.sites import Role, Source, width
from learners.forms import Form, Shapes

Insertion = Literal["sequential", "parallel"]


@dataclass(frozen=True)
class Modification:
    """One point of He et al.'s grid (2022, Table 1): h ← h + s·Δh at a site of every layer.

    Attributes:
        name: Prefix of its tensors in a Delta.
        form: Functional form of Δh.
        site: The representation h that is modified.
        reads: None inserts sequentially (the form reads h itself); a role inserts in parallel (it reads that).
        scale: s of the composition h + s·Δh.
        multiplies: The composition is h ⊙ (1 + s·Δh) instead. A form that is `Gated` has (1 − λ) h + λ Δh.
        shared: Names of the form's tensors held once for all layers.
        group: Prefix of the shared tensors where modifications have them in common; "": `name`.
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
        """Name and shape of the form's tensors in one layer.

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
        """Name in a Delta of one of the form's tensors as layer `layer` uses it."""
        if tensor in self.shared:
            return f"added.{self.group or self.name}.shared.{tensor}"
        return f"added.{self.name}.{layer}.{tensor}"

"""One forward pass without numbers: the trained tensors, the changes at each site, and the products that they need."""

from __future__ import annotations

from collections.abc import Mapping

from learners.backbones.architecture import Architecture, parameter_shapes
from learners.backbones.sites import FED_BY, Role, weight_parameters
from learners.delta.layout import delta_shapes
from learners.forms import Gated, Products, Symbol, SymbolicReading, change_products, elementwise, gate_products
from learners.specification.learner import Learner


class SymbolicPass:
    """One forward pass of a backbone with a Delta.

    Attributes:
        architecture: Architecture of the backbone.
        tensors: Tensors of the Delta and weights of the backbone (`backbone.*`), by name.
        products: Counts the products.
        states: The last value of each representation, by role: those of the layer that runs.

    Args:
        outputs: Width of the head, C.
        backward: Whether a backward pass follows.
        frozen: Names of the tensors of the Delta that are not trained.

    Raises:
        InputError: The learner cannot apply to this architecture.
    """

    def __init__(
        self, architecture: Architecture, learner: Learner, outputs: int, backward: bool, frozen: frozenset[str]
    ) -> None:
        self.architecture, self.products = architecture, Products()
        trained = delta_shapes(learner, architecture, outputs)
        learns = {name.replace("difference.", "backbone.", 1) for name in trained if backward and name not in frozen}
        shapes = {f"backbone.{name}": shape for name, shape in parameter_shapes(architecture).items()} | trained
        self.tensors: Mapping[str, Symbol] = {name: Symbol(shape, name in learns) for name, shape in shapes.items()}
        self.states: dict[Role, Symbol] = {}
        self._changes = [(m, tuple(m.shapes(architecture))) for m in learner.modifications]

    def weights(self, *names: str) -> list[Symbol]:
        """Weights of the backbone, by name."""
        return [self.tensors[f"backbone.{name}"] for name in names]

    def linear(self, role: Role, layer: int, x: Symbol) -> Symbol:
        """The matrix whose output has this role, applied to x [.., in], and the changes at this site."""
        own = self.weights(*weight_parameters(self.architecture, role, layer))
        return self.changed(role, layer, self.products.linear(x, *own), fed=x)

    def norm(self, role: Role, layer: int, x: Symbol, *residual: Symbol) -> Symbol:
        """The norm with this role of a sum, and the changes at this site."""
        own = self.weights(*weight_parameters(self.architecture, role, layer))
        return self.changed(role, layer, elementwise(x, *residual, *own))

    def attended(self, query: Symbol, key: Symbol, value: Symbol, *further: Symbol) -> Symbol:
        """softmax(q kᵀ/√d_h + further scores) v in each head, for [B, S, d]; and the changes of the heads' outputs."""
        heads = self.architecture.heads
        scores = elementwise(self.products.scores(query, key, heads), *further)  # [B, N_h, S, S]
        return self.products.matmul(scores, value.by_head(heads)).joined

    def changed(self, role: Role, layer: int, h: Symbol, fed: Symbol | None = None) -> Symbol:
        """h after the changes at this site, [B, S, width].

        Args:
            fed: Input of the matrix whose output is h. Default: None, h is no such output.
        """
        for modification, names in self._changes:
            if modification.site != role:
                continue
            form, reads = modification.form, modification.reads
            if reads is None:
                x = h
            elif reads == "ffn.normed":
                own = self.weights(*weight_parameters(self.architecture, "ffn.norm", layer))
                x = elementwise(h, self.states["ffn.input"], *own)
            else:
                x = fed if fed is not None and reads == FED_BY.get(role) else self.states[reads]
            tensors = {name: self.tensors[modification.key(layer, name)] for name in names}
            reading = SymbolicReading(x, self.architecture.heads, self._log_mass)
            change = change_products(form, tensors, reading, self.products)
            gate = [gate_products(form, tensors, reading, self.products)] if isinstance(form, Gated) else []
            h = elementwise(h, change, *gate)
        self.states[role] = h
        return h

    def _log_mass(self) -> Symbol:
        """log Σ_j exp(q·k_j/√d_h + M_j) of the attention of this layer, [B, S, N_h]."""
        query, key = self.states["attention.query"], self.states["attention.key"]
        scores = self.products.scores(query, key, self.architecture.heads)
        return Symbol((*query.shape[:-1], self.architecture.heads), scores.learns)

"""Learners on the four axes of He et al. (2022, Table 1): form, insertion, modified representation, composition."""

from __future__ import annotations

from dataclasses import dataclass

from learners.forms import Gated
from learners.specification.learner import Learner
from learners.specification.modification import Modification
from learners.specification.tuned import Tuned


@dataclass(frozen=True)
class Axes:
    """One change that a learner makes, described in words.

    Attributes:
        form: How Δh is computed.
        insertion: `sequential` if the form reads the representation that it modifies; else `parallel`, with its input.
        representation: Which representation is modified.
        composition: How the representation and Δh are combined.
    """

    form: str
    insertion: str
    representation: str
    composition: str


def axes(learner: Learner) -> tuple[Axes, ...]:
    """Returns every change of a learner. Sites with the same form, insertion and composition share one entry."""
    rows = [_tuned(learner.tuned)] if learner.tuned != Tuned() else []
    if learner.difference:
        kept = "" if learner.pruning is None else f", pruned to a share of {learner.pruning.target:g}"
        rows.append(Axes(f"sparse difference z ⊙ w{kept}", "–", "all weights", "θ + Δθ"))
    if learner.trainer_config:
        rows.append(Axes(f"trained by {learner.trainer}: {learner.trainer_config}", "–", "–", "–"))
    if learner.text_model is not None:
        rows.append(Axes(f"models of scikit-learn: {', '.join(learner.text_model.pipelines)}", "–", "texts", "–"))
    if learner.peft:
        rows.append(Axes(f"defined by peft: {learner.peft}", "–", "–", "–"))
    if learner.prompt:
        rows.append(Axes(f"{learner.prompt} learned vectors", "before the words", "input", "concatenated"))
    if learner.layers_read > 1:
        top = f"outputs of the top {learner.layers_read} layers"
        rows.append(Axes("none", "–", top, "concatenated, input of the head"))
    sites: dict[tuple[str, str, str], list[str]] = {}
    for modification in learner.modifications:
        key = modification.form.formula, _insertion(modification), composition(modification)
        sites.setdefault(key, []).append(modification.site)
    rows += [Axes(form, how, ", ".join(where), comes) for (form, how, comes), where in sites.items()]
    return tuple(rows)


def composition(modification: Modification) -> str:
    """Returns the formula that combines h and Δh into the new h."""
    if isinstance(modification.form, Gated):
        return "(1 − λ) h + λ Δh"
    s = "" if modification.scale == 1 else f"{modification.scale:g} "
    return f"h ⊙ (1 + {s}Δh)" if modification.multiplies else f"h + {s}Δh"


def _insertion(modification: Modification) -> str:
    if modification.reads is None:
        return "sequential"
    part = "input" if modification.reads.endswith(".input") else modification.reads
    return f"parallel, x = {part}"


def _tuned(tuned: Tuned) -> Axes:
    """Describes the tuned backbone weights: a Delta holds new values for them."""
    parts = [
        "all weights" if tuned.all else "",
        f"top {tuned.top_layers} layers" if tuned.top_layers else "",
        {"none": "", "ffn": "norm after the FFN", "layers": "norms of the layers"}[tuned.norms],
        "embedding norm" if tuned.embedding_norm else "",
        "pooler" if tuned.pooler else "",
        {"none": "", "all": "all biases", "layers": "biases of the layers", "q-m2": "biases b_q, b_m2"}[tuned.biases],
        "bias of the pooler" if tuned.pooler_bias else "",
    ]
    return Axes("new values", "–", ", ".join(part for part in parts if part), "θ + Δθ")

"""Every method of the grid as what it does to an encoder written out plainly: an independent reference.

Each overrides the lines that it changes, in the form its paper gives it, which is often not the one of the package:
LoRA adds to the weights, prefix tuning sets keys and values before the others, Compacter multiplies out its matrices.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from learners.backbones.backbone import Backbone
from learners.methods.vera import projections
from learners.specification.family import families, parse_learner
from learners.specification.option import option_text
from tests.learners.plain_encoder import FUNCTIONS, Encoder, standardised


def bottleneck(x: Tensor, own: Mapping[str, Tensor], activation: str) -> Tensor:
    """g(x W₁ + b₁) W₂ + b₂."""
    hidden = FUNCTIONS[activation](x @ own["down.weight"].T + own["down.bias"])
    return hidden @ own["up.weight"].T + own["up.bias"]


class Adapter(Encoder):
    """Houlsby et al. 2019, Figure 2, and what section 3.6 tried beside."""

    def adapted(self, h: Tensor, entered: Tensor, place: str) -> Tensor:
        own, options = self.own(f"adapter.{place}"), self.options["adapter"]
        if not own:
            return h
        g = FUNCTIONS[options["activation"]]
        x = entered if options["insertion"] == "parallel" else h
        if options["inner_norm"] == "input":
            x = standardised(x, 1e-5) * own["norm.weight"] + own["norm.bias"]
        x = x @ own["down.weight"].T + own["down.bias"]
        if options["inner_norm"] == "bottleneck":
            x = standardised(x, 1e-5) * own["norm.weight"] + own["norm.bias"]
        x = g(x)
        for k in range(1, int(options["depth"]) - 1):
            x = g(x @ own[f"middle{k}.weight"].T + own[f"middle{k}.bias"])
        x = x @ own["up.weight"].T + own["up.bias"]
        return h * (1 + x) if options["composition"] == "multiply" else h + x

    def attention(self, x: Tensor, mask: Tensor, layer: int) -> Tensor:
        return self.adapted(super().attention(x, mask, layer), x, f"attention.{layer}")

    def ffn(self, y: Tensor, layer: int) -> Tensor:
        return self.adapted(super().ffn(y, layer), y, f"ffn.{layer}")


class Pfeiffer(Encoder):
    """After the FFN's norm; or as AdapterHub's `seq_bn`, whose norm is taken twice."""

    def closed(self, y: Tensor, h: Tensor, layer: int) -> Tensor:
        z, own, options = super().closed(y, h, layer), self.own(f"pfeiffer.{layer}"), self.options["pfeiffer"]
        change = bottleneck(z, own, options["activation"])
        return z + change if options["wiring"] == "paper" else super().closed(y, change + h, layer)


class Parallel(Encoder):
    """He et al. 2022, Figure 3: reads what the sub-layer reads; beside attention it joins the heads, before W_o, or the
    output after it."""

    def beside(self, h: Tensor, entered: Tensor, place: str) -> Tensor:
        own = self.own(f"parallel.{place}")
        if not own:
            return h
        if "norm.weight" in own:
            entered = standardised(entered, 1e-5) * own["norm.weight"] + own["norm.bias"]
        scale = float(self.options["parallel" if "parallel" in self.options else "mam"]["scale"])
        return h + own.get("scale", 1.0) * scale * bottleneck(entered, own, "relu")

    def heads(self, x: Tensor, mask: Tensor, layer: int) -> Tensor:
        return self.beside(super().heads(x, mask, layer), x, f"attention.{layer}")

    def attention(self, x: Tensor, mask: Tensor, layer: int) -> Tensor:
        return self.beside(super().attention(x, mask, layer), x, f"attention-output.{layer}")

    def ffn(self, y: Tensor, layer: int) -> Tensor:
        return self.beside(super().ffn(y, layer), y, f"ffn.{layer}")


class AdapterBias(Encoder):
    """h + (w·u + c) v; a tensor is the layer's own, or shared by all."""

    def ffn(self, y: Tensor, layer: int) -> Tensor:
        own, u = self.own("adapterbias.shared") | self.own(f"adapterbias.{layer}"), self.inner(y, layer)
        alpha = (u * own["alpha.weight"][0]).sum(-1, keepdim=True) + own["alpha.bias"]
        return super().ffn(y, layer) + alpha * own["vector"]


LORA_ROLES = {"attention.query": "query", "attention.key": "key", "attention.value": "value", "attention.wo": "wo",
              "ffn.w1": "w1", "ffn.w2": "w2"}  # fmt: skip


class Lora(Encoder):
    """Hu et al. 2022: W + (α/r) B A, added to the weights."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        options = self.options["lora" if "lora" in self.options else "lora-ffn"]
        for site, role in LORA_ROLES.items():
            for layer in range(self.a.layers):
                own, weight = self.own(f"lora.{site}.{layer}"), f"{self.name(role, layer)}.weight"
                if own:
                    scale = own.get("scale", 1.0) * float(options["alpha"]) / int(options["rank"])
                    self.w[weight] = self.w[weight] + scale * own["B"] @ own["A"]


class Vera(Encoder):
    """Kopiczko et al. 2024: W + diag(b) B diag(d) A, A and B the same random ones wherever shapes are."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        key, rank = (int(self.options["vera"][name]) for name in ("key", "rank"))
        for site, role in LORA_ROLES.items():
            for layer in range(self.a.layers):
                own, name = self.own(f"vera.{site}.{layer}"), f"{self.name(role, layer)}.weight"
                if own:
                    writes, reads = self.w[name].shape
                    down, up = projections(key, rank, reads, writes)
                    self.w[name] = self.w[name] + torch.diag(own["b"]) @ up @ torch.diag(own["d"]) @ down


class Prefix(Encoder):
    """Li and Liang 2021: [P_k; K] and [P_v; V], which nothing masks; without the gate, attention to them apart."""

    def attended(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor, layer: int) -> Tensor:
        plain = super().attended(q, k, v, mask, layer)
        own = {
            name: self.split(table).expand(len(q), -1, -1, -1) for name, table in self.own(f"prefix.{layer}").items()
        }
        places = mask.new_ones(len(q), own["keys"].shape[2])
        if self.options.get("prefix", {}).get("gate") == "no":
            return plain + super().attended(q, own["keys"], own["values"], places, layer)
        mask = torch.cat([places, mask], dim=1)
        k, v = torch.cat([own["keys"], k], dim=2), torch.cat([own["values"], v], dim=2)
        return super().attended(q, k, v, mask, layer)


class Mam(Prefix, Parallel):
    """He et al. 2022, section 4.6."""


class MultiHead(Encoder):
    """He et al. 2022, section 4.4: in each head beside attention, ReLU for softmax, no gate."""

    def attended(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor, layer: int) -> Tensor:
        own = self.own(f"mhpa.{layer}")
        scores = q @ self.split(own["keys"]).mT / math.sqrt(q.shape[-1])
        return super().attended(q, k, v, mask, layer) + scores.clamp(min=0) @ self.split(own["values"])


class Ia3(Encoder):
    """Liu et al. 2022: l_k ⊙ K, l_v ⊙ V, l_ff ⊙ γ(W₁ y)."""

    def projected(self, x: Tensor, part: str, layer: int) -> Tensor:
        plain = super().projected(x, part, layer)
        return plain if part == "query" else plain * self.own(f"ia3.attention.{part}.{layer}")["factor"]

    def inner(self, y: Tensor, layer: int) -> Tensor:
        return super().inner(y, layer) * self.own(f"ia3.ffn.intermediate.{layer}")["factor"]


class Compacter(Encoder):
    """Karimi Mahabadi et al. 2021: adapters whose matrices are sums of Kronecker products, one A_i for all."""

    def adapted(self, h: Tensor, place: str) -> Tensor:
        own, rule = self.own(f"compacter.{place}"), self.own("compacter.shared")["rule"]
        if not own:
            return h
        down, up = (
            sum(torch.kron(a, torch.outer(s, t)) for a, s, t in zip(rule, own[f"{p}.s"], own[f"{p}.t"], strict=True))
            for p in ("down", "up")
        )
        return h + bottleneck(h, own | {"down.weight": down, "up.weight": up}, "gelu")

    def attention(self, x: Tensor, mask: Tensor, layer: int) -> Tensor:
        return self.adapted(super().attention(x, mask, layer), f"attention.{layer}")

    def ffn(self, y: Tensor, layer: int) -> Tensor:
        return self.adapted(super().ffn(y, layer), f"ffn.{layer}")


class Prompt(Encoder):
    """Lester et al. 2021: learned vectors before those of the words. The head reads the words' places alone."""

    def words(self, ids: Tensor) -> Tensor:
        prompt = self.own("prompt")["embeddings"]
        return torch.cat([prompt.expand(len(ids), -1, -1), super().words(ids)], dim=1)

    def read(self, states: Sequence[Tensor], mask: Tensor) -> Tensor:
        length = int(self.options["prompt"]["length"])
        return super().read([state[:, length:] for state in states], mask[:, length:])


class Difference(Encoder):
    """Guo et al. 2021: θ + w."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.w = {name: weight + self.tensors[f"difference.{name}"] for name, weight in self.w.items()}


class Feature(Encoder):
    """Devlin et al. 2019, section 5.3: the last k layers side by side, without the pooler."""

    def read(self, states: Sequence[Tensor], mask: Tensor) -> Tensor:
        last = states[-int(self.options["feature"]["layers"]) :]
        return torch.cat([self.pool(state, mask) for state in last], dim=-1)


METHODS: Mapping[str, type[Encoder]] = {
    "adapter": Adapter, "adapterbias": AdapterBias, "bitfit": Encoder, "compacter": Compacter,
    "diffpruning": Difference, "feature": Feature, "full": Encoder, "head": Encoder, "ia3": Ia3, "layernorm": Encoder,
    "lora": Lora, "lora-ffn": Lora, "mam": Mam, "mhpa": MultiHead, "parallel": Parallel, "pfeiffer": Pfeiffer,
    "prefix": Prefix, "prompt": Prompt, "topk": Encoder, "vera": Vera,
}  # fmt: skip


def written_out(
    base: Backbone, specification: str, tensors: Mapping[str, Tensor], batch: Mapping[str, Tensor]
) -> Tensor:
    """Pooled output [B, d] of the backbone under the learner's tensors, by this file alone."""
    options: dict[str, dict[str, str]] = {}
    for part in parse_learner(specification).name.split("+"):
        family, *rest = part.split(":")  # a name gives the options that are not at their defaults
        defaults = {option.name: option_text(option.default) for option in families()[family].options}
        options[family] = defaults | dict(option.split("=") for option in rest)
    changing = dict.fromkeys(METHODS[family] for family in options if METHODS[family] is not Encoder)
    encoder: type[Encoder] = type("WrittenOut", (*reversed(changing), Encoder), {})  # the last has the last word
    return encoder(base, tensors, options)(batch)

"""A short Python program that loads the exported model of one task and computes logits of texts."""

from __future__ import annotations

from dataclasses import dataclass

from learners.backbones.backbone import Backbone

HEAD = "head.safetensors"  # `weight` [C, d] and `bias` [C], if the model's own files cannot hold them


@dataclass(frozen=True)
class Loading:
    """How a program loads an exported model.

    Attributes:
        lines: Lines of Python. They define `model` for a classifier, `encoder` otherwise, and both for an adapter.
        imports: The names that these lines import from transformers.
        classifies: Whether the model itself gives logits.
        adapter: Whether the model is an adapter of peft. Default: no.
        prompt: Number of prompt vectors, which peft's model holds. Default: 0.
        backbone: Name of the encoder that an adapter needs. Default: "", for a complete model.
    """

    lines: tuple[str, ...]
    imports: str
    classifies: bool
    adapter: bool = False
    prompt: int = 0
    backbone: str = ""


def usage(backbone: Backbone, loading: Loading) -> str:
    """The program. It sets `folder`, `backbone`, `texts` and `texts_b` in the first paragraph after the imports."""
    own_head = [] if loading.classifies else ["from safetensors.torch import load_file"]
    answer = ["logits = model(**rows).logits"] if loading.classifies else _with(backbone, loading)
    lines = [
        "import torch",
        *(["from peft import PeftModel"] if loading.adapter else []),
        *own_head,
        f"from transformers import {loading.imports}, AutoTokenizer",
        "",
        'folder = "."',
        *([f"backbone = {loading.backbone!r}  # hub id or folder of the encoder"] if loading.adapter else []),
        'texts, texts_b = ["..."], None  # texts_b: the second texts of pairs',
        "",
        "tokenizer = AutoTokenizer.from_pretrained(folder)",
        *loading.lines,
        *(['head = load_file(f"{folder}/' + HEAD + '")'] if own_head else []),
        'rows = tokenizer(texts, texts_b, truncation=True, padding=True, return_tensors="pt")',
        "with torch.inference_mode():",
        *(f"    {line}" for line in answer),
    ]
    return "\n".join(lines)


def _with(backbone: Backbone, loading: Loading) -> list[str]:
    """Lines that compute logits of rows with an encoder, pooling and a separate head."""
    prompt = loading.prompt
    before = [
        'words = encoder.get_input_embeddings()(rows.pop("input_ids"))',
        'rows["inputs_embeds"] = torch.cat([model.get_prompt(len(texts)), words], dim=1)',
        'for name in {"attention_mask", "token_type_ids"} & set(rows):',
        f'    rows[name] = torch.nn.functional.pad(rows[name], ({prompt}, 0), value=int(name == "attention_mask"))',
    ]
    after = f"[:, {prompt}:]" if prompt else ""
    if backbone.pooling == "mean":
        pool = [f'mask = rows["attention_mask"]{after}.unsqueeze(-1)', "pooled = (hidden * mask).sum(1) / mask.sum(1)"]
    else:
        pool = [f"pooled = {'encoder.pooler(hidden)' if backbone.architecture.pooler else 'hidden[:, 0]'}"]
    return [
        *(before if prompt else []),
        f"hidden = encoder(**rows).last_hidden_state{after}",
        *pool,
        'logits = torch.nn.functional.linear(pooled, head["weight"], head["bias"])',
    ]

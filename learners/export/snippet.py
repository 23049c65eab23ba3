"""A short Python program that loads the exported model of one task, computes logits of texts, and answers."""

from __future__ import annotations

from dataclasses import dataclass

from learners.backbones.backbone import Backbone
from tasks.task import Kind

HEAD = "head.safetensors"  # `weight` [C, d] and `bias` [C], if the model's own files cannot hold them


@dataclass(frozen=True)
class Loading:
    """How a program loads an exported model.

    Attributes:
        imports: Lines that import what `lines` need from other libraries than transformers.
        names: Names that `lines` need from transformers.
        lines: Lines of Python. They define `model`, which gives logits or, if it is no classifier, a prompt. Then they
            also define `encoder`.
        classifies: Whether the model itself gives logits.
        about: What the files are, and what they need, in sentences.
        pipeline: Arguments with which `pipeline` of transformers loads the model; "" if it does not classify.
        prompt: Number of prompt vectors, which the model of peft holds. Default: 0.
        remote_code: Whether it needs `trust_remote_code=True`. Default: no.
    """

    imports: tuple[str, ...]
    names: tuple[str, ...]
    lines: tuple[str, ...]
    classifies: bool
    about: str
    pipeline: str = ""
    prompt: int = 0
    remote_code: bool = False


def usage(backbone: Backbone, loading: Loading, kind: Kind) -> str:
    """The program. It sets `folder` and the texts in the first paragraph after the imports."""
    names = [*loading.names, "AutoTokenizer", *(["pipeline"] if loading.classifies else [])]
    imports = ["import torch", f"from transformers import {', '.join(names)}", *loading.imports]
    imports += [] if loading.classifies else ["from safetensors.torch import load_file"]
    texts = {
        "single": 'texts = ["..."]',
        "pair": 'texts, texts_b = ["..."], ["..."]  # the first and the second texts of pairs',
        "regression": 'texts, texts_b = ["..."], None  # texts_b: the second texts of pairs',
    }[kind]
    given = "texts" if kind == "single" else "texts, texts_b"
    lines = [
        *sorted(imports, key=lambda line: (line.startswith("from"), line)),
        "",
        'folder = "."',
        texts,
        "",
        f"tokenizer = AutoTokenizer.from_pretrained(folder{', trust_remote_code=True' if loading.remote_code else ''})",
        *loading.lines,
        *([] if loading.classifies else ['head = load_file(f"{folder}/' + HEAD + '")']),
        f'rows = tokenizer({given}, truncation=True, padding=True, return_tensors="pt")',
        "with torch.inference_mode():",
        *([] if loading.classifies else [f"    {line}" for line in _pooled(backbone, loading.prompt)]),
        *(["    logits = model(**rows).logits"] if loading.classifies else []),
        *(_answers(loading.pipeline, kind) if loading.classifies else []),
    ]
    return "\n".join(lines)


def _answers(arguments: str, kind: Kind) -> list[str]:
    """Lines that give label and probability of each text, or its score for a regression."""
    rows = {
        "single": "texts",
        "pair": '[{"text": a, "text_pair": b} for a, b in zip(texts, texts_b)]',
        "regression": '[{"text": a, "text_pair": b} for a, b in zip(texts, texts_b or [None] * len(texts))]',
    }[kind]
    return [
        "",
        f'classify = pipeline("text-classification", {arguments})',
        f"answers = classify({rows}, truncation=True)",
    ]


def _pooled(backbone: Backbone, prompt: int) -> list[str]:
    """Lines that compute logits of rows with an encoder, pooling and a separate head."""
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

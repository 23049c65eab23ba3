"""A program of a few lines that gives the logits of texts from the files of one task's model."""

from __future__ import annotations

from dataclasses import dataclass

from learners.backbones.backbone import Backbone

HEAD = "head.safetensors"  # `weight` [C, d] and `bias` [C], where the model's own files have no place for them


@dataclass(frozen=True)
class Loading:
    """How a model is loaded.

    Attributes:
        lines: Of Python; they make `model`, and `encoder` where that is not a classifier.
        imports: What they need of transformers.
        classifies: Whether the model itself gives logits.
        adapter: Whether the model is one of peft.
        prompt: Vectors that peft's model holds, before the words of each row.
        backbone: What the encoder is called that an adapter belongs to.
    """

    lines: tuple[str, ...]
    imports: str
    classifies: bool
    adapter: bool = False
    prompt: int = 0
    backbone: str = ""


def usage(backbone: Backbone, loading: Loading) -> str:
    """The program; `folder`, `backbone`, `texts` and `texts_b` are set in its first paragraph after the imports."""
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
    """From rows to logits through an encoder, pooling and a head."""
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

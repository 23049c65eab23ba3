"""Any method of the peft library as a learner, given by its configuration."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec

from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training
from learners.specification.notation import read_object, written
from learners.specification.option import Option

DEFAULT = "{peft_type=LORA,target_modules=[query,value,q_lin,v_lin,query_proj,value_proj,Wqkv]}"


def config(text: str) -> str:
    """Returns the canonical text of a configuration.

    Raises:
        ValueError: The text is not a JSON object with a peft_type, or it cannot be part of a folder's name.
    """
    if not text.isascii() or not text.isprintable() or "/" in text:
        raise ValueError("printable ASCII without /, as it names a folder")
    settings = read_object(text)
    if not isinstance(settings.get("peft_type"), str):
        raise ValueError("a JSON object with a peft_type, such as {peft_type=LORA,r=8}")
    return written({**settings, "peft_type": settings["peft_type"].upper()})


FAMILY = Family(
    name="peft",
    title="a method of the peft library",
    summary="Trains a method of the peft library in the encoder. The configuration is written in JSON, or with = for : "
    "and without quotes. Frozen random tensors of peft come from a fixed seed and are not stored.",
    citation="Mangrulkar et al. 2022, PEFT; the documentation of peft names the paper of each method",
    # The rate that `lora` had before 6e-3: most methods of peft resemble it. With the default configuration, of 6e-4,
    # 2e-3, 6e-3 and 2e-2 none is better beyond chance on validation rows of the embedded backbone, then of four layers
    # (6e-3: +1.7 ±1.9 points): scripts/experiments/RATES.md
    training=Training(learning_rate=2e-3),
    options=(
        Option("config", config, config(DEFAULT), "configuration of a peft method; requires the extra peft"),
        SHARING,
    ),
    positional=("config", "sharing"),
    examples=("peft:{peft_type=LORA,r=4,target_modules=[query,value,q_lin,v_lin]}",),
    build=lambda options, training: Learner(
        name="",
        family="peft",
        training=training,
        peft=options["config"],
        library=f"peft {version('peft') if find_spec('peft') else 'not installed'}",
        sharing=options["sharing"],
    ),
)

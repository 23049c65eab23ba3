"""Strategies of the Avalanche library as a learner: the names of the strategies and their arguments.

This file does not import Avalanche: `stream.avalanche.strategy` finds the classes and checks the arguments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from learners.methods.full import FAMILY as FULL
from learners.specification.family import Family
from learners.specification.learner import Learner, Training
from learners.specification.notation import read_object, written
from learners.specification.option import Option
from learners.specification.tuned import Tuned

# Short names of classes.
NAMES = {
    "naive": "Naive",
    "ewc": "EWCPlugin",
    "lwf": "LwFPlugin",
    "replay": "ReplayPlugin",
    "agem": "AGEMPlugin",
    "gdumb": "GDumbPlugin",
    "cumulative": "Cumulative",
    "joint": "JointTraining",
}
# Avalanche's defaults, written out. Two arguments have none: λ of EWC is that of Avalanche's examples/ewc_mnist.py, and
# the memory of A-GEM is that of its continual-learning-baselines (agem_pmnist.py, after Chaudhry et al. 2019).
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "ewc": {"ewc_lambda": 0.4},
    "lwf": {"alpha": 1, "temperature": 2},
    "replay": {"mem_size": 200},
    "agem": {"patterns_per_experience": 250, "sample_size": 256},
    "gdumb": {"mem_size": 200},
}


def config(text: str) -> str:
    """Returns the canonical text of strategies and plugins with their arguments.

    Args:
        text: A name, such as `ewc`, or names with arguments, such as `{ewc={ewc_lambda=1},replay={}}`.

    Raises:
        ValueError: The text is neither of these, or it cannot be part of a folder's name.
    """
    expected = "the name of a strategy or plugin of avalanche, or {NAME={ARGUMENT=VALUE}}"
    if not text.isascii() or not text.isprintable() or "/" in text:
        raise ValueError(expected)
    if re.fullmatch(r"[A-Za-z_]\w*", text):
        text = "{" + text + "={}}"
    short = {name: key for key, name in NAMES.items()}
    found = {short.get(name, name): given for name, given in read_object(text).items()}
    if not found or not all(isinstance(given, dict) for given in found.values()):
        raise ValueError(expected)
    return written({name: {**DEFAULTS.get(name, {}), **given} for name, given in found.items()})


def with_arguments(text: str, given: Mapping[str, str]) -> str:
    """Adds arguments to a configuration of one class, as in `avalanche:ewc:ewc_lambda=1`.

    Raises:
        ValueError: The configuration has several classes, or a value cannot be read.
    """
    (name, known), *others = read_object(text).items()
    if others:
        raise ValueError(f"arguments in the braces of one of {', '.join(read_object(text))}")
    return config(written({name: {**known, **{k: read_object(f"{{value={v}}}")["value"] for k, v in given.items()}}}))


JOINT = config("joint")  # joint training without further plugins


def needs_full_stream(text: str) -> bool:
    """Whether a strategy with this configuration learns all tasks at the first arrival."""
    return "joint" in read_object(text)


def _version() -> str:
    try:
        return version("avalanche-lib")
    except PackageNotFoundError:
        return "not installed"


FAMILY = Family(
    name="avalanche",
    title="a strategy of the Avalanche library",
    summary="Trains all weights in one shared copy, like full:sequential, with a strategy or plugins of Avalanche: "
    f"{', '.join(NAMES)}, or any class by its name. The state of a strategy beside the model (stored examples, weight "
    "importances, an old model) counts as bytes. joint trains on all tasks of the stream at the first arrival and "
    "never again. cumulative trains on all tasks so far. Both keep the epoch with the best score over these tasks. "
    "Plugins that track every update, such as SynapticIntelligencePlugin, train all epochs and keep the last one. "
    "Other plugins keep the best epoch, as all learners do. All strategies use the random numbers of full:sequential; "
    "naive is identical to full:sequential, bit for bit.",
    citation="Lomonaco et al. 2021, Avalanche; Carta et al. 2023; EWC: Kirkpatrick et al. 2017; LwF: Li and Hoiem "
    "2016; A-GEM: Chaudhry et al. 2019; GDumb: Prabhu et al. 2020",
    training=FULL.training,  # the same weights, the same rate
    options=(
        Option(
            "config",
            config,
            config("naive"),
            "a name, followed by its arguments as key=value; or {NAME={KEY=VALUE},...} for several plugins",
        ),
    ),
    positional=("config",),
    examples=(
        "avalanche:ewc:ewc_lambda=0.4",
        "avalanche:lwf",
        "avalanche:replay:mem_size=500",
        "avalanche:SynapticIntelligencePlugin:si_lambda=0.1",
        "avalanche:{replay={mem_size=100},ewc={ewc_lambda=1}}",
    ),
    unshared="a strategy trains one model for all tasks",
    gather=with_arguments,
    build=lambda options, training: _learner(options["config"], training),
)


def _learner(text: str, training: Training) -> Learner:
    return Learner(
        name="",
        family="avalanche",
        training=training,
        tuned=Tuned(all=True),
        sharing="sequential",
        library=f"avalanche-lib {_version()}",
        trainer="avalanche",
        trainer_config=text,
        draws_as="full:sharing=sequential",  # equal random numbers: all differences come from the strategy
    )

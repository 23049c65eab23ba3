"""`cost`: the parameter counts of learners, from the backbone's config alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.errors import checks_arguments
from tasks.errors import InputError, InputErrors

if TYPE_CHECKING:  # importing these takes seconds
    from learners.backbones.architecture import Architecture
    from learners.backbones.backbone import Backbone
    from learners.specification.family import Family
    from learners.specification.learner import Learner
    from stream.results.growth import CostDocument


@checks_arguments
def cost(
    *,
    backbone: str | Path | Backbone = "embedded",
    suite: str | Sequence[str] = "houlsby26",
    learners: str | Learner | Family | Sequence[str | Learner | Family] = (
        "full:isolated,full:sequential,topk:2,layernorm,adapter:64,adapterbias:share=alpha,head"
    ),
    chosen: str | Mapping[str, str | int] | None = None,
    plugins: str | Path | Sequence[str | Path] = (),
) -> CostDocument:
    """Count the parameters of learners on a backbone after all tasks of a suite. Needs no weights, data or network.

        cost(backbone="bert-large-uncased", suite="glue9", learners="adapter:64")["learners"]["adapter:64"]["growth"]

    Args:
        backbone: A name (see `taskstream list backbones`), a folder that has config.json, or a loaded backbone.
            Default: embedded.
        suite: A suite or a list of task names. It gives the number of tasks and the number of outputs of each head.
            Default: houlsby26.
        learners: A text with commas, or a list of texts and learners. Default: the default of `run`.
        chosen: The alternative that each task keeps, for the one learner that has some: task -> value or specification,
            {"cola": 8, "sst2": "adapter:64"}, or the text "cola=8,sst2=64"; for every task of the suite. Default: none,
            then the numbers of such a learner are lists [least, most].
        plugins: Files that define your own learners. They are executed. Default: none.

    Returns:
        The document of `taskstream cost --display json`: for each learner `parameters_per_task`, `head_parameters` by
        task, `growth` and `growth_without_heads` (multiples of the backbone), `share_of_model`, `share_of_encoder`.
        With `chosen`, numbers per task are means, and `chosen` has the specification of each task.

    Raises:
        InputError: Unknown names, a learner that does not fit this backbone, or a choice that is none.
    """
    from learners.specification.family import parse_learners
    from stream.api.readers import READERS
    from stream.plugins.load import load_plugins
    from stream.results.cost_document import account
    from tasks.sources.simulated.fresh import draw_names, fresh_task
    from tasks.suite import TASKS, resolve_suite

    given: dict[str, object] = {"suite": suite, "learners": learners}
    texts: dict[str, str] = {}
    errors: list[InputError] = []
    for name, value in given.items():
        try:
            read = READERS[name](name, value)
            texts[name] = ",".join(read) if isinstance(read, list) else str(read)
        except InputError as error:
            errors += error.errors
    try:
        choice = None if chosen is None else read_chosen(chosen)
    except InputError as error:
        errors += error.errors
    try:
        files: Any = READERS["plugins"]("plugins", plugins)
    except InputError as error:
        errors += error.errors
    try:
        name, architecture = architecture_of(backbone)
    except InputError as error:
        errors += error.errors
    if errors:
        raise InputErrors(errors)
    _, names = resolve_suite(texts["suite"], draw=draw_names)
    outputs = {task: (TASKS[task] if task in TASKS else fresh_task(task).task).outputs for task in names}
    with load_plugins(files).in_use():
        return account(name, architecture, parse_learners(texts["learners"]), outputs, choice)


def read_chosen(chosen: str | Mapping[str, str | int]) -> dict[str, str]:
    """Choices as task -> text, from a mapping or from TASK=ALTERNATIVE with commas between them.

    Raises:
        InputErrors: Everything in it that is no such pair, and tasks that are named twice.
    """
    from learners.specification.notation import parts
    from tasks.suite import known_name

    if isinstance(chosen, str):
        pairs = [(task, value) for task, _, value in (part.strip().partition("=") for part in parts(chosen, ","))]
    elif isinstance(chosen, Mapping):
        pairs = [(str(task), "" if isinstance(value, bool) else str(value)) for task, value in chosen.items()]
    else:
        raise InputError("bad choices", where="--chosen", expected="task -> alternative", found=repr(chosen)[:80])
    found: dict[str, str] = {}
    errors = []
    for task, value in ((known_name(task.strip()), value.strip()) for task, value in pairs):
        if not task or not value:
            expected = "TASK=ALTERNATIVE, for example cola=8"
            errors.append(InputError("no choice", where="--chosen", expected=expected, found=repr(f"{task}={value}")))
        elif task in found:
            errors.append(InputError(f"task {task} is named twice", where="--chosen", fix="name every task once"))
        found[task] = value
    if errors:
        raise InputErrors(errors)
    return found


def architecture_of(backbone: str | Path | Backbone) -> tuple[str, Architecture]:
    """Name and architecture of a backbone. Reads no weights.

    Args:
        backbone: A known name, a folder that has config.json, or a loaded backbone.

    Raises:
        InputError: It is none of these, or the config is damaged or not supported.
    """
    from learners.backbones.architecture import architecture_from_config
    from learners.backbones.locate import pooling_of
    from learners.backbones.published import known_architecture
    from tasks.documents import read_object
    from tasks.paths import user_path

    if not isinstance(backbone, str | Path):
        from stream.api.objects import backbone_name

        return backbone_name(backbone), backbone.architecture
    file = user_path(str(backbone), where="--backbone") / "config.json"
    if not file.is_file():
        return str(backbone), known_architecture(str(backbone))
    config = read_object(file, what="damaged config")
    pooler = False if pooling_of(file.parent) == "mean" else None
    return str(backbone), architecture_from_config(config, pooler=pooler, where=str(file))

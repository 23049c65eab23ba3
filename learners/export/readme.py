"""The README of an exported model: what it is, what it needs, and the program that loads it."""

from __future__ import annotations

import torch

from learners.backbones.backbone import Backbone
from learners.backbones.locate import pinned_backbone
from learners.export.peft_base import reference
from learners.export.snippet import Loading, usage
from tasks.encoded import EncodedTask


def readme(
    learner: str, delta: str, score: float | None, data: EncodedTask, backbone: Backbone, loading: Loading
) -> str:
    """The text of README.md.

    Args:
        learner: Name of the learner in the run.
        delta: Content id of the Delta.
        score: The last score on the test rows, at most 1; None if there is none.
        backbone: The backbone, in the dtype in which the run computed.
    """
    task, known = data.task, {"name": reference(backbone), "commit": backbone.commit}
    about = {
        "task": f"{task.title} ({task.name})",
        "labels": ", ".join(task.labels or ("a real-valued score",)),
        "learner": learner,
        "backbone": f"{pinned_backbone(known)}, content {backbone.id}",
        f"{task.metric} on the test rows": "not evaluated" if score is None else f"{100 * score:.1f}",
        "tokens of a row": f"at most {data.max_length}",
        "content of the Delta": delta,
    }
    if backbone.dtype != torch.float32:
        about["numbers"] = (
            f"float32; the run computed in {str(backbone.dtype).removeprefix('torch.')}, so digits differ"
        )
    lines = [f"# {task.title}", "", *(f"* {name}: {value}" for name, value in about.items())]
    program = usage(backbone, loading, task.kind)
    return "\n".join([*lines, "", loading.about, "", "```python", program, "```"]) + "\n"

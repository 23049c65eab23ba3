"""What a run must know about its backbone and this machine before its first job, without loading PyTorch.

Both are computed once and remembered: the facts about a backbone under the hashes of its files, the numerics under the
description of the processor and the environment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pydantic import JsonValue

from learners.backbones.architecture import Architecture
from learners.backbones.backbone import Backbone
from learners.backbones.locate import Pooling
from stream.execution.numerics import numerics, packing
from stream.storage.remembered import remembered

CPUINFO = Path("/proc/cpuinfo")  # exists on Linux only; elsewhere PyTorch is asked each time
CHANGING = ("processor", "core id", "apicid", "initial apicid", "cpu MHz", "bogomips", "BogoMIPS")  # fields of a core
# Beginnings of the environment variables that choose libraries, kernels or precisions.
ENVIRONMENT = ("ATEN_", "DNNL_", "GOMP_", "KMP_", "LD_", "MKL_", "OMP_", "ONEDNN_", "OPENBLAS_", "TORCH_")


@dataclass(frozen=True)
class KnownBackbone:
    """Facts about a backbone that follow from its files.

    Attributes:
        id: Content id.
        architecture: Sizes and settings.
        pooling: How its output is pooled.
        parameters: Number of parameters.
        tokenizer_id: Content id of its tokenizer.
        notes: Sentences about tensors that are not used.
    """

    id: str
    architecture: Architecture
    pooling: Pooling
    parameters: int
    tokenizer_id: str
    notes: tuple[str, ...]


def known_of(backbone: Backbone) -> KnownBackbone:
    """Returns the facts about a loaded backbone."""
    return KnownBackbone(
        id=backbone.id,
        architecture=backbone.architecture,
        pooling=backbone.pooling,
        parameters=backbone.parameters,
        tokenizer_id=backbone.tokenizer_id,
        notes=backbone.notes,
    )


@dataclass(frozen=True)
class Numerics:
    """The numerics of this machine (`stream.execution.numerics`)."""

    values: Mapping[str, JsonValue]


def known_numerics(dtype: str, device: str, pack: int, cache: Path) -> Mapping[str, JsonValue]:
    """Returns the numerics of this process.

    If PyTorch is loaded, it is asked: the caller may have changed its switches. If not, they are those of any process
    with this processor, these libraries and this environment.

    Args:
        pack: Number of Deltas in a pack.
        device: Full name of the device. Only those of `cpu` are remembered: another needs PyTorch to be found at all.
        cache: Folder of remembered facts.
    """
    if "torch" in sys.modules or device != "cpu" or not (cores := machine()):
        return numerics(dtype, device, pack)
    given = {name: value for name, value in os.environ.items() if name.startswith(ENVIRONMENT)}
    inputs = {"dtype": dtype, "torch": _kernels(), "cores": cores, "system": [*os.uname()][2:], "environment": given}
    known = remembered(Numerics, inputs, cache, lambda: Numerics(numerics(dtype))).values
    return {**known, **packing(pack)}


def _kernels() -> list[str]:
    """The libraries of PyTorch's kernels: place, size and time. Two builds of one version may compute differently."""
    spec = find_spec("torch")
    found = []
    for folder in map(Path, (spec.submodule_search_locations or ()) if spec else ()):
        for file in sorted((folder / "lib").glob("*torch_cpu*")):
            stat = file.stat()
            found.append(f"{file} {stat.st_size} {stat.st_mtime_ns}")
    return found


def machine() -> list[str]:
    """Returns the different kinds of cores of this machine as text; empty if they are unknown."""
    try:
        text = CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    cores = (
        "\n".join(line for line in core.splitlines() if line.partition(":")[0].strip() not in CHANGING)
        for core in text.split("\n\n")
    )
    return sorted({core for core in cores if core.strip()})

"""The device that computes: a processor (cpu), a graphics card (cuda:N, mps). No other file knows devices by name.

A backbone is on one device (`learners.backbones.backbone.placed`), and all tensors of a forward pass are where its
weights are. Deltas that are kept stay in the memory of the host and in files; a fit or a prediction copies them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tasks.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor

CPU = "cpu"
DRIVERS = ("/proc/driver/nvidia", "/dev/dxg", "/dev/kfd")  # of NVIDIA, of WSL, of AMD, whose cards PyTorch calls cuda
# cuBLAS gives the same bits in each process only with a workspace of a fixed size, which it reads at its first use.
WORKSPACE = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def device_named(name: str) -> str:
    """Returns the full name of a device: `cpu`, `cuda:0`, `mps`.

    Args:
        name: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`. `auto` is the first CUDA card if there is one, else `cpu`.

    Raises:
        InputError: The name is none of these, or this machine does not have the device.
    """
    kind, colon, number = name.partition(":")
    if kind not in ("auto", CPU, "cuda", "mps") or (colon and (kind != "cuda" or not number.isdecimal())):
        raise InputError("unknown device", where="--device", expected="auto, cpu, cuda, cuda:N or mps", found=name)
    if kind == CPU or (kind == "auto" and os.name == "posix" and not any(map(os.path.exists, DRIVERS))):
        return CPU  # without the seconds that PyTorch takes to load
    import torch

    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    here = [*(f"cuda:{n}" for n in range(cards)), *(["mps"] if torch.backends.mps.is_available() else []), CPU]
    wanted = {"auto": "cuda:0" if cards else CPU, "cuda": f"cuda:{number or 0}"}.get(kind, kind)
    if wanted not in here:
        fix = "" if cards or kind != "cuda" else "torch.cuda.is_available() is false: install a PyTorch with CUDA"
        raise InputError("no such device", where="--device", expected=" or ".join(here), found=name, fix=fix)
    return wanted


def facts(name: str) -> dict[str, str]:
    """Returns what is known of a device and what computes on it; empty for `cpu`, which
    `stream.execution.numerics` describes."""
    if name == CPU:
        return {}
    import torch

    if name == "mps":
        return {"device_name": torch.backends.mps.get_name()}
    properties = torch.cuda.get_device_properties(name)
    return {
        "device_name": properties.name,
        "capability": f"{properties.major}.{properties.minor}",
        "cuda": str(torch.version.cuda),
        "cudnn": str(torch.backends.cudnn.version()),  # type: ignore[no-untyped-call]
        "driver": _driver(),
        "workspace": os.environ.get(WORKSPACE[0], ""),
    }


def _driver() -> str:
    """Returns the version of the driver of NVIDIA; "" if it is not known."""
    try:
        with open("/proc/driver/nvidia/version", encoding="utf-8") as file:
            words = file.readline().split()
    except OSError:
        return ""
    return next((word for word in words if word[0].isdecimal() and "." in word), "")


def memory_of(name: str) -> int:
    """Returns the bytes of memory of a graphics card."""
    import torch

    if name == "mps":
        return torch.mps.recommended_max_memory()
    return int(torch.cuda.get_device_properties(name).total_memory)


def prepare(name: str) -> None:
    """Makes this process compute the same bits each time on a device. Call it before the first computation there."""
    if name == CPU:
        return
    import torch

    os.environ.setdefault(*WORKSPACE)
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def to_device(array: np.ndarray, device: torch.device | str = CPU) -> Tensor:
    """Returns the numbers of an array as a tensor on a device."""
    import torch

    return torch.from_numpy(array).to(device)


def to_host(tensor: Tensor) -> np.ndarray:
    """Returns the numbers of a tensor as an array in the memory of the host. On the CPU it is the same memory."""
    found: np.ndarray = tensor.detach().cpu().numpy()
    return found


def generator_there(generator: torch.Generator, device: torch.device) -> torch.Generator:
    """Returns a generator that draws on a device, seeded as the given one of the CPU was; on the CPU the same one."""
    import torch

    return generator if device.type == CPU else torch.Generator(device).manual_seed(generator.initial_seed())


def global_state(device: torch.device) -> Tensor:
    """Returns the state of PyTorch's global generator of a device."""
    import torch

    if device.type == CPU:
        return torch.get_rng_state()
    state: Tensor = torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.mps.get_rng_state()
    return state


def set_global_state(device: torch.device, state: Tensor) -> None:
    """Sets the state of PyTorch's global generator of a device."""
    import torch

    if device.type == CPU:
        torch.set_rng_state(state)
    elif device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.mps.set_rng_state(state)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device has no memory left."""
    import torch

    words = ("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "MPS backend out of memory")
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(each in str(error) for each in words)
    )


def no_memory(name: str, rows: int | None, length: int) -> str:
    """Returns what to tell a user about a device without memory.

    Args:
        rows: Rows of a batch; None in an evaluation, whose batches do not depend on the settings of training.
        length: Most tokens of a row.
    """
    if rows is None:
        found = f"{name} has no memory left in an evaluation of rows of up to {length} tokens"
        return f"{found}; use fewer workers, or a smaller --pack"
    return f"{name} has no memory left for batches of {rows} rows of up to {length} tokens; lower one of the two"


def recover(error: RuntimeError, name: str) -> None:
    """Gives the memory that a computation took back to a device that had none left.

    Raises:
        RuntimeError: The error, if it is about something else.
    """
    if not is_out_of_memory(error):
        raise error
    error.__traceback__ = None  # it holds the tensors of the computation
    free_memory(name)


def free_memory(name: str) -> None:
    """Gives memory that nothing uses back to a device."""
    import gc

    import torch

    gc.collect()
    if name.startswith("cuda"):
        torch.cuda.empty_cache()
    elif name == "mps":
        torch.mps.empty_cache()

"""Switches of PyTorch that choose kernels or precisions on the CPU. A worker takes those of the process of the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

Value = str | bool


@dataclass(frozen=True)
class Switch:
    """One switch: its value in a fresh process, and how to read and set it."""

    default: Value
    get: Callable[[], Value]
    set: Callable[[Any], None]


def switches() -> dict[str, JsonValue]:
    """Returns the switches of this process that differ from PyTorch's defaults, by name."""
    return {name: now for name, switch in _switches().items() if (now := switch.get()) != switch.default}


def take_switches(wanted: Mapping[str, JsonValue]) -> None:
    """Sets the switches of this process to those of another one.

    Args:
        wanted: What `switches` returned there; other names are ignored. A switch without an entry gets its default.
    """
    for name, switch in _switches().items():
        if switch.get() != (value := wanted.get(name, switch.default)):
            switch.set(value)


def _switches() -> dict[str, Switch]:
    import torch

    backends, cuda = torch.backends, torch.backends.cuda
    found = {
        "mkldnn": Switch(True, lambda: bool(backends.mkldnn.enabled), _setter(backends.mkldnn, "enabled")),
        "deterministic_algorithms": Switch(
            False, torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms
        ),
        "default_dtype": Switch(
            "float32",
            lambda: str(torch.get_default_dtype()).removeprefix("torch."),
            lambda value: torch.set_default_dtype(getattr(torch, value)),
        ),
        # Named after CUDA, but they choose kernels of attention on the CPU too.
        "flash_attention": Switch(True, cuda.flash_sdp_enabled, cuda.enable_flash_sdp),
        "efficient_attention": Switch(True, cuda.mem_efficient_sdp_enabled, cuda.enable_mem_efficient_sdp),
        "math_attention": Switch(True, cuda.math_sdp_enabled, cuda.enable_math_sdp),
    }
    for name in ("matmul", "conv", "rnn"):  # from 2.9 on, where the older function may raise an error
        if hasattr(kernels := getattr(backends.mkldnn, name, None), "fp32_precision"):
            found[f"float32_{name}"] = Switch("none", _precision(kernels), _setter(kernels, "fp32_precision"))
    if "float32_matmul" not in found:
        get, put = torch.get_float32_matmul_precision, torch.set_float32_matmul_precision
        found["float32_matmul"] = Switch("highest", get, put)
    return found


def _precision(kernels: Any) -> Callable[[], Value]:
    """`ieee` is what `none` means unless another switch says otherwise."""
    return lambda: "none" if kernels.fp32_precision == "ieee" else str(kernels.fp32_precision)


def _setter(module: Any, name: str) -> Callable[[Any], None]:
    return lambda value: setattr(module, name, value)

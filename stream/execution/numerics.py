"""Numerics: everything about machine, libraries and switches that may change the last bit of a logit. Part of all ids.

A list of names cannot be complete: two processors with equal names may add in another order. So the list is followed by
a fingerprint, the hash of what this process computes from fixed numbers.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from pydantic import JsonValue

from learners.device import CPU, facts, prepare, to_host
from learners.training.formats import EVALUATION_FORMAT, PACKING_FORMAT, TRAINING_FORMAT
from learners.training.precision import processor
from stream.execution.switches import switches, take_switches
from stream.execution.workers import arithmetic

if TYPE_CHECKING:
    from torch import Tensor

THREADS = 1  # one process per core is faster than threads for encoders of this size, and keeps the order of sums
STEP, MODULUS = 2_654_435_761, 1 << 32  # Knuth's multiplicative hash: spreads 0, 1, 2, ... evenly over [0, 2^32)

_version = cache(version)  # each job asks, and each look-up takes milliseconds


def numerics(dtype: str, device: str = "cpu", pack: int = 1) -> dict[str, JsonValue]:
    """Returns everything about machine, libraries, switches and batches that may change the last bit of a logit.

    Args:
        dtype: Dtype of the backbone, "float32" or "bfloat16".
        device: Full name of the device (`learners.device.device_named`). Cards of one kind have the same numerics.
        pack: Number of Deltas that go through the encoder together: another number has other shapes of products.
    """
    import torch

    from learners.forward.batches import BATCH_OVERHEAD, EVALUATION_TOKENS

    before = switches()
    prepare(device)
    try:
        return {
            "dtype": dtype,
            "device": device.partition(":")[0],
            "threads": THREADS,
            "evaluation_tokens": EVALUATION_TOKENS,
            "evaluation_overhead": BATCH_OVERHEAD,
            "evaluation": EVALUATION_FORMAT,
            "training": TRAINING_FORMAT,
            "machine": platform.machine(),
            "processor": processor(),
            "instructions": torch.backends.cpu.get_cpu_capability(),
            "settings": {**arithmetic(), **switches()},
            **packing(pack),
            **facts(device),
            "fingerprint": fingerprint(dtype, device),
            **{name: _version(name) for name in ("torch", "transformers", "numpy")},
        }
    finally:
        if device != CPU:  # the process is the caller's; `open_workbench` prepares it for the jobs
            take_switches(before)


def packing(pack: int) -> dict[str, JsonValue]:
    """Returns what may change the last bits of fits and evaluations in packs; the other sizes of a pack follow from
    learner and data."""
    if pack == 1:
        return {}
    from learners.forward.pack_plan import LENGTHS, OUTPUTS, ROWS, step_lengths

    return {
        "pack": pack,
        "pack_rows": ROWS,
        "pack_lengths": [*LENGTHS],
        "pack_step_lengths": [*step_lengths(pack)],
        "pack_outputs": [*OUTPUTS],
        "packing": PACKING_FORMAT,
    }


def changes(before: Mapping[str, JsonValue], now: Mapping[str, JsonValue]) -> str:
    """Returns the numerics that changed as text, for example "torch 2.9 -> 2.10"."""
    names = (name for name in dict.fromkeys((*before, *now)) if before.get(name) != now.get(name))
    return ", ".join(f"{name} {before.get(name)} -> {now.get(name)}" for name in names)


def fingerprint(dtype: str, device: str = "cpu") -> str:
    """Returns 16 hexadecimal digits: a hash of the bits of a few fixed computations, in float32 and in `dtype`.

    These are the operations of an encoder layer and of a training step: products of several shapes, attention with a
    mask, softmax, layer norm, GELU, tanh, cross-entropy, their gradients, a step of AdamW, and a product of denormal
    numbers. It takes some 30 ms, and is computed anew at each call: a process can change its arithmetic in ways that no
    list of switches names.

    Args:
        dtype: Dtype of the backbone.
        device: Full name of the device.
    """
    import torch

    digest, threads = hashlib.sha256(), torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        with torch.enable_grad(), torch.autocast(device.partition(":")[0], enabled=False):
            for kind in dict.fromkeys((torch.float32, getattr(torch, dtype))):
                for result in _computed(kind, device):
                    digest.update(to_host(result.float().contiguous()).tobytes())
    finally:
        torch.set_num_threads(threads)
    return digest.hexdigest()[:16]


def _computed(dtype: object, device: str) -> list[Tensor]:
    """Results of fixed computations in a dtype."""
    import torch
    import torch.nn.functional as F

    from learners.training.adamw import AdamW

    def numbers(*shape: int, begin: int = 0) -> Tensor:
        count = torch.Size(shape).numel()
        whole = (torch.arange(begin, begin + count, dtype=torch.int64) * STEP) % MODULUS
        return (whole.double() / MODULUS - 0.5).reshape(shape).to(dtype).to(device)  # type: ignore[call-overload, no-any-return]

    batch, length, width, heads = 8, 23, 128, 2
    x = numbers(batch, length, width).requires_grad_()
    into, out = numbers(4 * width, width, begin=7).requires_grad_(), numbers(width, 4 * width, begin=11)
    scale, shift = numbers(width, begin=13) + 1, numbers(width, begin=17)
    place = torch.arange(length, device=device)
    mask = (place < place[-batch:, None])[:, None, None]  # [B, 1, 1, S]
    split = x.view(batch, length, heads, width // heads).transpose(1, 2)
    attended = F.scaled_dot_product_attention(split, split, split, attn_mask=mask)
    hidden = F.layer_norm(attended.transpose(1, 2).reshape(x.shape) + x, (width,), scale, shift)
    hidden = F.linear(F.gelu(F.linear(hidden, into)), out) + hidden
    logits = F.linear(torch.tanh(hidden[:, 0]).float(), numbers(3, width, begin=19).float())
    loss = F.cross_entropy(logits, torch.arange(batch, device=device) % 3)
    loss.backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert into.grad is not None
    tuned = into.detach().float().clone().requires_grad_()
    tuned.grad = into.grad.float()
    AdamW([{"params": [tuned], "lr": 1e-3, "weight_decay": 0.01}], eps=1e-8).step()
    wide = numbers(97, 384, begin=23) @ numbers(384, 1536, begin=29)
    tiny = torch.tensor([1e-40], device=device) * 0.5  # zero if this process flushes denormal numbers
    return [hidden, logits, loss, x.grad, into.grad, tuned, wide, torch.softmax(wide, -1), tiny]

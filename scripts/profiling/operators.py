"""Groups of PyTorch's operators, by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

PRODUCTS = "products"
ELEMENTWISE = "elementwise"
NORMS = "norms, softmax"
COPIES = "copies"
VIEWS = "views, memory"
AUTOGRAD = "autograd"
CLIPPING = "clipping"
OPTIMISER = "optimiser"
OTHER = "other operators"
GROUPS = (PRODUCTS, ELEMENTWISE, NORMS, COPIES, VIEWS, AUTOGRAD, CLIPPING, OPTIMISER, OTHER)

# Operators without their namespace `aten::`. An operator in place, as `add_`, and one that writes to a given tensor,
# as `add.out`, are in the group of `add`, unless they have an entry.
NAMES: Mapping[str, str] = {
    PRODUCTS: """
        mm addmm bmm baddbmm addbmm matmul linear mv addmv dot vdot einsum _addmm_activation mkldnn_linear
        mkldnn_linear_pointwise _scaled_dot_product_flash_attention_for_cpu scaled_dot_product_attention
        _scaled_dot_product_flash_attention_for_cpu_backward _scaled_dot_product_attention_math
        _grouped_mm _transform_bias_rescale_qkv
    """,
    ELEMENTWISE: """
        add sub rsub mul div true_divide neg abs pow sqrt rsqrt reciprocal exp log sin cos erf sign floor round clamp
        clamp_min clamp_max clip gelu gelu_backward tanh tanh_backward sigmoid sigmoid_backward relu
        threshold_backward silu silu_backward leaky_relu hardtanh addcmul addcdiv lerp where masked_fill eq ne lt le gt
        ge logical_not logical_and bitwise_and bitwise_or bitwise_not bitwise_xor bitwise_left_shift
        bitwise_right_shift __and__ __or__ maximum minimum isfinite isnan any all dropout native_dropout
        native_dropout_backward bernoulli random uniform normal sum max min cumsum log_sigmoid
    """,
    NORMS: """
        layer_norm native_layer_norm native_layer_norm_backward rms_norm _fused_rms_norm softmax _softmax
        _softmax_backward_data log_softmax _log_softmax _log_softmax_backward_data logsumexp mean var var_mean std
        cross_entropy_loss nll_loss nll_loss_nd nll_loss_forward nll_loss_backward mse_loss mse_loss_backward
    """,
    COPIES: """
        copy cat concat stack hstack vstack clone contiguous to _to_copy type_as repeat repeat_interleave pad
        constant_pad_nd roll flip index index_put _index_put_impl index_select index_add embedding embedding_backward
        embedding_dense_backward gather scatter scatter_add take masked_select select_backward slice_backward
        index_copy copysign
    """,
    VIEWS: """
        view _unsafe_view view_as reshape reshape_as _reshape_alias transpose t numpy_T permute expand expand_as
        as_strided unsqueeze squeeze select slice split split_with_sizes chunk unbind narrow flatten unflatten detach
        alias movedim diagonal unfold empty empty_like empty_strided new_empty new_empty_strided resize set zeros
        zeros_like new_zeros ones ones_like new_ones full full_like new_full fill zero arange scalar_tensor
        resolve_conj resolve_neg lift_fresh item _local_scalar_dense is_nonzero result_type broadcast_tensors
    """,
    CLIPPING: "linalg_vector_norm norm",
}
GROUP_OF: Mapping[str, str] = {name: group for group, names in NAMES.items() for name in names.split()}

# An operator or range, and all that it calls, belongs to one group: `torch.nn.utils.clip_grad_norm_` calls the first
# two, AdamW the others. A range is a part of Python that PyTorch names; its own time counts as Python.
OWNERS: tuple[tuple[str, str], ...] = (
    ("aten::_foreach_norm", CLIPPING),
    ("aten::_foreach_mul_", CLIPPING),
    ("Optimizer.step#", OPTIMISER),
    ("Optimizer.zero_grad#", OPTIMISER),
    ("aten::_fused_adamw_", OPTIMISER),
    ("aten::_foreach_", OPTIMISER),
)
RANGES = ("Optimizer.", "ProfilerStep")
GRAPH = re.compile(r"(torch::)?autograd::|\w+Backward\d*$")  # the engine that runs backwards, and the graph's nodes


def is_operator(name: str) -> bool:
    """Whether an event of the profiler is work of PyTorch's own code, not a named range of Python."""
    return not name.startswith(RANGES)


def group_of(name: str, callers: Sequence[str] = ()) -> str:
    """The group of an operator.

    Args:
        name: Name of the event, such as `aten::mm` or `AddmmBackward0`.
        callers: Names of the events that it is part of, the outermost first. Default: none.
    """
    if (owner := owner_of([*callers, name])) is not None:
        return owner
    if GRAPH.match(name):
        return AUTOGRAD
    plain = name.removeprefix("aten::").partition(".")[0]
    return GROUP_OF.get(plain) or GROUP_OF.get(plain.removesuffix("_"), OTHER)


def owner_of(names: Iterable[str]) -> str | None:
    """The group of the first of these events that `OWNERS` has; None if it has none of them."""
    found = (group for name in names for start, group in OWNERS if name.startswith(start))
    return next(found, None)

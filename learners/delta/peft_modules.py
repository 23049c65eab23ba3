"""Methods of the peft library, inserted into the modules of transformers.

peft replaces modules and draws from PyTorch's global generator. So each method has modules of its own, and draws under
a fixed seed. Their frozen parameters are the memory of the backbone. The trained tensors come from a Delta, in each
call of the forward pass.
"""

from __future__ import annotations

import warnings
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from learners.backbones.architecture import Architecture, parameter_shapes
from learners.backbones.backbone import Backbone
from learners.backbones.library import library_model
from learners.backbones.module_tree import module_tree
from learners.forms import Shapes
from learners.specification.notation import read_object
from tasks.errors import InputError, unknown_name
from tasks.seeds import seed_of

if TYPE_CHECKING:
    from torch import Tensor, nn

PART = "added.peft."  # prefix of a name in a Delta; the rest is the name in the copy of the encoder
ADAPTER = "default"
OURS = {"PREFIX_TUNING": "prefix:30", "PROMPT_TUNING": "prompt:20", "P_TUNING": "prompt:20"}

MAX_MODELS = 8  # encoders in memory per backbone: those of the methods used last
# Weak keys: an encoder with a method must not keep its backbone in memory.
_MODELS: WeakKeyDictionary[Backbone, dict[str, nn.Module]] = WeakKeyDictionary()


def injected_model(backbone: Backbone, config: str) -> nn.Module:
    """The encoder of a backbone with a method of peft, in evaluation mode. Equal arguments give the same module.

    The values of its trained tensors have no meaning: the caller replaces them by those of a Delta. Tensors that peft
    draws and freezes are the same for all tasks.

    Args:
        config: The settings of peft, as an object of our notation: `{peft_type=LORA,r=8,...}`.

    Raises:
        InputError: As `injected`. Also if the method changes frozen weights, as some initialisations of LoRA do, or if
            its forward pass needs more than a text.
    """
    import torch

    models = _MODELS.setdefault(backbone, {})
    if config in models:
        models[config] = models.pop(config)  # move to the end: it is used last
    else:
        model = library_model(backbone)
        frozen = {id(parameter): (name, parameter) for name, parameter in model.named_parameters()}
        injected(config, model, peft_seed(config)).eval()  # new modules are in training mode
        for parameter in model.parameters():
            name, _ = frozen.get(id(parameter), ("", None))
            if not name or parameter.requires_grad:
                continue
            if not torch.equal(parameter, backbone.computed[name]):
                fix = "choose another initialisation"
                raise InputError(f"peft would change frozen weight {name}", where=f"learner peft:{config}", fix=fix)
            parameter.data = backbone.computed[name]
        try:
            row = torch.full((1, 2), backbone.pad_id, device=backbone.device)
            model(input_ids=row, attention_mask=torch.ones_like(row))
        except Exception as error:  # the method needs more than a text, such as the number of a task
            raise _refused(f"learner peft:{config}", error) from error
        models[config] = model
        if len(models) > MAX_MODELS:
            del models[next(iter(models))]
    return models[config]


def injected_initial(backbone: Backbone, config: str, seed: int) -> dict[str, Tensor]:
    """Initial trained tensors of a method, as peft draws them: name in a Delta -> float32 tensor.

    Raises:
        InputError: As `injected`.
    """
    model = injected(config, library_model(backbone), seed)
    return {f"{PART}{name}": parameter.detach().float() for name, parameter in trained(model).items()}


@lru_cache(maxsize=256)
def injected_shapes(config: str, architecture: Architecture) -> Shapes:
    """Name in a Delta and shape of each trained tensor of a method. Needs no weights.

    Raises:
        InputError: As `injected`.
    """
    model = injected(config, skeleton(architecture), 0)
    return {f"{PART}{name}": tuple(parameter.shape) for name, parameter in trained(model).items()}


def peft_seed(config: str) -> int:
    """Seed of the tensors that peft draws and freezes."""
    return seed_of(0, "peft", config)


def trained(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters of a model that require a gradient, by name."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def injected(config: str, model: nn.Module, seed: int) -> nn.Module:
    """Insert a method of peft into a model, in place. Returns the model.

    Args:
        config: The settings of peft, as an object of our notation.
        seed: Seed of everything that peft draws.

    Raises:
        InputError: peft is not installed, does not know the method, its settings or its modules, or would train tensors
            outside the model.
    """
    import torch

    where = f"learner peft:{config}"
    chosen, method = peft_config(config)
    with torch.inference_mode(False), torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they concern merging, files of peft and CUDA, which are not used here
        torch.manual_seed(seed)
        try:
            tuner = method(model, chosen, adapter_name=ADAPTER)
        except Exception as error:
            raise _refused(where, error) from error
    if not {id(parameter) for parameter in trained(tuner).values()} <= {id(p) for p in model.parameters()}:
        raise InputError("peft would train tensors outside the encoder", where=where, fix="choose another method")
    return model


def peft_config(config: str) -> tuple[Any, Any]:
    """The settings as an object of peft, and the class of the method.

    Raises:
        InputError: As `injected`.
    """
    where = f"learner peft:{config}"
    if find_spec("peft") is None:
        raise InputError("peft is not installed", where=where, fix="pip install 'taskstream[peft]'")
    from peft.mapping import PEFT_TYPE_TO_TUNER_MAPPING, get_peft_config

    settings = read_object(config)
    name = settings["peft_type"]
    methods = {kind.value: tuner for kind, tuner in PEFT_TYPE_TO_TUNER_MAPPING.items()}
    if name not in methods:
        raise unknown_name("peft_type", name, methods, where=where)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            chosen = get_peft_config(settings)
        except Exception as error:
            raise _refused(where, error) from error
    if chosen.is_prompt_learning or chosen.is_adaption_prompt:
        fix = f"use our own learner: {OURS.get(name, 'prefix:30 or prompt:20')}"
        raise InputError(f"{name} adds no module to an encoder", where=where, fix=fix)
    return chosen, methods[name]


def skeleton(architecture: Architecture) -> nn.Module:
    """An encoder without weights: modules with the same names, types and shapes. They use no memory.

    It cannot compute anything.
    """
    import torch
    from torch import nn

    shapes = parameter_shapes(architecture)
    modules: dict[str, nn.Module | nn.Parameter] = {}
    for name, shape in shapes.items():
        path, _, kind = name.rpartition(".")
        if kind == "weight":
            modules[path] = module = _module(path, shape, bias=f"{path}.bias" in shapes)
            for key, parameter in module.named_parameters():
                setattr(module, key, nn.Parameter(torch.zeros(()).expand(parameter.shape), requires_grad=False))
    root = module_tree(modules)
    root.__dict__["config"] = {"model_type": architecture.model_type}  # peft finds its default target modules by it
    return root


def _module(path: str, shape: tuple[int, ...], bias: bool) -> nn.Module:
    from torch import nn

    if len(shape) == 1:
        return nn.LayerNorm(shape, bias=bias, device="meta")
    if path.endswith("embeddings"):
        return nn.Embedding(shape[0], shape[1], device="meta")
    return nn.Linear(shape[1], shape[0], bias=bias, device="meta")


def _refused(where: str, error: Exception) -> InputError:
    return InputError("peft rejects this configuration", where=where, found=" ".join(str(error).split())[:300])

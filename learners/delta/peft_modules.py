"""Methods of the peft library: modules put into an encoder that has modules of its own and the backbone's weights.

peft replaces modules and draws on the global generator; here it does so to a copy, under a seed. Of that copy the
frozen parameters are then those of the backbone itself, and what peft trains comes from a Delta with every call.
"""

from __future__ import annotations

import copy
import warnings
from functools import lru_cache
from importlib.util import find_spec
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from learners.backbones.architecture import Architecture, parameter_shapes
from learners.backbones.backbone import Backbone
from learners.forms import Shapes
from learners.specification.notation import read_object
from tasks.errors import InputError, unknown_name
from tasks.seeds import seed_of

PART = "added.peft."  # names in a Delta: this, and the name in the encoder with the method in it
ADAPTER = "default"
OURS = {"PREFIX_TUNING": "prefix:30", "PROMPT_TUNING": "prompt:20", "P_TUNING": "prompt:20"}

MOST = 8  # encoders kept of one backbone: of the methods that were asked for last
# Weak: an encoder with a method in it must not keep its backbone in memory.
_MODELS: WeakKeyDictionary[Backbone, dict[str, nn.Module]] = WeakKeyDictionary()


def injected_model(backbone: Backbone, config: str) -> nn.Module:
    """The backbone with a method in it, in the backbone's mode (training or not).

    Trained tensors are there by name and hold nothing of value; what peft draws and freezes is the same for all tasks.

    Raises:
        InputError: As `injected`; or the method changes frozen weights, as some ways of initialising LoRA do.
    """
    known = _MODELS.setdefault(backbone, {})
    if config in known:
        known[config] = known.pop(config)  # the last asked for
    else:
        model = _copied(backbone)
        frozen = {id(parameter): (name, parameter) for name, parameter in model.named_parameters()}
        injected(config, model, peft_seed(config))
        for module in model.modules():
            for key, parameter in module.named_parameters(recurse=False):
                name, _ = frozen.get(id(parameter), ("", None))
                if not name or parameter.requires_grad:
                    continue
                own = backbone.model.get_parameter(name)
                if not torch.equal(parameter, own):
                    fix = "choose another initialisation"
                    raise InputError(f"peft would change the frozen {name}", where=f"learner peft:{config}", fix=fix)
                setattr(module, key, own)
        try:
            row = torch.full((1, 2), backbone.pad_id)
            model(input_ids=row, attention_mask=torch.ones_like(row))
        except Exception as error:  # it needs more than a text, such as a task's number
            raise _refused(f"learner peft:{config}", error) from error
        known[config] = model
        if len(known) > MOST:
            del known[next(iter(known))]
    return known[config].train(backbone.model.training)


def injected_initial(backbone: Backbone, config: str, seed: int) -> dict[str, Tensor]:
    """First value of all that the method trains, as peft draws it: name in a Delta -> float32 tensor."""
    model = injected(config, _copied(backbone), seed)
    return {f"{PART}{name}": parameter.detach().float() for name, parameter in trained(model).items()}


@lru_cache(maxsize=256)
def injected_shapes(config: str, architecture: Architecture) -> Shapes:
    """Name in a Delta and shape of all that the method trains, with no backbone at hand."""
    model = injected(config, skeleton(architecture), 0)
    return {f"{PART}{name}": tuple(parameter.shape) for name, parameter in trained(model).items()}


def peft_seed(config: str) -> int:
    """Of what peft draws and freezes."""
    return seed_of(0, "peft", config)


def trained(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def injected(config: str, model: nn.Module, seed: int) -> nn.Module:
    """Put a method into a model, in place.

    Raises:
        InputError: peft is not installed, or knows no such method, settings or modules; or what it trains would lie
            outside the model.
    """
    where = f"learner peft:{config}"
    chosen, method = peft_config(config)
    with torch.inference_mode(False), torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are of merging, of peft's own files and of CUDA, which are not used here
        torch.manual_seed(seed)
        try:
            tuner = method(model, chosen, adapter_name=ADAPTER)
        except Exception as error:
            raise _refused(where, error) from error
    if not {id(parameter) for parameter in trained(tuner).values()} <= {id(p) for p in model.parameters()}:
        raise InputError("peft would train something outside the encoder", where=where, fix="choose another method")
    return model


def peft_config(config: str) -> tuple[Any, Any]:
    """The settings as peft's own object, and the class of the method.

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
        fix = f"take our own: {OURS.get(name, 'prefix:30 or prompt:20')}"
        raise InputError(f"{name} adds no module to an encoder", where=where, fix=fix)
    return chosen, methods[name]


def skeleton(architecture: Architecture) -> nn.Module:
    """Modules of the names, kinds and shapes of an encoder's, that hold no memory and compute nothing."""
    root, shapes = nn.Module(), parameter_shapes(architecture)
    root.__dict__["config"] = {
        "model_type": architecture.model_type
    }  # by which peft knows where its methods go by default
    for name, shape in shapes.items():
        path, _, kind = name.rpartition(".")
        if kind == "weight":
            module = _module(path, shape, bias=f"{path}.bias" in shapes)
            for key, parameter in module.named_parameters():
                setattr(module, key, nn.Parameter(torch.zeros(()).expand(parameter.shape), requires_grad=False))
            *above, last = path.split(".")
            holder = root
            for part in above:
                if not hasattr(holder, part):
                    holder.add_module(part, nn.Module())
                holder = holder.get_submodule(part)
            holder.add_module(last, module)
    return root


def _module(path: str, shape: tuple[int, ...], bias: bool) -> nn.Module:
    if len(shape) == 1:
        return nn.LayerNorm(shape, bias=bias, device="meta")
    if path.endswith("embeddings"):
        return nn.Embedding(shape[0], shape[1], device="meta")
    return nn.Linear(shape[1], shape[0], bias=bias, device="meta")


def _copied(backbone: Backbone) -> nn.Module:
    with torch.inference_mode(False):
        return copy.deepcopy(backbone.model)


def _refused(where: str, error: Exception) -> InputError:
    return InputError("peft refuses this", where=where, found=" ".join(str(error).split())[:300])

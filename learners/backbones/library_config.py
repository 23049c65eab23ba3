"""The config object of transformers for a backbone. Its modules and its tokenizers need one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from learners.backbones.architecture import Architecture
from tasks.errors import InputError


def library_config(architecture: Architecture, written: Mapping[str, Any], where: str) -> Any:
    """Returns the config object of transformers.

    It has only the keys that the architecture checks: others may name files, code or unchecked sizes.

    Args:
        written: `config.json` as written.
        where: Its file, for error messages.

    Raises:
        InputError: transformers does not accept this config.
    """
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    named = {key: value for key, value in written.items() if key == "tokenizer_class" and isinstance(value, str)}
    settings = {key: value for key, value in written.items() if key in architecture.anatomy.keys}
    try:
        with silent():  # it warns about default tokens that a small vocabulary does not have
            return AutoConfig.for_model(architecture.model_type, **settings, **named)
    except (ValueError, TypeError, KeyError, StrictDataclassError) as error:
        raise cannot_build(where, error) from None


@contextmanager
def silent() -> Iterator[None]:
    """Silences the warnings of transformers inside a `with` block."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)


def cannot_build(where: str, error: Exception) -> InputError:
    """Returns the error to raise where transformers cannot build a config or a model."""
    return InputError("cannot build a model from this config", where=where, found=" ".join(str(error).split())[:160])

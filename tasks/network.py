"""The Hugging Face hub: check whether it can be reached, and check the name of a revision."""

from __future__ import annotations

import os
import re
import socket
from urllib.parse import urlsplit

from tasks.errors import InputError

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
COMMIT = re.compile(r"[0-9a-f]{40}")
# Names of branches and tags in git. A revision is a file name in the cache, so names that could leave it are invalid.
REVISION = re.compile(r"(?!.*(\.\.|//))[A-Za-z0-9][A-Za-z0-9_./-]{0,199}", re.ASCII)


def check_revision(text: str, *, where: str) -> str:
    """Return `text` if it is a valid name of a branch, tag or commit.

    Args:
        where: The option, for messages.

    Raises:
        InputError: It is not valid.
    """
    if REVISION.fullmatch(text) is None:
        expected = "a branch, tag or commit: letters, digits, '_', '.', '-' and '/', without '..'"
        raise InputError("not a revision", where=where, expected=expected, found=repr(text[:60]))
    return text


def hub_reachable(seconds: float = 5.0) -> bool:
    """Whether the hub accepts a connection. This check is faster than the hub's client, which retries for 23 s.

    True behind a proxy, because only the client can check there. False if HF_HUB_OFFLINE is set.

    Args:
        seconds: Time limit. Default: 5.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    if any(os.environ.get(name) for name in PROXIES):
        return True
    address = urlsplit(constants.ENDPOINT)
    port = address.port or (80 if address.scheme == "http" else 443)
    try:
        with socket.create_connection((address.hostname or "", port), timeout=seconds):
            return True
    except OSError:
        return False


def http_error() -> type[Exception]:
    """The class of network errors that the hub's client raises: HTTPError of httpx or httpx2."""
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    error: type[Exception] = HTTPError
    return error

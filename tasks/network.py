"""The Hugging Face hub as seen from here: whether it can be reached, and how a revision of a repository is written."""

from __future__ import annotations

import os
import re
import socket
from urllib.parse import urlsplit

from tasks.errors import InputError

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
COMMIT = re.compile(r"[0-9a-f]{40}")
# As git names branches and tags, without what could leave the folder of the cache that a revision names a file in.
REVISION = re.compile(r"(?!.*(\.\.|//))[A-Za-z0-9][A-Za-z0-9_./-]{0,199}", re.ASCII)


def check_revision(text: str, *, where: str) -> str:
    """Return a text that can name a revision.

    Raises:
        InputError: It cannot.
    """
    if REVISION.fullmatch(text) is None:
        expected = "a branch, tag or commit: letters, digits, '_', '.', '-' and '/', without '..'"
        raise InputError("not a revision", where=where, expected=expected, found=repr(text[:60]))
    return text


def hub_reachable(seconds: float = 5.0) -> bool:
    """Whether a connection to the hub can be opened; its clients' own retries take 23 s to say no.

    Behind a proxy only the clients can tell, so True; False where HF_HUB_OFFLINE is set.
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
    """HTTPError of httpx or httpx2, whichever the hub's clients use: what they raise of a lost network is one."""
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    error: type[Exception] = HTTPError
    return error

"""Avalanche, imported before the tests of this folder name it, as some of its dependencies begin with warnings."""

from __future__ import annotations

import stream.avalanche.library  # noqa: F401

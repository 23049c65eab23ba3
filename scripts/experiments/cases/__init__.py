"""Every bad input that is tried, in one table: what it is, how it is made, and what the refusal must say."""

from __future__ import annotations

from .case import Case, World, make_world
from .data import DATA
from .models import MODELS
from .settings import SETTINGS

__all__ = ["CASES", "Case", "World", "make_world"]

CASES: tuple[Case, ...] = (*SETTINGS, *DATA, *MODELS)

"""Bad inputs in one table, `CASES`: the name of each, how to make it, and what the message must say.

`settings`, `data` and `models` have the cases of the three areas; `case` has the types. Used by `bad_inputs.py` and by
the tests.
"""

from __future__ import annotations

from .case import Case, World, cell_of, make_world
from .data import DATA
from .models import MODELS
from .settings import SETTINGS

__all__ = ["CASES", "Case", "World", "cell_of", "make_world"]

CASES: tuple[Case, ...] = (*SETTINGS, *DATA, *MODELS)

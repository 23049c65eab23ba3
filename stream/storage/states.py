"""States of paused fits in a store: store/states/<recipe id>.safetensors.

They only save time. Without its state a fit begins again and gives the same result, so any of these files may be
deleted at any time.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from stream.storage.store import Store
from tasks.errors import InputError

if TYPE_CHECKING:  # it imports torch, which is slow
    from learners.training.state import FitState


def state_path(store: Store, recipe: str) -> Path:
    """Returns the file of the state of a fit.

    Args:
        recipe: Id of the recipe of the whole fit, which does not depend on where the fit pauses.
    """
    return store.root / "states" / f"{recipe}.safetensors"


def put_state(store: Store, recipe: str, state: FitState) -> None:
    """Writes the state of a paused fit, in place of an earlier one.

    Args:
        recipe: As for `state_path`.
    """
    from learners.training.state import save_state

    save_state(state, state_path(store, recipe), recipe)


def get_state(store: Store, recipe: str) -> FitState | None:
    """Returns the state of a paused fit; None if there is none, or its file is damaged.

    Args:
        recipe: As for `state_path`.
    """
    from learners.training.state import load_state

    with suppress(InputError):
        return load_state(state_path(store, recipe), recipe)
    return None


def drop_state(store: Store, recipe: str) -> None:
    """Deletes the state of a fit, if there is one.

    Args:
        recipe: As for `state_path`.
    """
    with suppress(OSError):
        state_path(store, recipe).unlink(missing_ok=True)


def stored_states(store: Store) -> list[Path]:
    """Returns the files of all states, also what a crash left of one, sorted by name."""
    return sorted((store.root / "states").glob("*"))

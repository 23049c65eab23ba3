"""The members of a study: one run for each seed and each order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pydantic_core import PydanticCustomError

from stream.config.integers import exact_integer
from stream.config.settings import RunConfig
from tasks.content import content_id
from tasks.errors import InputError, InputErrors
from tasks.suite import known_name

FILE, SCHEMA = "study.json", 1  # the file in OUT that makes it a study, and the version of its content
MOST = 1000  # members of a study; `0-99999999` is a mistake, and its folders would fill the disk
SEEDS = re.compile(r"(\d+)(?:\s*-\s*(\d+))?")
WANTED = "a seed, or several: 0,1,2 or 0-4"
NAMED = re.compile(r"paper|seed:\d+|\d+")  # an order that has a name; any other one is a list of task names
DIGITS = 8  # of the hash in the folder's name of an order that is a list of task names


@dataclass(frozen=True)
class Member:
    """One run of a study: its folder below OUT, its seed and its order, as `RunConfig` takes them."""

    folder: str
    seed: int
    order: str


@dataclass(frozen=True)
class Grid:
    """The seeds and the orders of a study.

    Attributes:
        seeds: Seeds, as given; at least one.
        orders: Orders, as `RunConfig.order` takes them; at least one.

    Raises:
        InputErrors: A seed or an order occurs twice, or there are more than `MOST` members.
    """

    seeds: tuple[int, ...]
    orders: tuple[str, ...]

    def __post_init__(self) -> None:
        errors = [_twice("seed", seed) for seed in _repeated(self.seeds)]
        errors += [_twice("order", order) for order in _repeated(map(same_order, self.orders))]
        if (size := len(self.seeds) * len(self.orders)) > MOST:
            errors.append(InputError("too many members of a study", expected=f"at most {MOST:,}", found=f"{size:,}"))
        if errors:
            raise InputErrors(errors)

    @property
    def several(self) -> bool:
        """Whether there is more than one member. One member alone is an ordinary run."""
        return len(self.seeds) * len(self.orders) > 1

    @property
    def members(self) -> tuple[Member, ...]:
        """The members: all orders of the first seed, then those of the next one."""
        return tuple(Member(f"seed{n}-{order_folder(order)}", n, order) for n in self.seeds for order in self.orders)

    def as_settings(self) -> dict[str, str]:
        """Returns the settings `seed` and `order` as one text each, which `--config` and the command read again."""
        return {"seed": seeds_text(self.seeds), "order": ";".join(self.orders)}


def member_config(config: RunConfig, member: Member) -> RunConfig:
    """Returns the settings of one member: those of the study, with its seed, order and folder, and the common store."""
    out = Path(config.out)
    changed = {"seed": member.seed, "order": member.order, "out": str(out / member.folder)}
    return config.model_copy(update=changed | {"store": config.store or str(out / "store")})


def seeds_of(value: object, where: str) -> tuple[int, ...] | None:
    """Reads several seeds: a text such as `0,1,2` or `0-4`, or a list of numbers and such texts.

    Args:
        where: Where the value comes from, for errors.

    Returns:
        The seeds; None if the value is no list and no text of several seeds.

    Raises:
        InputError: A part of the list is no seed and no range, or a range is too long or ends below its beginning.
    """
    if isinstance(value, str):
        if "," not in value and "-" not in value.strip()[1:]:  # "-1" is one number, and a wrong one
            return None
        parts: Sequence[object] = value.split(",")
    elif isinstance(value, list | tuple | range):  # not any sequence: bytes are one
        parts = value
    else:
        return None
    if not parts:
        raise InputError("bad value of seed", where=where, expected=WANTED, found=repr(value))
    return tuple(seed for part in parts for seed in _seeds_in(part, value, where))


def _seeds_in(part: object, value: object, where: str) -> Iterable[int]:
    if isinstance(part, str) and (found := SEEDS.fullmatch(part.strip())):
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first:
            raise InputError(
                "a range of seeds ends below its beginning", where=where, expected=WANTED, found=repr(part)
            )
        if last - first >= MOST:
            raise InputError("too many seeds", where=where, expected=f"at most {MOST:,}", found=repr(part))
        return range(first, last + 1)
    try:
        seed = None if isinstance(part, str | None) else exact_integer(part)
    except PydanticCustomError:
        seed = None
    if not isinstance(seed, int):
        raise InputError("bad value of seed", where=where, expected=WANTED, found=repr(value))
    return (seed,)


def seeds_text(seeds: Sequence[int]) -> str:
    """Returns seeds as short as a user writes them: `0-4,7`."""
    runs = groupby(enumerate(seeds), key=lambda entry: entry[1] - entry[0])
    ranges = [[seed for _, seed in group] for _, group in runs]
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in ranges)


def orders_of(value: object, where: str) -> tuple[str, ...] | None:
    """Reads several orders: a text with `;` between them, or a list whose items are whole orders.

    An item is a whole order if it is `paper`, `seed:N` or a number, or has a comma or a `;`. A list of bare task names
    is one order, as in a run.

    Args:
        where: Where the value comes from, for errors.

    Returns:
        The orders; None if the value is one order, or of a wrong type.

    Raises:
        InputError: An order is empty, or a list has whole orders and bare task names.
    """
    if isinstance(value, str):
        if ";" not in value:
            return None
        items = [value]
    elif isinstance(value, list | tuple) and value and all(isinstance(item, str) and item for item in value):
        whole = [is_whole(item) for item in value]
        if not any(whole):
            return None
        if not all(whole):
            bare = next(item for item, known in zip(value, whole, strict=True) if not known)
            expected = "orders (paper, seed:N, or task names joined by commas), or task names alone"
            raise InputError("a list of orders with a bare task name", where=where, expected=expected, found=bare)
        items = list(value)
    else:
        return None
    orders = tuple(part.strip() for item in items for part in item.split(";"))
    if not all(orders):
        raise InputError("an order is empty", where=where, expected="orders with ';' between them", found=repr(value))
    return orders


def is_whole(item: str) -> bool:
    """Whether an item of a list is a whole order, and not the name of a task."""
    return NAMED.fullmatch(item.strip()) is not None or "," in item or ";" in item


def same_order(order: str) -> str:
    """Returns one text for all ways to write an order."""
    return ",".join(known_name(name.strip()) for name in order.split(","))


def order_folder(order: str) -> str:
    """Returns the part of a member's folder that its order gives: `paper`, `seed3` for seed:3, `order2` for 2, and a
    hash for a list of task names. It is safe on every system."""
    if order == "paper":
        return order
    if order.isdecimal():
        return f"order{order}"
    if NAMED.fullmatch(order):
        return order.replace(":", "")
    return f"order-{content_id('order', same_order(order))[:DIGITS]}"


def _repeated(values: Iterable[object]) -> list[object]:
    seen: set[object] = set()
    return [value for value in values if value in seen or seen.add(value)]  # type: ignore[func-returns-value]


def _twice(what: str, value: object) -> InputError:
    article = "an" if what == "order" else "a"
    return InputError(
        f"{article} {what} is given twice", where=f"--{what}", found=str(value), fix=f"give each {what} once"
    )

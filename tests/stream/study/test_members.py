"""Seeds and orders as a user writes them, and the members that they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learners.device import device_named
from stream.config.resolve import resolve_config
from stream.config.settings import RunConfig
from stream.study.members import MOST, Grid, is_whole, member_config, order_folder, orders_of, seeds_of, seeds_text
from stream.study.settings import resolve_study, study_toml
from tasks.errors import InputError, InputErrors
from tasks.houlsby26 import HOULSBY26

NAMES = [task.name for task in HOULSBY26[:6]]
seeds = st.lists(st.integers(0, 10**6), min_size=2, max_size=20, unique=True)
whole = st.one_of(
    st.just("paper"),
    st.integers(0, 99).map(lambda n: f"seed:{n}"),
    st.permutations(NAMES).map(lambda names: ",".join(names[:3])),
)
orders = st.lists(whole, min_size=2, max_size=6, unique=True)


@given(seeds)
def test_seeds_read_back_from_their_shortest_text(given: list[int]) -> None:
    text = seeds_text(given)
    assert seeds_of(text, "here") == seeds_of(given, "here") == tuple(given)
    assert text.count(",") < len(given)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("0,1,2", (0, 1, 2)),
        ("0-4", (0, 1, 2, 3, 4)),
        (" 3 - 5 , 9", (3, 4, 5, 9)),
        (range(2), (0, 1)),
        ([0, "5-6"], (0, 5, 6)),
        ((7,), (7,)),
        (3, None),
        ("3", None),
        ("-1", None),  # one number, which the limits of a seed refuse
        (None, None),
    ],
)
def test_seeds(value: object, found: tuple[int, ...] | None) -> None:
    assert seeds_of(value, "here") == found


@pytest.mark.parametrize("value", ["4-0", "0-", "a-b", "0,,1", "0,x", "0-1-2", [], [0.5], [True], [None], f"0-{MOST}"])
def test_what_are_no_seeds(value: object) -> None:
    with pytest.raises(InputError, match="seed"):
        seeds_of(value, "here")


@given(orders)
def test_a_text_and_a_list_of_orders_are_the_same(given: list[str]) -> None:
    text = ";".join(given)
    assert orders_of(text, "here") == orders_of(given, "here") == orders_of([text], "here") == tuple(given)


def test_a_list_of_bare_names_is_one_order() -> None:
    assert orders_of(["rte", "cola"], "here") is orders_of("rte,cola", "here") is orders_of("paper", "here") is None
    assert not is_whole("rte")
    assert orders_of(["paper"], "here") == ("paper",)
    assert orders_of(["1", "6"], "here") == ("1", "6")
    with pytest.raises(InputError, match=r"bare task name.*found cola"):
        orders_of(["paper", "cola"], "here")
    with pytest.raises(InputError, match="empty"):
        orders_of("paper;", "here")


@given(seeds, orders)
def test_members_have_safe_folders_of_their_own(numbers: list[int], given: list[str]) -> None:
    members = Grid(tuple(numbers), tuple(given)).members
    folders = [member.folder for member in members]
    assert len({folder.lower() for folder in folders}) == len(members) == len(numbers) * len(given)
    assert all(Path(folder).name == folder and len(folder) < 40 for folder in folders)


def test_names_of_folders_are_fixed() -> None:
    """Folders of earlier studies must be found again."""
    found = [order_folder(order) for order in ("paper", "seed:3", "2", "rte,cola", " RTE , cola")]
    assert found == ["paper", "seed3", "order2", found[3], found[3]]
    assert found[3].startswith("order-")


def test_twice_is_an_error() -> None:
    with pytest.raises(InputErrors) as caught:
        Grid((0, 1, 0), ("paper", "rte,cola", "rte, cola"))
    assert [error.found for error in caught.value.errors] == ["0", "rte,cola"]
    with pytest.raises(InputErrors, match="too many members"):
        Grid(tuple(range(MOST)), ("paper", "seed:1"))


@pytest.mark.parametrize(("seed", "order"), [("3", "seed:2"), ([3], ["seed:2"]), ("3-3", "seed:2")])
def test_one_value_each_is_an_ordinary_run(seed: object, order: object) -> None:
    config, _, grid = resolve_study({"seed": seed, "order": order})
    assert not grid.several
    assert config == RunConfig(seed=3, order="seed:2", device=device_named("auto"))


def test_the_settings_of_a_study_read_back(tmp_path: Path) -> None:
    given: dict[str, Any] = {"seed": [0, 1, 2, 7], "order": ["paper", "rte,cola"], "epochs": 3, "out": "runs/x"}
    config, origins, grid = resolve_study(given)
    assert (config.seed, config.order) == (0, "paper")
    file = tmp_path / "config.toml"
    file.write_text(study_toml(config, origins, grid))
    again, others, same = resolve_study({}, file)
    assert (again, same) == (config, grid)
    assert others["seed"] == others["order"] == f"file {file}"
    one, _, alone = resolve_study({"seed": 5, "order": "paper"}, file)  # what is given wins
    assert (one.seed, one.order, alone.several) == (5, "paper", False)


def test_settings_of_a_member() -> None:
    config, _, grid = resolve_study({"seed": "0,1", "out": "runs/x"})
    made = [member_config(config, member) for member in grid.members]
    assert [each.out for each in made] == ["runs/x/seed0-paper", "runs/x/seed1-paper"]
    assert {each.store for each in made} == {"runs/x/store"}
    assert made[1].model_copy(update={"seed": 0, "out": "runs/x", "store": None}) == config


def test_all_errors_of_a_study_at_once() -> None:
    with pytest.raises(InputErrors) as caught:
        resolve_study({"seed": "4-0", "order": "paper;;", "epochs": -1, "suit": "x"})
    text = str(caught.value)
    assert len(caught.value.errors) == 4
    assert all(word in text for word in ("range of seeds", "order is empty", "epochs", "did you mean suite"))
    with pytest.raises(InputErrors, match="seed"):
        resolve_study({"seed": [0, 2**63]})


def test_a_run_takes_one_seed_only() -> None:
    with pytest.raises(InputErrors, match="seed"):
        resolve_config({"seed": [0, 1]})

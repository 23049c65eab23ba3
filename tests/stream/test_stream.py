"""Orders of arrival."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.engine.stream import make_stream
from tasks.errors import InputError

NAMES = ("cola", "sst2", "mrpc", "rte")


def test_paper_keeps_the_order_of_the_suite() -> None:
    stream = make_stream(NAMES, "paper")
    assert stream.order == NAMES
    assert [experience.arrival for experience in stream.experiences] == [1, 2, 3, 4]


@given(st.permutations(NAMES), st.integers(0, 2**70))
def test_a_seeded_order_depends_on_the_tasks_and_the_seed_alone(names: list[str], seed: int) -> None:
    order = make_stream(tuple(names), f"seed:{seed}").order
    assert sorted(order) == sorted(NAMES)
    assert order == make_stream(NAMES, f"seed:{seed}").order


def test_seeds_give_different_orders() -> None:
    assert len({make_stream(NAMES, f"seed:{seed}").order for seed in range(30)}) > 10


@given(st.permutations(NAMES))
def test_an_order_by_names(names: list[str]) -> None:
    assert make_stream(NAMES, " , ".join(names)).order == tuple(names)


@pytest.mark.parametrize(
    ("order", "word"),
    [
        ("cola,sst2,mrpc", "rte not named exactly once"),
        ("cola,sst2,mrpc,rte,cola", "cola not named exactly once"),
        ("cola,sst2,mrpc,rtee", "did you mean rte"),
        ("papers", "did you mean paper"),
        ("seed:", "seed:N"),
        ("seed:-1", "seed:N"),
        ("seed:1.5", "seed:N"),
        ("seed:²", "seed:N"),
        ("", "unknown task"),
    ],
)
def test_bad_orders(order: str, word: str) -> None:
    with pytest.raises(InputError, match=word) as caught:
        make_stream(NAMES, order)
    assert f"--order {order}" in str(caught.value)

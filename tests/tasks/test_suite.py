from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import InputError
from tasks.suite import SUITES, TASKS, check_task_name, resolve_suite


def test_suites_are_the_papers_tables() -> None:
    lengths = {"glue9": 9, "additional17": 17, "houlsby26": 26, "lm5": 5, "lm15": 15}
    assert {name: len(names) for name, names in SUITES.items()} == lengths
    assert SUITES["houlsby26"] == SUITES["glue9"] + SUITES["additional17"] == tuple(TASKS)[:26]
    assert tuple(TASKS)[26:] == tuple(name for name in SUITES["lm15"] if name not in SUITES["houlsby26"])


def test_lists_keep_their_order_and_may_hold_suites() -> None:
    assert resolve_suite(" rte , cola") == ("rte,cola", ("rte", "cola"))
    assert resolve_suite("sms_spam,glue9")[1] == ("sms_spam", *SUITES["glue9"])


def test_all_takes_what_the_source_has_in_paper_order() -> None:
    assert resolve_suite("all", ["zebra", "rte", "apple", "cola"]) == ("all", ("cola", "rte", "apple", "zebra"))


def test_a_task_of_the_source_is_a_task() -> None:
    assert resolve_suite("mine,cola", ["mine"])[1] == ("mine", "cola")


def test_a_source_may_draw_tasks() -> None:
    def draw(part: str) -> tuple[str, ...]:
        return ("new1", "new2") if part == "new:2" else ()

    assert resolve_suite("rte,new:2", (), draw) == ("rte,new:2", ("rte", "new1", "new2"))
    with pytest.raises(InputError, match="'new1' is named twice"):
        resolve_suite("new1,new:2", ("new1",), draw)
    with pytest.raises(InputError, match="not a task name"):
        resolve_suite("new:3", (), draw)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colla", "did you mean cola"),
        ("gleu9", "did you mean glue9"),
        ("cola,rte,cola", "'cola' is named twice"),
        ("glue9,rte", "'rte' is named twice"),
        ("", "empty suite"),
        (" , ", "empty suite"),
        ("all", "no task"),
        ("../cola", "not a task name"),
        ("-rf", "not a task name"),
    ],
)
def test_bad_suites(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolve_suite(text)


@given(st.text())
def test_a_task_name_never_leaves_its_folder(name: str) -> None:
    try:
        check_task_name(name)
    except InputError:
        return
    assert name
    assert name[0] not in ".-"
    assert not set(name) & set("/\\\0 \n")

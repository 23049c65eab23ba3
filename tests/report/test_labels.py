"""Labels of points: near them, and over nothing else."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from stream.report.labels import Box, place

FRAME = Box(200, 120, 400, 240)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(10, 390), st.floats(10, 230), st.sampled_from([8.0, 40.0]), st.integers(10, 90)),
        min_size=1,
        max_size=8,
    )
)
def test_no_label_covers_another_or_leaves_the_frame(drawn: list[tuple[float, float, float, int]]) -> None:
    points = [Box(x, y, 8, height) for x, y, height, _ in drawn]
    sizes = [(float(width), 9.0) for *_, width in drawn]
    labels = place(points, sizes, FRAME)
    for index, label in enumerate(labels):
        assert (label.width, label.height) == sizes[index]
        assert abs(label.x - FRAME.x) <= (FRAME.width - label.width) / 2
        assert abs(label.y - FRAME.y) <= (FRAME.height - label.height) / 2
        assert not any(map(label.meets, labels[:index]))
        assert not any(map(label.meets, points))


def test_a_lonely_label_is_beside_its_point() -> None:
    (right,) = place([Box(100, 100, 8, 8)], [(50, 9)], FRAME)
    assert (right.x, right.y) == (100 + 4 + 3 + 25, 100)
    (left,) = place([Box(390, 100, 8, 60)], [(50, 9)], FRAME)
    assert (left.x, left.y) == (390 - 4 - 3 - 25, 100)

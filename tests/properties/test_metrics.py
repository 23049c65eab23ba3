"""What must hold of the continual-learning metrics whatever the scores are."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stream.results.metrics import forgetting_per_task, metric, metrics
from stream.results.metrics.definition import Array

scores = st.floats(0, 1)
signed_scores = st.floats(-1, 1)


@st.composite
def streams(draw: st.DrawFn, least: int = 1, cells: st.SearchStrategy[float] = scores) -> tuple[Array, Array]:
    count = draw(st.integers(least, 7))
    return draw(arrays(np.float64, (count, count), elements=cells)), draw(arrays(np.float64, count, elements=cells))


def value(name: str, rows: Array, baseline: Array) -> float:
    found = metric(name).compute(rows, baseline)
    assert found is not None
    return found


@given(streams())
def test_every_metric_stays_in_its_range(stream: tuple[Array, Array]) -> None:
    for name, found in metrics().items():
        result = found.compute(*stream)
        assert result is None or found.range[0] <= result <= found.range[1], name


@given(streams(least=2, cells=signed_scores))
def test_the_conventions_are_related_as_their_formulas_say(stream: tuple[Array, Array]) -> None:
    count = len(stream[0])
    share = (count - 1) / count
    assert value("forgetting_avalanche", *stream) == -value("bwt_gem", *stream)
    assert value("bwt_gem_code", *stream) == value("bwt_trace", *stream)
    np.testing.assert_allclose(value("bwt_gem_code", *stream), share * value("bwt_gem", *stream), atol=1e-15)
    np.testing.assert_allclose(value("fwt_gem_code", *stream), share * value("fwt_gem", *stream), atol=1e-15)


@given(streams(least=2, cells=signed_scores))
def test_the_three_kinds_of_forgetting_are_ordered(stream: tuple[Array, Array]) -> None:
    mammoth, chaudhry = value("forgetting_mammoth", *stream), value("forgetting_chaudhry", *stream)
    assert mammoth >= 0
    assert mammoth >= chaudhry >= value("forgetting_avalanche", *stream)


@given(streams(least=2, cells=signed_scores))
def test_mammoth_is_the_maximum_over_all_rows_since_learning(stream: tuple[Array, Array]) -> None:
    rows, baseline = stream
    lost = [rows[j:, j].max() - rows[-1, j] for j in range(len(rows) - 1)]
    np.testing.assert_allclose(value("forgetting_mammoth", rows, baseline), np.mean(lost), atol=1e-15)


@given(streams(least=2))
def test_a_learner_that_never_changes_forgets_exactly_nothing(stream: tuple[Array, Array]) -> None:
    learned, baseline = stream[0].diagonal(), stream[1]
    rows = np.where(np.tri(len(learned)) > 0, learned, np.nan)
    for name in ("bwt_gem", "bwt_gem_code", "bwt_trace"):
        assert value(name, rows, baseline) == 0.0
    for name in ("forgetting_chaudhry", "forgetting_mammoth", "forgetting_avalanche"):
        assert value(name, rows, baseline) == 0.0
    assert value("average_accuracy", rows, baseline) == value("learning_accuracy", rows, baseline)
    assert not forgetting_per_task(rows)[:-1].any()


@given(st.integers(2, 7), scores)
def test_a_constant_matrix_transfers_nothing_anywhere(count: int, constant: float) -> None:
    rows, baseline = np.full((count, count), constant), np.full(count, constant)
    for name in metrics():
        expected = constant if "accuracy" in name else 0.0
        np.testing.assert_allclose(value(name, rows, baseline), expected, rtol=1e-14, atol=0, err_msg=name)


@given(streams(least=2, cells=signed_scores), st.data())
def test_metrics_of_first_and_last_scores_do_not_depend_on_the_order(
    stream: tuple[Array, Array], data: st.DataObject
) -> None:
    rows, baseline = stream
    last = len(rows) - 1
    order = [*data.draw(st.permutations(range(last))), last]
    permuted = rows[np.ix_(order, order)]
    for name in ("average_accuracy", "learning_accuracy", "bwt_gem", "bwt_gem_code", "forgetting_avalanche"):
        assert value(name, permuted, baseline[order]) == value(name, rows, baseline), name


@given(streams(least=2), st.data())
def test_a_missing_cell_gives_none_and_never_nan(stream: tuple[Array, Array], data: st.DataObject) -> None:
    rows, baseline = stream
    holes = data.draw(arrays(np.bool_, rows.shape))
    for name, found in metrics().items():
        result = found.compute(np.where(holes, np.nan, rows), baseline)
        assert result is None or result == result, name
    rows[-1, 0] = np.nan
    for name in ("average_accuracy", "bwt_gem", "forgetting_chaudhry", "average_incremental_accuracy"):
        assert metric(name).compute(rows, baseline) is None

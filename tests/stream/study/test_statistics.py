"""Statistics of a study: golden values of libraries and papers, coverage in simulations, and invariants."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from stream.results.intervals import interval
from stream.study.holm import holm
from stream.study.statistics import alike, mean_over, paired, ranks

# Demsar (2006), Table 6: AUC of C4.5, C4.5+m, C4.5+cf and C4.5+m+cf on 14 data sets.
DEMSAR = np.array([
    [.763, .599, .954, .628, .882, .936, .661, .583, .775, 1.0, .940, .619, .972, .957],
    [.768, .591, .971, .661, .888, .931, .668, .583, .838, 1.0, .962, .666, .981, .978],
    [.771, .590, .968, .654, .886, .916, .609, .563, .866, 1.0, .965, .614, .9751, .946],
    [.798, .569, .967, .657, .898, .931, .685, .625, .875, 1.0, .962, .669, .975, .970],
])  # fmt: skip


def apart(tasks: int) -> list[list[int]]:
    return [[task] for task in range(tasks)]


def test_with_one_seed_it_is_the_paired_t_over_tasks_and_with_one_group_over_seeds() -> None:
    d = np.random.default_rng(3).normal(0.3, 1, 9)
    known = stats.ttest_1samp(d, 0)
    low, high = known.confidence_interval()
    for found in (paired(d[None], apart(9)), paired(d[:, None], [[0]])):
        assert found.difference == pytest.approx(d.mean())
        assert found.half == pytest.approx((high - low) / 2)
        assert found.p == pytest.approx(known.pvalue)
        assert found.degrees == pytest.approx(8)


def test_the_mean_squares_are_those_of_a_two_way_analysis_of_variance() -> None:
    """Independent: sums of squares from the projections of a linear model, when no component is negative."""
    rng = np.random.default_rng(0)
    seeds, tasks = 4, 6
    d = rng.normal(size=(seeds, 1)) + rng.normal(size=(1, tasks)) + 0.3 * rng.normal(size=(seeds, tasks)) + 0.2
    row, column = np.repeat(np.eye(seeds), tasks, axis=0), np.tile(np.eye(tasks), (seeds, 1))

    def residual(*columns: np.ndarray) -> float:
        design = np.hstack([np.ones((d.size, 1)), *columns])
        return float(np.square(d.ravel() - design @ np.linalg.lstsq(design, d.ravel(), rcond=None)[0]).sum())

    rest = residual(row, column)
    means = [(residual(column) - rest) / (seeds - 1), (residual(row) - rest) / (tasks - 1)]
    noise = rest / ((seeds - 1) * (tasks - 1))
    assert min(means) > noise
    variance = (sum(means) - noise) / d.size
    degrees = (sum(means) - noise) ** 2 / (
        means[0] ** 2 / (seeds - 1) + means[1] ** 2 / (tasks - 1) + noise**2 / ((seeds - 1) * (tasks - 1))
    )
    found = paired(d, apart(tasks))
    assert found.degrees == pytest.approx(degrees)
    assert found.half == pytest.approx(stats.t.ppf(0.975, degrees) * math.sqrt(variance))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(d.mean()) / math.sqrt(variance), degrees))


@pytest.mark.parametrize(
    ("seeds", "sizes", "spread"),
    [
        (1, [1] * 22, (0.0, 1.0, 1.0)),
        (3, [2, 3, 2] + [1] * 19, (0.0, 1.0, 1.0)),
        (5, [2, 3, 2] + [1] * 19, (1.0, 1.0, 1.0)),
        (5, [1] * 5, (0.3, 1.0, 2.0)),
    ],
)
def test_intervals_cover_and_p_is_uniform_if_nothing_differs(
    seeds: int, sizes: list[int], spread: tuple[float, float, float]
) -> None:
    """Effects of seeds, of groups of tasks, and rest; the tasks of a group share its effect."""
    rng = np.random.default_rng(7)
    of_seed, of_group, rest = spread
    starts = np.cumsum([0, *sizes])
    groups = [[*range(a, b)] for a, b in pairwise(starts)]
    values = []
    for _ in range(1200):
        effects = np.repeat(rng.normal(0, of_group, len(sizes)), sizes)
        d = rng.normal(0, of_seed, (seeds, 1)) + effects + rng.normal(0, rest, (seeds, len(effects)))
        found = paired(d, groups)
        assert found.half is not None
        assert found.p is not None
        assert (abs(found.difference) <= found.half) == (found.p >= 0.05)
        values.append(found.p)
    p = np.array(values)
    assert 0.925 <= (p >= 0.05).mean() <= 0.985  # the standard error of a share is 0.006
    assert 0.40 <= (p < 0.5).mean() <= 0.54


def test_the_mean_over_one_order_is_students_t_over_seeds_and_the_other_way_round() -> None:
    x = np.random.default_rng(3).normal(0.7, 0.1, 5)
    known = interval(x.tolist())
    for values, over in ((x[:, None], "seeds"), (x[None], "orders")):
        assert mean_over(values) == (pytest.approx(known.mean), pytest.approx(known.half), 5, over)
    assert mean_over(np.array([[0.5]])) == (0.5, None, 1, "seeds")
    assert mean_over(np.full((3, 2), 0.1)) == (pytest.approx(0.1), 0.0, 6, "seeds and orders")


@pytest.mark.parametrize(
    ("shape", "spread"),
    [((3, 3), (1.0, 1.0, 0.5)), ((5, 3), (0.3, 1.0, 0.3)), ((3, 5), (0.0, 1.0, 1.0)), ((5, 5), (0.0, 0.0, 1.0))],
)
def test_intervals_of_a_mean_cover_for_other_seeds_and_orders(
    shape: tuple[int, int], spread: tuple[float, float, float]
) -> None:
    rng = np.random.default_rng(11)
    of_seed, of_order, rest = spread
    covered = alone = 0
    for _ in range(1500):
        x = rng.normal(0, of_seed, (shape[0], 1)) + rng.normal(0, of_order, shape[1]) + rng.normal(0, rest, shape)
        found, seeds = mean_over(x), mean_over(x.mean(axis=1, keepdims=True))
        assert found.half is not None
        assert seeds.half is not None
        covered += abs(found.mean) <= found.half
        alone += abs(found.mean) <= seeds.half
    assert 0.93 <= covered / 1500 <= 0.99  # the standard error of a share is 0.006
    if of_order > of_seed:
        assert alone / 1500 < 0.9  # an interval over seeds alone says nothing of other orders


def test_intervals_of_a_difference_cover_for_other_orders_too() -> None:
    """Orders have an effect on all tasks together, and on each task and seed; they are averaged, then added."""
    rng = np.random.default_rng(5)
    seeds, orders, tasks = 3, 3, 8
    covered = [0, 0]
    for _ in range(1000):
        d = rng.normal(0, 0.3, (seeds, 1, 1)) + rng.normal(0, 1, (1, orders, 1)) + rng.normal(0, 1, (1, 1, tasks))
        d = d + rng.normal(0, 0.3, (1, orders, tasks)) + rng.normal(0, 0.5, (seeds, orders, tasks))
        for place, means in enumerate(([], d.mean(axis=(0, 2)).tolist())):
            found = paired(d.mean(axis=1), apart(tasks), means)
            assert found.half is not None
            covered[place] += abs(found.difference) <= found.half
    assert covered[0] < 900
    assert 930 <= covered[1] <= 995


def test_orders_alone_give_an_interval() -> None:
    """One seed and one task: Student's t over the orders."""
    found, known = paired(np.array([[0.2]]), [[0]], [0.1, 0.2, 0.3]), interval([0.1, 0.2, 0.3])
    assert (found.half, found.degrees, found.orders) == (pytest.approx(known.half), 2, 3)
    assert paired(np.array([[0.2]]), [[0]], [0.2, 0.2, 0.2])[1:] == (None, None, None, 1, 1, 1)


def test_tasks_that_share_texts_are_one_draw() -> None:
    """Without groups, three copies of one task look like three tasks that agree."""
    rng = np.random.default_rng(1)
    wrong = [0, 0]
    for _ in range(400):
        d = np.repeat(rng.normal(size=(1, 6)), 3, axis=1)
        for place, groups in enumerate((apart(18), [[3 * g, 3 * g + 1, 3 * g + 2] for g in range(6)])):
            found = paired(d, groups)
            assert found.p is not None
            wrong[place] += found.p < 0.05
    assert wrong[0] > 3 * wrong[1]
    assert wrong[1] / 400 == pytest.approx(0.05, abs=0.03)


numbers = st.floats(-1, 1, allow_subnormal=False, width=32)


@given(arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 6)), elements=numbers))
def test_the_other_way_round_is_the_same_with_another_sign(d: np.ndarray) -> None:
    one, other = paired(d, apart(d.shape[1])), paired(-d, apart(d.shape[1]))
    assert one.difference == -other.difference
    assert (one.half, one.p) == (other.half, other.p)
    assert one.difference == pytest.approx(d.mean(), abs=1e-12)
    if one.p is not None:
        assert 0 <= one.p <= 1
    assert (one.half is None) == (d.size == 1 or (np.ptp(d) == 0 and bool(d.any())))
    assert (one.half is None) == (one.p is None) == (one.degrees is None)


def test_equal_learners_do_not_differ() -> None:
    assert paired(np.zeros((3, 4)), apart(4))[:3] == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("difference", [0.1, 1 / 3, -0.7])
@pytest.mark.parametrize("shape", [(3, 1), (1, 4), (3, 4), (1, 1)])
def test_a_difference_without_spread_is_not_certain(difference: float, shape: tuple[int, int]) -> None:
    """Also if the mean of equal numbers is not that number to the last bit."""
    found = paired(np.full(shape, difference), apart(shape[1]))
    assert found[1:4] == (None, None, None)
    assert found.difference == pytest.approx(difference)


def test_opposite_tasks_without_spread_over_seeds_are_not_equal() -> None:
    assert paired(np.array([[0.1, -0.1]] * 3), [[0, 1]])[1:4] == (None, None, None)


def test_holm_is_that_of_statsmodels() -> None:
    """statsmodels 0.15.0, multipletests(p, method="holm")."""
    found = holm([0.012, 0.2, None, 0.0004, 0.03, 0.0301, 0.9, 0.012])
    assert found.pop(2) is None
    assert found == pytest.approx([0.072, 0.4, 0.0028, 0.12, 0.12, 0.9, 0.072])


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_keeps_the_order_and_only_raises(values: list[float]) -> None:
    found = [each for each in holm(values) if each is not None]
    assert all(value <= each <= 1 for value, each in zip(values, found, strict=True))
    ranked = [each for _, each in sorted(zip(values, found, strict=True))]
    assert ranked == sorted(ranked)


def test_ranks_are_those_of_demsars_example() -> None:
    found = ranks(DEMSAR)
    assert found.average == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    assert found.critical_difference == pytest.approx(1.25, abs=5e-3)
    chi2, p = stats.friedmanchisquare(*DEMSAR)
    assert (found.chi2, found.p, found.blocks) == (pytest.approx(chi2), pytest.approx(p), 14)
    assert found.critical_difference is not None
    assert alike(found.average, found.critical_difference) == [[3, 1, 2, 0]]
    # Demsar's Table 5(a): the critical values of Nemenyi's test for 2 to 10 learners, as sqrt(k (k + 1) / 6 N) = 1.
    for learners, critical in ((3, 2.343), (5, 2.728), (10, 3.164)):
        some = ranks(np.random.default_rng(0).normal(size=(learners, 8)))
        assert some.critical_difference is not None
        unit = math.sqrt(learners * (learners + 1) / 48)
        assert some.critical_difference / unit == pytest.approx(critical, abs=1e-3)


def test_ranks_of_few_or_equal_learners() -> None:
    assert ranks(np.array([[1.0, 2.0], [0.0, 3.0]])) == ((1.5, 1.5), 2, None, None, None)
    assert ranks(np.ones((3, 4)))[:4] == ((2.0, 2.0, 2.0), 4, 0.0, 1.0)
    assert alike([1.0, 2.0, 3.0], 1.2) == [[0, 1], [1, 2]]
    assert alike([1.0, 3.0], 1.2) == []

"""The trials of a search: functions of earlier validation scores, and of nothing else."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stream.selection.sampler
from learners.specification.alternatives import restricted
from learners.specification.family import parse_learner
from learners.specification.learner import Selection
from stream.selection.choice import best_candidate, nothing_kept, winning
from stream.selection.rungs import ETA, rungs, saves_little
from stream.selection.sampler import check_method, points_of
from stream.selection.trials import (
    different_fits,
    fits_to_choose,
    proposed,
    restarted,
    restarts,
    searched,
    share_of_fit,
    waits_for,
)
from stream.storage.trials import Trial, Tried
from tasks.errors import InputError, InputErrors

HAS_OPTUNA = find_spec("optuna") is not None
needs_optuna = pytest.mark.skipif(not HAS_OPTUNA, reason="the extra `optuna` is not installed")
NAME = "a learner"
METHODS = ("grid", "random:4", "halving", *(("optuna:5",) if HAS_OPTUNA else ()))


def selection_of(count: int, method: str = "grid", epochs: int = 9, more: str = "") -> Selection:
    sizes = "/".join(str(2 + i) for i in range(count))
    learner = parse_learner(f"adapter:{sizes}:epochs={epochs}:select={method}{more}")
    assert learner.selection is not None
    return learner.selection


def tried_of(trial: Trial, number: int, score: float | None, parameters: int = 1) -> Tried:
    return Tried(**vars(trial), task="cola", trial=number, score=score, parameters=parameters)


def searched_with(selection: Selection, scores: dict[str, float | None], seed: int = 0) -> list[Tried]:
    """A whole search in which each alternative has one score at all epochs."""
    found: list[Tried] = []
    for number in range(searched(selection)):
        earlier = [found[i] for i in waits_for(selection, number)]
        trial = proposed(selection, seed, NAME, number, earlier)
        found.append(tried_of(trial, number, scores[trial.candidate], len(trial.candidate)))
    return found


def scored(selection: Selection) -> st.SearchStrategy[dict[str, float | None]]:
    score = st.none() | st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
    return st.fixed_dictionaries({each.specification: score for each in selection.alternatives})


@st.composite
def searches(draw: st.DrawFn, methods: tuple[str, ...] = METHODS) -> tuple[Selection, dict[str, float | None]]:
    method = draw(st.sampled_from(methods))
    selection = selection_of(draw(st.integers(2, 7 if method.startswith("optuna") else 30)), method)
    return selection, draw(scored(selection))


# ---- all methods


@settings(deadline=None)
@given(search=searches(), seed=st.integers(0, 5), shuffle=st.randoms(use_true_random=False))
def test_a_trial_is_a_function_of_the_earlier_results(
    search: tuple[Selection, dict[str, float | None]], seed: int, shuffle: random.Random
) -> None:
    """Not of their order, and not of global random numbers."""
    selection, scores = search
    tried = searched_with(selection, scores, seed)
    for number, done in enumerate(tried):
        earlier = [tried[i] for i in waits_for(selection, number)]
        assert all(each.trial < number for each in earlier)
        shuffle.shuffle(earlier)
        random.seed(shuffle.random())
        again = proposed(selection, seed, NAME, number, earlier)
        assert again == Trial(candidate=done.candidate, until=done.until, seed=done.seed)


@settings(deadline=None)
@given(search=searches())
def test_nothing_is_tried_twice_and_the_winner_ran_to_its_end(
    search: tuple[Selection, dict[str, float | None]],
) -> None:
    selection, scores = search
    tried = searched_with(selection, scores)
    if selection.method != "halving":  # it goes on with the best ones
        assert len({each.candidate for each in tried}) == len(tried)
    won = best_candidate(selection, tried)
    whole = [each for each in tried if each.until is None]
    assert (won is None) == all(each.score is None for each in whole)
    if won is not None:
        assert won.until is None
        assert won.score == max(each.score for each in tried if each.score is not None)


@settings(deadline=None)
@given(search=searches(), shuffle=st.randoms(use_true_random=False), noise=st.integers(0, 1000))
def test_the_choice_reads_scores_parameters_and_places_alone(
    search: tuple[Selection, dict[str, float | None]], shuffle: random.Random, noise: int
) -> None:
    selection, scores = search
    tried = searched_with(selection, scores)
    expected = winning(selection, tried, [])
    mixed = [replace(each, task=f"task {noise}", trial=(each.trial + noise) % 97) for each in tried]
    shuffle.shuffle(mixed)
    assert winning(selection, mixed, []) == expected


@pytest.mark.parametrize("method", METHODS)
def test_restarts_have_other_seeds_and_the_first_of_the_best_wins(method: str) -> None:
    selection = selection_of(5, method, more=":restarts=3")
    tried = searched_with(selection, {each.specification: 0.5 for each in selection.alternatives})
    again = [restarted(selection, 0, tried, number) for number in range(restarts(selection))]
    assert len(again) == 4
    seeds = [each.seed for each in again if each is not None]
    assert seeds[0] is None
    assert len(set(seeds)) == 4
    results = [tried_of(each, 10 + i, [0.1, 0.9, 0.9, 0.2][i]) for i, each in enumerate(again) if each is not None]
    assert winning(selection, tried, results) == Trial(candidate=results[1].candidate, seed=results[1].seed)


# ---- successive halving


def test_rungs_shrink_by_a_third() -> None:
    assert [len(rung) for rung in rungs(9)] == [9, 3, 1]
    assert [len(rung) for rung in rungs(3)] == [3, 1]
    assert [len(rung) for rung in rungs(2)] == [2, 1]
    assert [len(rung) for rung in rungs(10)] == [10, 4, 2, 1]
    assert [len(rung) for rung in rungs(1)] == [1]


@given(count=st.integers(1, 1000))
def test_rungs_number_all_trials(count: int) -> None:
    every = rungs(count)
    assert [trial for rung in every for trial in rung] == list(range(sum(map(len, every))))
    assert len(every[0]) == count
    assert len(every[-1]) == 1
    assert all(len(after) == -(-count // ETA**k) for k, after in enumerate(every))


@settings(deadline=None)
@given(search=searches(("halving",)), epochs=st.integers(1, 30))
def test_each_rung_keeps_the_best_of_the_one_before(
    search: tuple[Selection, dict[str, float | None]], epochs: int
) -> None:
    count, scores = len(search[0].alternatives), search[1]
    selection = selection_of(count, "halving", epochs)
    scores = {each.specification: score for each, score in zip(selection.alternatives, scores.values(), strict=True)}
    tried = searched_with(selection, scores)
    every = [[tried[trial] for trial in rung] for rung in rungs(count)]
    for before, after in itertools.pairwise(every):
        kept, dropped = (
            {t.candidate for t in after},
            [t for t in before if t.candidate not in {a.candidate for a in after}],
        )
        assert kept <= {t.candidate for t in before}
        worst = min((-1.0 if t.score is None else t.score for t in before if t.candidate in kept), default=0.0)
        assert all(t.score is None or t.score <= worst for t in dropped)
        stops = [t.until for t in before]
        assert all(stop is not None and 1 <= stop <= epochs for stop in stops)
        assert all(t.until is None or t.until >= max(s for s in stops if s is not None) for t in after)
    assert [t.until for t in every[-1]] == [None]


def cost(count: int, epochs: int) -> float:
    """Epochs of a halving search, as a share of the grid's. A fit that goes on does not repeat its epochs."""
    selection = selection_of(count, "halving", epochs)
    done: dict[str, int] = {}
    for each in searched_with(selection, dict.fromkeys((a.specification for a in selection.alternatives), 0.5)):
        done[each.candidate] = epochs if each.until is None else each.until
    return sum(done.values()) / (count * epochs)


def test_what_halving_costs() -> None:
    assert cost(9, 9) == pytest.approx(21 / 81)  # 26 %
    assert cost(3, 9) == pytest.approx(5 / 9)  # few alternatives save less
    assert cost(2, 9) == pytest.approx(12 / 18)
    assert cost(27, 27) < 0.15
    assert cost(6, 20) < 0.35


def test_planned_epochs_are_those_that_are_trained() -> None:
    """Also if rungs end at the same epoch."""
    for count, epochs in ((4, 2), (4, 1), (9, 9), (10, 5), (2, 3)):
        selection = selection_of(count, "halving", epochs)
        planned = sum(share_of_fit(selection, 1, trial) for trial in range(searched(selection)))
        assert planned / count == pytest.approx(cost(count, epochs)), (count, epochs)
    assert cost(4, 2) == 5 / 8
    assert "4 alternatives want at least 9 epochs for 3 rungs; found 2" in saves_little(selection_of(4, "halving", 2))
    assert saves_little(selection_of(4, "halving", 9)) == saves_little(selection_of(4, "grid", 2)) == ""


@pytest.mark.parametrize("scope", ["task", "twin", "first:2"])
@pytest.mark.parametrize("more", ["", ":restarts=2"])
@pytest.mark.parametrize("method", ["grid", "halving", "random:3"])
def test_fits_of_a_plan(method: str, more: str, scope: str) -> None:
    if method == "halving" and scope == "first:2":
        return
    selection = selection_of(5, method, more=f"{more}:scope={scope}")
    tried = 3 if method == "random:3" else 5
    restarts = 2 if more else 0
    elsewhere = scope == "twin"
    assert fits_to_choose(selection, 2) == tried + restarts + (elsewhere and restarts > 0)
    assert different_fits(selection, 2) == tried + restarts + elsewhere
    if scope == "first:2":
        assert (fits_to_choose(selection, 3), different_fits(selection, 3)) == (restarts + (restarts > 0), restarts + 1)


def test_a_tie_goes_to_fewer_parameters_then_to_the_first() -> None:
    selection = selection_of(4, "halving")
    names = [each.specification for each in selection.alternatives]
    first = [tried_of(proposed(selection, 0, NAME, i, ()), i, 0.5, size) for i, size in enumerate([9, 5, 5, 7])]
    assert [proposed(selection, 0, NAME, 4 + i, first).candidate for i in range(2)] == [names[1], names[2]]
    first[1] = replace(first[1], score=None)
    assert [proposed(selection, 0, NAME, 4 + i, first).candidate for i in range(2)] == [names[2], names[3]]


def test_each_alternative_has_a_share_of_its_own_epochs() -> None:
    learner = parse_learner("adapter:8:epochs=3/20/60:select=halving")
    assert learner.selection is not None
    assert [proposed(learner.selection, 0, NAME, i, ()).until for i in range(3)] == [1, 7, 20]


def test_a_finalist_that_fails_leaves_the_best_paused_trial_of_the_highest_rung() -> None:
    selection = selection_of(4, "halving")
    scores = {each.specification: 0.1 * place for place, each in enumerate(selection.alternatives)}
    *rest, last = searched_with(selection, scores)  # type: ignore[arg-type]
    assert winning(selection, [*rest, last], ()) == Trial(candidate=last.candidate)
    failed = replace(last, score=None)
    best = Trial(candidate=last.candidate, until=3)
    assert winning(selection, [*rest, failed], ()) == best
    assert restarted(selection, 0, [*rest, failed], 0) == best
    again = restarted(selection, 0, [*rest, failed], 1)
    assert again is not None
    assert (again.candidate, again.until) == (best.candidate, 3)
    second = [replace(each, score=None) if each.until == 3 else each for each in rest]
    assert winning(selection, [*second, failed], ()) == Trial(candidate=last.candidate, until=1), "the rung below"
    none = [replace(each, score=None) for each in rest]
    assert winning(selection, [*none, failed], ()) is None
    assert nothing_kept(selection, [*none, failed], ()) == "every alternative failed"


def test_what_the_failure_of_a_choice_says() -> None:
    some, first = selection_of(4, "random:2"), selection_of(2, more=":scope=first:2")
    tried = [replace(each, score=None) for each in searched_with(some, dict.fromkeys(names_of(some), 0.5))]
    assert nothing_kept(some, tried, ()) == "every alternative that was tried failed"
    assert "on a task on which the choice rests" in nothing_kept(first, [], ())
    good = searched_with(first, dict.fromkeys(names_of(first), 0.5))
    again = replace(good[0], trial=2, score=None)
    assert nothing_kept(selection_of(2, more=":restarts=1"), good, [again]) == (
        "every fit of the alternative that won failed"
    )


def names_of(selection: Selection) -> list[str]:
    return [each.specification for each in selection.alternatives]


@pytest.mark.parametrize("method", ["halving", "optuna:3"])
def test_methods_that_differ_by_task_do_not_choose_over_tasks(method: str) -> None:
    with pytest.raises((InputError, InputErrors), match="other alternatives on each task"):
        parse_learner(f"adapter:8/64:select={method}:scope=first:2")
    for scope in ("task", "twin"):
        assert parse_learner(f"adapter:8/64:select={method}:scope={scope}").selection is not None


# ---- Optuna


@needs_optuna
def test_optuna_learns_from_earlier_results() -> None:
    """After many results it proposes rather the values that were good."""
    selection = parse_learner(
        "adapter:2/3/4/5/6/7/8/9:learning_rate=1e-4/2e-4/3e-4/4e-4/5e-4/6e-4:select=optuna:40"
    ).selection
    assert selection is not None
    scores: dict[str, float | None] = {each.specification: float(each.point[0] == 5) for each in selection.alternatives}
    at = [selection[each.candidate].point[0] == 5 for each in searched_with(selection, scores)]
    assert sum(at) == 6, "all six rates of the good size were tried"
    assert at.index(True) < 20
    worst = searched_with(selection, {name: 1 - (score or 0) for name, score in scores.items()})
    assert [each.candidate for each in worst] != [each.candidate for each in searched_with(selection, scores)]


@needs_optuna
def test_optuna_draws_by_the_seed_and_tries_nothing_twice() -> None:
    selection = selection_of(6, "optuna:6")
    scores: dict[str, float | None] = {each.specification: None for each in selection.alternatives}
    orders = {tuple(each.candidate for each in searched_with(selection, scores, seed)) for seed in range(4)}
    assert len(orders) > 1
    assert all(sorted(order) == sorted(scores) for order in orders)


def test_a_missing_optuna_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream.selection.sampler, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"Optuna is not installed") as caught:
        check_method(selection_of(3, "optuna:2"))
    assert "taskstream[optuna]" in str(caught.value)
    with pytest.raises(InputError, match="Optuna is not installed"):
        proposed(selection_of(3, "optuna:2"), 0, NAME, 0, ())
    check_method(selection_of(3, "random:2"))


def test_alternatives_that_are_no_grid_have_one_axis() -> None:
    learner = parse_learner("adapter:2/3/4:learning_rate=1e-4/2e-4")
    assert learner.selection is not None
    assert [*points_of(learner.selection).values()] == [(i, j) for i in range(3) for j in range(2)]
    part = restricted(learner, lambda each: each.point != (1, 1)).selection
    assert part is not None
    assert [*points_of(part).values()] == [(i,) for i in range(5)]
    row = restricted(learner, lambda each: each.point[0] != 1).selection
    assert row is not None
    assert [*points_of(row).values()] == [(0, 0), (0, 1), (1, 0), (1, 1)]

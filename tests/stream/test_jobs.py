"""The plan: every job once, what it needs before it, and how many cells each way of evaluating runs."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from learners.specification.family import parse_learners
from stream.engine.jobs import audited_tasks, plan_jobs
from stream.engine.stream import make_stream

LEARNERS = parse_learners("full:isolated,full:sequential,head")
NAMES = tuple(f"task{i}" for i in range(12))

lengths = st.integers(1, len(NAMES))
ways = st.sampled_from(["full", "audited", "square"])


@given(lengths, ways, st.integers(0, 10))
def test_jobs_are_unique_and_come_after_what_they_need(length: int, way: str, seed: int) -> None:
    seen: set[str] = set()
    for job in plan_jobs(make_stream(NAMES[:length], "paper"), LEARNERS, way, seed):
        assert job.id not in seen
        assert set(job.needs) <= seen
        seen.add(job.id)


@given(lengths, ways, st.integers(0, 10))
def test_number_of_jobs_and_cells(length: int, way: str, seed: int) -> None:
    jobs = plan_jobs(make_stream(NAMES[:length], "paper"), LEARNERS, way, seed)
    kinds = Counter((job.learner, job.kind) for job in jobs)
    cells = Counter[str]()
    for job in jobs:
        if job.kind in ("evaluate", "audit"):
            cells[job.learner] += len(job.tasks)
    t = length
    full, square, audited = t * (t + 1) // 2, t * t, t + (t - 1) + t
    for name, learner in LEARNERS.items():
        isolated = learner.sharing == "isolated"
        assert kinds[name, "before"] == 1
        assert kinds[name, "fit"] == kinds[name, "evaluate"] == t
        assert kinds[name, "audit"] == (way == "audited" and isolated)
        expected = {"full": full, "square": square, "audited": audited if isolated else full}[way]
        assert cells[name] == expected


@given(lengths)
def test_only_a_sequential_fit_waits_for_the_one_before(length: int) -> None:
    for job in plan_jobs(make_stream(NAMES[:length], "paper"), LEARNERS, "full", 0):
        if job.kind == "fit":
            chained = job.learner == "full:sequential" and job.arrival > 1
            assert job.needs == ((f"fit/{job.learner}/{job.arrival - 1}",) if chained else ())


@given(st.integers(0, 1000))
def test_an_audit_takes_the_newest_and_one_past_task(seed: int) -> None:
    assert audited_tasks(NAMES[:1], seed, "head") == NAMES[:1]
    past, newest = audited_tasks(NAMES, seed, "head")
    assert newest == NAMES[-1]
    assert past in NAMES[:-1]
    assert audited_tasks(NAMES, seed, "head") == (past, newest)


def test_audits_reach_every_past_task() -> None:
    drawn = {audited_tasks(NAMES, seed, learner)[0] for seed in range(60) for learner in LEARNERS}
    assert drawn == set(NAMES[:-1])


@given(lengths)
def test_certificates_wait_for_the_cells_they_point_at(length: int) -> None:
    jobs = {job.id: job for job in plan_jobs(make_stream(NAMES[:length], "paper"), LEARNERS, "audited", 0)}
    for name in ("full:isolated", "head"):
        for t in range(2, length + 1):
            assert f"evaluate/{name}/{t - 1}" in jobs[f"evaluate/{name}/{t}"].needs
        assert f"evaluate/{name}/{length}" in jobs[f"audit/{name}/{length}"].needs
    assert not any(
        need.startswith("evaluate") for t in range(length) for need in jobs[f"evaluate/full:sequential/{t + 1}"].needs
    )

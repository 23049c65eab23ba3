"""Fresh tasks: their names say all of them, related ones share more, and every one can be made and told."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks import InputError, Limits, SimulatedSource, resolve_suite
from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.drafts import KINDS, Draft, build, draw_draft, varied
from tasks.sources.simulated.fresh import FAMILIES, Address, draft_of, draw_names, fresh_task, is_fresh
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.twin import examples
from tasks.suite import check_task_name

SOURCE = SimulatedSource()
ADDRESSES = st.builds(Address, st.integers(0, 10**18), st.integers(0, 100), st.integers(0, 99_999))


@given(ADDRESSES)
def test_a_name_says_all_of_a_task(address: Address) -> None:
    assert is_fresh(check_task_name(address.name))
    assert draw_names(address.name) == (address.name,)
    assert SOURCE.task(address.name).name == address.name
    again = fresh_task.__wrapped__(address.name)
    assert again == fresh_task(address.name)
    assert again.mechanism.space == address.name


@pytest.mark.parametrize(
    "name", ["cola", "sim0_50_7", "sim00_50_0007", "sim0_050_0007", "sim0_101_0007", "sim0_50_00007"]
)
def test_other_names_are_not_those_of_fresh_tasks(name: str) -> None:
    assert not is_fresh(name)
    assert draw_names(name) == ()
    with pytest.raises(InputError, match="not the name of a fresh task"):
        fresh_task(name)


def test_suites() -> None:
    assert draw_names("simulated:2") == ("sim0_50_0000", "sim0_50_0001")
    assert draw_names("simulated:1:relatedness=1:seed=7") == ("sim7_100_0000",)
    assert draw_names("simulated:12")[:5] == draw_names("simulated:5"), "a longer stream begins with the shorter"
    assert len(set(draw_names("simulated:20000"))) == 20_000
    suite, names = resolve_suite("cola, simulated:2:seed=3,sim0_0_0001", SOURCE.names(), SOURCE.draw)
    assert (suite, names) == (
        "cola,simulated:2:seed=3,sim0_0_0001",
        ("cola", "sim3_50_0000", "sim3_50_0001", "sim0_0_0001"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("simulated:", "suite simulated:: bad value of N; expected a whole number from 1 to 100,000; found ''"),
        ("simulated:0", "bad value of N"),
        ("simulated:many", "bad value of N"),
        ("simulated:5:sede=1", "unknown argument 'sede'; did you mean seed"),
        ("simulated:5:relatedness=1.5", "bad value of relatedness; expected a number from 0 to 1"),
        ("simulated:5:relatedness=0.333", "hundredths"),
        ("simulated:5:seed=-1", "bad value of seed"),
        ("simulated:2,sim0_50_0001", "'sim0_50_0001' is named twice"),
    ],
)
def test_bad_suites(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolve_suite(text, SOURCE.names(), SOURCE.draw)


def test_only_the_simulated_source_draws_tasks() -> None:
    with pytest.raises(InputError, match="suite simulated:5: only the simulated source draws fresh tasks"):
        resolve_suite("simulated:5", ["cola"])
    with pytest.raises(InputError, match="unknown task 'sim0_50_0001'"):
        resolve_suite("sim0_50_0001", ["cola"])


@pytest.mark.parametrize("kind", KINDS)
def test_fields_exist(kind: str) -> None:
    assert set(KINDS[kind].pool) <= {*lexicon().fields, *lexicon().nouns}
    assert len(set(KINDS[kind].pool)) == len(KINDS[kind].pool) >= KINDS[kind].fields[1]


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 1.0]) | st.floats(0, 1))
def test_every_draft_and_variation_makes_examples(seed: int, difficulty: float) -> None:
    chance = Chance("drafts", seed)
    family = draw_draft(chance)
    relative = varied(family, chance)
    assert (relative.kind, relative.register, len(relative.shares)) == (
        family.kind,
        family.register,
        len(family.shares),
    )
    assert len(set(family.fields) - set(relative.fields)) == (len(family.fields) > 1)
    for draft in (family, relative):
        mechanism = build(draft, "sim0_0_0000", difficulty)
        assert mechanism.difficulty == difficulty
        assert mechanism.shares == pytest.approx(draft.shares)
        assert len(mechanism.labels) == len(draft.shares)
        assert sum(mechanism.shares) == pytest.approx(1)
        meaning = mechanism.draw(chance)
        assert mechanism.label(meaning) in range(len(mechanism.labels))
        text, second = mechanism.write(meaning, chance, "train")
        assert text.strip()
        assert (second is None) == (KINDS[draft.kind].kind == "single")


@pytest.mark.parametrize("index", range(12))
def test_a_fresh_task_is_small_and_of_its_shares(index: int) -> None:
    name = Address(1, 0, index).name
    twin = fresh_task(name)
    assert twin.task.metric == "accuracy"
    assert twin.clarity == 0.97
    assert 100 * max(twin.mechanism.shares) + 5 < twin.best < twin.ceiling < 100
    assert SimulatedSource(noise="paper").twin(name).ceiling == pytest.approx(twin.best, abs=0.05)
    data = SOURCE.load(name, Limits(train=150, test=20))
    assert (SOURCE.rows(twin, "train"), SOURCE.rows(twin, "test")) == (2000, 100)
    assert data.task.ceiling == twin.ceiling
    assert set(data.train.target.tolist()) <= set(range(len(data.task.labels or ())))
    assert not set(data.train.text) & set(data.test.text)
    clean = [row.clean for row in examples(twin, 0, "train", 150)]
    for label, share in enumerate(twin.mechanism.shares):
        assert clean.count(label) / 150 == pytest.approx(share, abs=4 * (share * (1 - share) / 150) ** 0.5 + 0.01)


def test_difficulties_of_fresh_tasks_are_uniform_and_their_own() -> None:
    twins = [fresh_task(Address(3, 50, index).name) for index in range(200)]
    found = sorted(twin.mechanism.difficulty for twin in twins)
    assert all(0 <= difficulty <= 1 for difficulty in found)
    assert max(abs(difficulty - (at + 0.5) / 200) for at, difficulty in enumerate(found)) < 0.12  # Kolmogorov, 0.5 %
    given = SimulatedSource(difficulty=0.25).twin(twins[0].task.name)
    assert given.mechanism.difficulty == 0.25


def alike(first: Draft, second: Draft) -> float:
    """Share of the fields that two drafts of one kind have in common; 0 for drafts of two kinds."""
    common = set(first.fields) & set(second.fields)
    return len(common) / len({*first.fields, *second.fields}) if first.kind == second.kind else 0.0


def test_related_tasks_share_more() -> None:
    likeness = {}
    for relatedness in (0, 50, 100):
        pairs = []
        for seed in range(8):
            drafts = [draft_of(Address(seed, relatedness, index)) for index in range(80)]
            pairs += combinations(drafts, 2)
            kinds = {draft.kind for draft in drafts}
            assert relatedness or kinds == set(KINDS)
            assert relatedness < 100 or len(kinds) <= FAMILIES
        likeness[relatedness] = sum(alike(*pair) for pair in pairs) / len(pairs)
    assert likeness[100] > 2 * likeness[0]
    assert likeness[100] > 1.3 * likeness[50] > 1.3 * likeness[0]


def test_relatives_differ_by_one_field_and_unrelated_tasks_do_not_depend_on_relatedness() -> None:
    families = [draw_draft(Chance("fresh", 0, "family", number)) for number in range(FAMILIES)]
    for index in range(40):
        relative, free = draft_of(Address(0, 100, index)), draft_of(Address(0, 0, index))
        assert any(
            (family.kind, family.register) == (relative.kind, relative.register)
            and len(set(family.fields) - set(relative.fields)) <= 1
            for family in families
        )
        drafts = [draft_of(Address(0, percent, index)) for percent in range(101)]
        turn = drafts.index(relative)
        assert drafts == [free] * turn + [relative] * (101 - turn)

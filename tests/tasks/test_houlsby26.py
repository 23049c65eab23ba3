"""The table against what the paper prints elsewhere: averages, totals, proportions."""

from __future__ import annotations

import pytest

from tasks.houlsby26 import ADDITIONAL17, DATA_FACTS, GLUE9, HOULSBY26
from tasks.task import Task


def test_columns_average_to_the_paper() -> None:
    # Table 2, row "average": 72.7, 73.7, 74.0, 73.3 (the printed 74.0 is 74.08 cut off, not rounded).
    facts = [task.paper for task in ADDITIONAL17]
    columns = zip(
        *((fact.no_bert, fact.fine_tune, fact.variable_fine_tune, fact.adapters) for fact in facts if fact), strict=True
    )
    averages = [sum(value for value in column if value is not None) / 17 for column in columns]
    assert averages == pytest.approx([72.7, 73.7, 74.0, 73.3], abs=0.1)


def test_glue_columns_differ_as_the_printed_totals_do() -> None:
    # Table 1, column "total": 80.4, 80.0, 79.6. These are GLUE server scores, which count tasks and metrics that the
    # table does not print, so they are no means of its columns; their differences must agree all the same.
    facts = [task.paper for task in GLUE9]
    columns = zip(*((fact.fine_tune, fact.adapters, fact.adapters_64) for fact in facts if fact), strict=True)
    full, adapters, adapters_64 = (sum(value for value in column if value is not None) / 9 for column in columns)
    assert full - adapters == pytest.approx(80.4 - 80.0, abs=0.15)
    assert full - adapters_64 == pytest.approx(80.4 - 79.6, abs=0.15)


@pytest.mark.parametrize("task", ADDITIONAL17, ids=lambda task: task.name)
def test_additional_tasks_are_split_80_10_10(task: Task) -> None:
    paper = task.paper
    assert paper is not None
    assert paper.train / (paper.train + paper.validation + paper.test) == pytest.approx(0.8, abs=0.002)
    assert abs(paper.validation - paper.test) <= 1


@pytest.mark.parametrize(
    ("name", "total"),
    [  # rows of the data sets as released, before repeated texts are dropped
        ("newsgroups20", 18846),
        ("cf_airline", 14640),
        ("cf_corporate", 3118),
        ("cf_disasters", 10860),
        ("cf_emotion", 40000),
        ("cf_political_bias", 5000),
        ("cf_progressive_stance", 1159),
        ("sms_spam", 5574),
        ("news_aggregator", 422937),
    ],
)
def test_sizes_add_up_to_the_released_data(name: str, total: int) -> None:
    paper = next(task for task in HOULSBY26 if task.name == name).paper
    assert paper is not None
    assert paper.train + paper.validation + paper.test == total


@pytest.mark.parametrize("task", HOULSBY26, ids=lambda task: task.name)
def test_facts_of_the_data_agree_with_the_paper(task: Task) -> None:
    facts, paper = DATA_FACTS[task.name], task.paper
    assert paper is not None
    assert (facts.majority is None) == (paper.classes is None)
    assert facts.majority is None or 100 / (paper.classes or 1) <= facts.majority + 0.01 < 100
    if paper.mean_characters is not None:  # Table 3; a part of the data was measured for some
        assert facts.mean_characters == pytest.approx(paper.mean_characters, abs=3)


def test_order_and_metrics_of_glue() -> None:
    assert [(task.name, task.metric) for task in GLUE9] == [
        ("cola", "matthews"),
        ("sst2", "accuracy"),
        ("mrpc", "f1"),
        ("stsb", "spearman"),
        ("qqp", "f1"),
        ("mnli_m", "accuracy"),
        ("mnli_mm", "accuracy"),
        ("qnli", "accuracy"),
        ("rte", "accuracy"),
    ]
    assert {task.metric for task in ADDITIONAL17} == {"accuracy"}
    assert len(HOULSBY26) == 26

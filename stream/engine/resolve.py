"""Resolves what the settings name: tasks, source, order and learners. Takes no time, and reports all wrong names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from learners.backbones.locate import check_name
from learners.specification.family import parse_learners
from learners.specification.learner import Learner
from stream.config.settings import RunConfig
from stream.engine.attempts import Attempts
from stream.engine.stream import Stream, make_stream
from stream.results.metrics import metrics
from tasks.sources import Source, drawer, open_source
from tasks.suite import resolve_suite


@dataclass(frozen=True, eq=False)
class Resolved:
    """What the settings name. Known at once, before the backbone and the data.

    Attributes:
        suite: Name of the suite.
        source: Source of the examples.
        stream: The tasks in order of arrival.
        learners: The learners, by specification.
    """

    suite: str
    source: Source
    stream: Stream
    learners: Mapping[str, Learner]


def resolve(config: RunConfig) -> Resolved:
    """Resolves all names, also those that plug-ins define. Fast: reads no data and loads no backbone.

    Raises:
        InputErrors: All errors in the settings.
    """
    attempt = Attempts()
    attempt(metrics)  # a file that defines no metric must be reported now, not after the training
    learners = attempt(lambda: parse_learners(config.learners, config.training_overrides))
    source = attempt(lambda: open_source(config.source, config.columns))
    resolved = attempt(lambda: resolve_suite(config.suite, source.names(), drawer(source))) if source else None
    stream = attempt(lambda: make_stream(resolved[1], config.order)) if resolved else None
    attempt(partial(check_name, config.backbone))
    attempt.check()
    assert learners is not None
    assert source is not None
    assert resolved is not None
    assert stream is not None
    for name in stream.order:
        attempt(partial(source.task, name))  # report a task without data before the backbone is loaded
    attempt.check()
    return Resolved(resolved[0], source, stream, learners)

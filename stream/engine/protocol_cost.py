"""What a protocol costs, told before anything is loaded: fits, FLOPs and growth from shapes and published sizes alone.

It needs neither the weights of the backbone nor the data, so it can be told on a machine that has neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from learners.specification.family import parse_learners
from stream.config.protocol import Protocol, read_protocol
from stream.config.settings import RunConfig
from stream.engine.outlook import Outlook, architecture_of, outlook
from stream.engine.resolve import Resolved
from stream.engine.stream import make_stream
from stream.results.cost_document import account
from stream.results.growth import Figure
from stream.selection.trials import different_fits
from tasks.sources import drawer, open_source
from tasks.sources.simulated.fresh import fresh_task
from tasks.suite import TASKS, resolve_suite


@dataclass(frozen=True)
class LearnerPrice:
    """What one learner of a protocol costs.

    Attributes:
        fits: Number of fits over all tasks, those of the search and the restarts included.
        chosen: Number of fits that are kept: one a task. The others only serve the choice.
        flops: FLOPs of fits and evaluations; None if the sizes of the data are not known before they are read.
        growth: Parameters after all tasks without heads, in multiples of the backbone, or [least, most]; None if the
            architecture of the backbone is not known before it is loaded.
    """

    fits: int
    chosen: int
    flops: float | None
    growth: Figure | None


@dataclass(frozen=True)
class ProtocolCost:
    """What a protocol costs, with the settings of a run.

    Attributes:
        protocol: The preset.
        outlook: What one run with these settings does.
        learners: What each learner costs in one run, by specification.
        seeds: Number of runs with different seeds.
    """

    protocol: Protocol
    outlook: Outlook
    learners: Mapping[str, LearnerPrice]
    seeds: int

    @property
    def lines(self) -> tuple[str, ...]:
        """The cost in words: one line for the whole, one for each learner, one for each difference to the paper."""
        prices = self.learners.values()
        fits, kept = (self.seeds * sum(getattr(price, name) for price in prices) for name in ("fits", "chosen"))
        known = [price.flops for price in prices if price.flops is not None]
        work = f", about {self.seeds * sum(known):.2g} FLOPs" if known and len(known) == len(self.learners) else ""
        seeds = f", {self.seeds} seeds" if self.seeds > 1 else ""
        tasks = f"{self.outlook.tasks} task{'' if self.outlook.tasks == 1 else 's'}"
        whole = (
            f"protocol {self.protocol.name} ({self.protocol.source}): {tasks}, {len(self.learners)} learners{seeds}: "
            f"{fits:,} fits, {fits - kept:,} of them only to choose{work}"
        )
        return (whole, *self._learner_lines(), *(f"differs: {each}" for each in self.protocol.differs))

    def _learner_lines(self) -> list[str]:
        return [
            f"{specification}: {self.seeds * price.fits:,} fits"
            + ("" if price.flops is None else f", {self.seeds * price.flops:.2g} FLOPs")
            + ("" if price.growth is None else f", grows to {_times(price.growth)} without heads")
            for specification, price in self.learners.items()
        ]

    def as_dict(self) -> dict[str, object]:
        """The cost as a document for JSON."""
        return {
            "tasks": self.outlook.tasks,
            "training_rows": self.outlook.rows,
            "seeds": self.seeds,
            "fits": self.seeds * sum(price.fits for price in self.learners.values()),
            "flops": self.seeds * sum(price.flops or 0.0 for price in self.learners.values()) or None,
            "learners": {
                specification: {"fits": self.seeds * price.fits, "fits_kept": self.seeds * price.chosen,
                                "flops": None if price.flops is None else self.seeds * price.flops,
                                "growth_without_heads": price.growth}
                for specification, price in self.learners.items()
            },
        }  # fmt: skip


def protocol_cost(config: RunConfig, seeds: int = 1) -> ProtocolCost:
    """Returns what the protocol in the settings costs; other settings of the user count as well.

    Args:
        config: Settings with a protocol.
        seeds: Number of seeds. Isolated learners fit nothing anew for a further order.

    Raises:
        InputError: Unknown tasks, orders, learners or sources.
    """
    assert config.protocol is not None
    source = open_source(config.source, config.columns)
    suite, names = resolve_suite(config.suite, source.names(), drawer(source))
    learners = parse_learners(config.learners, config.training_overrides)
    named = Resolved(suite, source, make_stream(names, config.order), (), learners)
    found = outlook(config, named, config.workers or 1)
    architecture, order = architecture_of(config.backbone), named.stream.order
    rows = {}
    if architecture is not None and all(_outputs(task) for task in order):
        outputs = {task: _outputs(task) for task in order}
        rows = account(config.backbone, architecture, learners, outputs)["learners"]
    prices = {
        name: LearnerPrice(
            fits=sum(different_fits(learner.selection, at) for at in range(1, len(order) + 1)),
            chosen=len(order),
            flops=found.flops.get(name),
            growth=rows[name]["growth_without_heads"] if rows else None,
        )
        for name, learner in learners.items()
    }
    return ProtocolCost(read_protocol(config.protocol), found, prices, seeds)


def _outputs(task: str) -> int:
    """Returns the width of a task's head; 0 if it is not known before its data are read."""
    if task.startswith("simulated"):
        return fresh_task(task).task.outputs
    return TASKS[task].outputs if task in TASKS else 0


def _times(growth: Figure) -> str:
    """1.309x, or 1.025x to 1.680x."""
    numbers = dict.fromkeys(f"{number:.3f}x" for number in (growth if isinstance(growth, list) else [growth]))
    return " to ".join(numbers)

"""Contenders in processes of their own: started once, asked in turn over pipes, timed by themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
Answer = dict[str, Any]
# One thread in every library, nothing asked of the network, nothing sent anywhere.
ALONE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
QUIET = {"HF_HUB_OFFLINE": "1", "WANDB_MODE": "disabled", "TOKENIZERS_PARALLELISM": "false", "PYTHONWARNINGS": "ignore"}


class ContenderFailed(Exception):
    """A contender did not do its part; says which, why, and where its log is."""


class Contender(NamedTuple):
    """Who is measured.

    Attributes:
        name: As tables say it.
        process: Name of the process; of one name there is one, kept from part to part.
        function: `module:name` of what the process calls.
        settings: Of this contender, beside those of the case.
        environment: Of its process, beside one thread.
    """

    name: str
    process: str
    function: str
    settings: Mapping[str, Any] = {}
    environment: Mapping[str, str] = {}


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Of a process that finds this package and ours."""
    paths = [str(ROOT / "scripts"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, **QUIET, **more, "PYTHONPATH": os.pathsep.join(paths)}


class Process:
    """A process that answers calls of functions, one at a time; what it prints goes to a log."""

    def __init__(self, log: Path, more: Mapping[str, str]) -> None:
        self.log = log
        with log.open("a", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "benchmark.serve"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment(more),
            )

    def __enter__(self) -> Process:
        return self

    def tell(self, function: str, settings: Mapping[str, Any]) -> None:
        """Have it call a function."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # `hear` then finds that it ended
            self.process.stdin.write(json.dumps({"function": function, "settings": settings}) + "\n")
            self.process.stdin.flush()

    def hear(self, function: str) -> Answer:
        """What the function returned.

        Raises:
            ContenderFailed: It raised something, or the process died.
        """
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        told: dict[str, Any] = json.loads(line) if line else {"error": "the process ended"}
        if "error" in told:
            raise ContenderFailed(f"{function}: {told['error']}; see {self.log}")
        answer: Answer = told["answer"]
        return answer

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.process.wait()


@dataclass(eq=False)
class Processes:
    """The processes of a bench by name; they end with the `with` block."""

    logs: Path
    opened: dict[str, Process] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *raised: Any) -> None:
        self.stack.__exit__(*raised)

    def ask(self, contender: Contender, settings: Mapping[str, Any]) -> Answer:
        """What a contender answers, from its process, which is started when first asked for."""
        self.tell(contender, settings)
        return self.opened[contender.process].hear(contender.function)

    def tell(self, contender: Contender, settings: Mapping[str, Any]) -> None:
        """Have it begin."""
        if contender.process not in self.opened:
            started = Process(self.log(contender), {**ALONE, **contender.environment})
            self.opened[contender.process] = self.stack.enter_context(started)
        self.opened[contender.process].tell(contender.function, {**settings, **contender.settings})

    def log(self, contender: Contender) -> Path:
        return self.logs / f"{contender.process.replace(' ', '-')}.log"

    def alternate(
        self,
        contenders: Sequence[Contender],
        settings: Mapping[str, Any],
        repetitions: int,
        warm: Mapping[str, Any] | None = None,
    ) -> dict[str, list[Answer]]:
        """Answers of all contenders, asked A B C A B C ...: what slows the machine for a while slows all of them.

        Args:
            warm: Settings that differ in a first call of each, all at once, whose answers are not kept: libraries are
                then loaded.
        """
        if warm is not None:
            for contender in contenders:
                self.tell(contender, {**settings, **warm})
            for contender in contenders:
                self.opened[contender.process].hear(contender.function)
        found: dict[str, list[Answer]] = {contender.name: [] for contender in contenders}
        for _ in range(repetitions):
            for contender in contenders:
                found[contender.name].append(self.ask(contender, settings))
        return found

    def fresh(
        self, contender: Contender, calls: Sequence[Mapping[str, Any]], threads: int
    ) -> tuple[float, list[Answer]]:
        """Seconds from the start of processes, one for each call, side by side, to the end of the last; and answers.

        Args:
            threads: Of each process.
        """
        alone = {name: str(threads) for name in ALONE}
        begun = time.perf_counter()
        with ExitStack() as stack:
            processes = [
                stack.enter_context(Process(self.log(contender), {**alone, **contender.environment})) for _ in calls
            ]
            for process, settings in zip(processes, calls, strict=True):
                process.tell(contender.function, {**settings, **contender.settings})
            answers = [process.hear(contender.function) for process in processes]
        return time.perf_counter() - begun, answers

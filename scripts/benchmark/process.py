"""Run each contender in its own process. A process starts once, gets calls over pipes in turn, and times itself."""

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
# One thread in every library, and no use of the network.
ALONE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
QUIET = {"HF_HUB_OFFLINE": "1", "WANDB_MODE": "disabled", "TOKENIZERS_PARALLELISM": "false", "PYTHONWARNINGS": "ignore"}


class ContenderFailed(Exception):
    """A contender failed. The message says which one, why, and where its log is."""


class Contender(NamedTuple):
    """A contender.

    Attributes:
        name: Name in the tables.
        process: Name of its process. Contenders with the same name share a process, which stays from part to part.
        function: Function that the process calls, as `module:name`.
        settings: Arguments of this contender, in addition to those of the case. Default: none.
        environment: Environment variables of its process, in addition to one thread. Default: none.
        tree: Folder of the packages `tasks`, `learners`, `stream` of its process. Default: this repository.
    """

    name: str
    process: str
    function: str
    settings: Mapping[str, Any] = {}
    environment: Mapping[str, str] = {}
    tree: Path = ROOT


def environment(more: Mapping[str, str], tree: Path = ROOT) -> dict[str, str]:
    """Environment of a process that can import `benchmark` and the packages of a tree.

    Args:
        more: Further environment variables.
        tree: Folder of the packages. They come first on the path, before an installed version. Default: this
            repository.
    """
    paths = [str(ROOT / "scripts"), str(tree), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, **QUIET, **more, "PYTHONPATH": os.pathsep.join(paths)}


class Process:
    """A process that answers function calls, one at a time. Everything that it prints goes to a log."""

    def __init__(self, log: Path, more: Mapping[str, str], tree: Path = ROOT) -> None:
        self.log = log
        with log.open("a", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "benchmark.serve"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment(more, tree),
            )

    def __enter__(self) -> Process:
        return self

    def tell(self, function: str, settings: Mapping[str, Any]) -> None:
        """Send a call of a function."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # `hear` then reports that the process ended
            self.process.stdin.write(json.dumps({"function": function, "settings": settings}) + "\n")
            self.process.stdin.flush()

    def hear(self, function: str) -> Answer:
        """Wait for the return value of the function.

        Raises:
            ContenderFailed: The function raised an exception, or the process died.
        """
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        reply: dict[str, Any] = json.loads(line) if line else {"error": "the process ended"}
        if "error" in reply:
            raise ContenderFailed(f"{function}: {reply['error']}; see {self.log}")
        answer: Answer = reply["answer"]
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
    """Processes of a benchmark by name. They end with the `with` block."""

    logs: Path
    opened: dict[str, Process] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *raised: Any) -> None:
        self.stack.__exit__(*raised)

    def ask(self, contender: Contender, settings: Mapping[str, Any]) -> Answer:
        """Call a contender and wait for its answer. The first call starts its process."""
        self.tell(contender, settings)
        return self.opened[contender.process].hear(contender.function)

    def tell(self, contender: Contender, settings: Mapping[str, Any]) -> None:
        """Send a call to a contender without waiting for its answer."""
        if contender.process not in self.opened:
            started = Process(self.log(contender), {**ALONE, **contender.environment}, contender.tree)
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
        """Call all contenders in turn, A B C A B C ..., so that other load on the machine slows all of them.

        Args:
            warm: Settings that replace others in a first call of each contender, all at the same time. It loads the
                libraries, and its answers are dropped. Default: no such call.

        Returns:
            Answers by name of the contender, one per repetition.
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
        """Start a new process for each call, all at the same time.

        Args:
            threads: Threads of each process.

        Returns:
            Seconds from the start of the processes to the last answer; and the answers.
        """
        alone = {name: str(threads) for name in ALONE}
        begun = time.perf_counter()
        with ExitStack() as stack:
            processes = [
                stack.enter_context(Process(self.log(contender), {**alone, **contender.environment}, contender.tree))
                for _ in calls
            ]
            for process, settings in zip(processes, calls, strict=True):
                process.tell(contender.function, {**settings, **contender.settings})
            answers = [process.hear(contender.function) for process in processes]
        return time.perf_counter() - begun, answers

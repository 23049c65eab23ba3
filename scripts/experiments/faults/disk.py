"""A disk that fails on command. Every change that a process makes below some folders is a write point; any can fail."""

from __future__ import annotations

import builtins
import errno
import io
import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple
from unittest.mock import patch

Part = Literal["before", "half", "after"]
PARTS: tuple[Part, ...] = ("before", "half", "after")
# Calls that a full disk refuses. The others free space, or need none.
TAKES_ROOM = frozenset({"create", "write", "fsync", "mkdir", "rename", "replace"})


class Died(BaseException):
    """The simulated process is dead: nothing that it does from now on reaches the disk."""


@dataclass(frozen=True)
class Fault:
    """A fault at a write point.

    Attributes:
        at: Number of the write point, from 1.
        error: Number of the OSError that is raised there; None means that the process dies.
        part: How much of the call is done before the fault. Default: nothing. With `half`, a call that cannot be halved
            is not done.
        lasting: Raise the error at all later write points too. Default: no.
        power: The power fails with the process: file contents and names in folders are lost unless an fsync has
            settled them. Default: no.
    """

    at: int
    error: int | None = None
    part: Part = "before"
    lasting: bool = False
    power: bool = False


class Unsettled(NamedTuple):
    """A change that a power failure undoes until `path` (a file, or the folder of a name) is synchronised."""

    path: str
    undo: Callable[[], object]
    descriptor: int | None = None


@dataclass(eq=False)
class Disk:
    """Counts changes below `roots` in its `with` block, and raises the fault. For one thread.

    Attributes:
        fault: The fault; None only counts.
        points: Kind and path of the call at each write point so far.
        struck: Whether the fault has happened.
    """

    roots: tuple[Path, ...]
    fault: Fault | None = None
    points: list[tuple[str, str]] = field(default_factory=list)
    struck: bool = False
    _dead: bool = False
    _paths: dict[int, str] = field(default_factory=dict)  # of open descriptors
    _unsettled: list[Unsettled] = field(default_factory=list)
    _real: dict[str, Callable[..., Any]] = field(default_factory=dict)
    _patches: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Disk:
        calls: dict[str, Callable[..., Any]] = {"open": self._open, "fsync": self._fsync}
        calls |= {name: self._change(name) for name in ("mkdir", "rmdir", "unlink", "remove")}
        calls |= {name: self._move(name) for name in ("rename", "replace")}
        self._real = {name: getattr(os, name) for name in calls} | {"file": io.open}
        for name, call in calls.items():
            self._patches.enter_context(patch.object(os, name, call))
        for module in (io, builtins):
            self._patches.enter_context(patch.object(module, "open", self._open_file))
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()
        cut = self._dead and self.fault is not None and self.fault.power
        for change in reversed(self._unsettled):
            with suppress(FileNotFoundError):
                if cut:
                    change.undo()
        self._settle(*(change.path for change in self._unsettled))

    def point(self, kind: str, path: str, act: Callable[[], Any], half: Callable[[], Any] = lambda: None) -> Any:
        """Count a write point and do its change, or the part of it that the fault allows.

        Args:
            kind: Name of the call, such as `write`.
            act: Does the change.
            half: Does half of the change. Default: nothing.
        """
        if self._dead:
            raise Died
        self.points.append((kind, path))
        fault, number = self.fault, len(self.points)
        if fault is None or number < fault.at or (number > fault.at and not fault.lasting):
            return act()
        if fault.error == errno.ENOSPC and kind not in TAKES_ROOM:
            return act()
        self.struck = True
        if fault.part != "before":
            with suppress(OSError):  # of a call that would have failed anyway, such as a folder without a parent
                (act if fault.part == "after" else half)()
        if fault.error is not None:
            raise OSError(fault.error, os.strerror(fault.error), path)
        self._dead = True
        raise Died

    def unsettled(self, path: str, undo: Callable[[], object], descriptor: int | None = None) -> None:
        """Note a change that a power failure undoes until `path` is synchronised."""
        self._unsettled.append(Unsettled(path, undo, descriptor))

    def forget(self, descriptor: int) -> None:
        """Forget a descriptor that was closed."""
        self._paths.pop(descriptor, None)

    def _settle(self, *paths: str) -> None:
        for change in self._unsettled:
            if change.path in paths and change.descriptor is not None:
                os.close(change.descriptor)
        self._unsettled = [change for change in self._unsettled if change.path not in paths]

    def _inside(self, path: Any, folder: int | None = None) -> str | None:
        """Full path if it is below the roots; otherwise None."""
        if isinstance(path, int):
            return None
        full = os.path.abspath(os.path.join(self._paths.get(folder or -1, ""), os.fsdecode(path)))
        return full if any(Path(full).is_relative_to(root) for root in self.roots) else None

    def _create(self, path: str) -> None:
        if not os.path.exists(path):
            self.unsettled(os.path.dirname(path), lambda: os.unlink(path))
        self.point("create", path, lambda: io.FileIO(path, "w").close())

    def _open_file(self, file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        path = self._inside(file)
        if path is None or not set("wax+") & set(mode):
            return self._real["file"](file, mode, *args, **options)
        kept = mode.replace("b", "").replace("t", "")
        if "x" in mode and os.path.exists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        if "w" in mode or not os.path.exists(path):
            self._create(path)
        raw = Written(self, path, io.FileIO(path, kept.replace("x", "w")))
        self._paths[raw.fileno()] = path
        # All our text is UTF-8. Without a buffer, each write of the caller is one write point.
        return raw if "b" in mode else io.TextIOWrapper(raw, encoding="utf-8", write_through=True)

    def _open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        full = self._inside(path, dir_fd)
        if full is not None and flags & os.O_CREAT and not os.path.exists(full):
            self._create(full)
            flags &= ~os.O_EXCL
        descriptor: int = self._real["open"](path, flags, mode, dir_fd=dir_fd)
        self.forget(descriptor)
        if full is not None:
            self._paths[descriptor] = full
        return descriptor

    def _fsync(self, file: Any) -> None:
        path = self._paths.get(file if isinstance(file, int) else file.fileno())
        if path is None:
            self._real["fsync"](file)
        else:  # the power failure is simulated, so no real fsync is needed
            self.point("fsync", path, lambda: self._settle(path))

    def _change(self, name: str) -> Callable[..., None]:
        def call(path: Any, *args: Any, dir_fd: int | None = None, **options: Any) -> None:
            full = self._inside(path, dir_fd)
            options |= {} if dir_fd is None else {"dir_fd": dir_fd}
            if full is None or (name == "mkdir") == os.path.lexists(full):  # elsewhere, or the call fails anyway
                self._real[name](path, *args, **options)
                return
            if name == "mkdir":
                self.unsettled(os.path.dirname(full), lambda: shutil.rmtree(full))
            self.point(name, full, lambda: self._real[name](path, *args, **options))

        return call

    def _move(self, name: str) -> Callable[..., None]:
        def call(source: Any, target: Any, **options: Any) -> None:
            start, full = self._inside(source), self._inside(target)
            if start is None or full is None:
                self._real[name](source, target, **options)
                return
            before = Path(full).read_bytes() if os.path.isfile(full) else None

            def undo() -> None:
                if os.path.exists(start):
                    return  # the move was not done
                os.rename(full, start)
                if before is not None:
                    Path(full).write_bytes(before)

            self.unsettled(os.path.dirname(full), undo)
            self.point(name, full, lambda: self._real[name](source, target, **options))

        return call


class Written(io.RawIOBase):
    """A file open for writing. It is not an `io.FileIO`: NumPy writes into that without calling `write`."""

    def __init__(self, disk: Disk, path: str, file: io.FileIO) -> None:
        self._disk, self._path, self._file = disk, path, file

    def write(self, data: Any) -> int:
        content, size = bytes(data), os.fstat(self.fileno()).st_size
        kept = os.dup(self.fileno())  # stays with the file when it is renamed
        self._disk.unsettled(self._path, lambda: os.ftruncate(kept, min(size, os.fstat(kept).st_size)), kept)
        first = content[: len(content) // 2]
        act, half = (lambda: self._file.write(content)), (lambda: self._file.write(first))
        return int(self._disk.point("write", self._path, act, half))

    def truncate(self, size: int | None = None) -> int:
        return int(self._disk.point("truncate", self._path, lambda: self._file.truncate(size)))

    def close(self) -> None:
        if not self.closed:
            self._disk.forget(self.fileno())
            super().close()
            self._file.close()

    def readinto(self, buffer: Any) -> int | None:
        return self._file.readinto(buffer)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()

    def readable(self) -> bool:
        return self._file.readable()

    def writable(self) -> bool:
        return self._file.writable()

    def seekable(self) -> bool:
        return self._file.seekable()

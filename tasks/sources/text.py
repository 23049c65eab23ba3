"""The text of a data file, line by line: unpacked and decoded as it is read, within bounds no real task reaches."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from tasks.errors import InputError

# Characters in one text. Encoders read 512 tokens, some 2,500 characters; the longest text of the 26 tasks, a newsgroup
# posting, has 160,615. More is a file taken for a text, or a quotation mark that is never closed.
MAX_TEXT = 1_000_000
MAX_LINE = 8 * MAX_TEXT  # characters in a line, which holds two texts and other columns, in JSON with escapes
MAX_COLUMNS = 1000  # tables of published text tasks have up to some fifty
# Text packs three- to tenfold, rows that repeat each other fiftyfold; a gzip bomb comes near deflate's limit of 1,032.
MAX_RATIO = 100
RATIO_FREE = 16 << 20  # bytes; up to here a file may unpack to as much as it likes
CHUNK = 1 << 20  # bytes read at a time


def check_text(text: str, where: str, place: str) -> str:
    """Return a text that is not too long.

    Raises:
        InputError: It is; `place` names its column and row.
    """
    if len(text) > MAX_TEXT:
        raise InputError(
            f"{place} is too long a text",
            where=where,
            expected=f"at most {MAX_TEXT:,} characters",
            found=f"{len(text):,}",
            fix="cut it: a backbone reads the first few thousand",
        )
    return text


def read_lines(path: Path) -> Iterator[str]:
    """The lines of a UTF-8 file, each with its line end (\\n, \\r\\n or \\r); a byte order mark is left out.

    Raises:
        InputError: The file cannot be read or unpacked, is not UTF-8 text, or has a line of more than `MAX_LINE`.
    """
    where = str(path)
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    done, rest = 0, ""  # lines given out; the beginning of one whose end is not yet read
    for chunk in chain(unpacked(path), (b"",)):
        try:
            text = rest + decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line = done + 1 + error.object.count(b"\n", 0, error.start)
            found = f"byte 0x{error.object[error.start]:02x} in line {line}"
            raise InputError("not UTF-8 text", where=where, found=found, fix="save the file as UTF-8") from error
        if "\0" in text:
            line = done + 1 + text.count("\n", 0, text.index("\0"))
            found = f"a NUL character in line {line}"
            raise InputError("not a text file", where=where, found=found, fix="save it as UTF-8 text")
        lines = io.StringIO(text, newline="").readlines()
        for number, line_text in enumerate(lines, start=done + 1):
            if len(line_text) > MAX_LINE:
                raise InputError(f"line {number} is too long", where=where, expected=f"at most {MAX_LINE:,} characters")
        unfinished = chunk and lines and not lines[-1].endswith("\n")  # also if it ends in \r, as \n may follow
        rest = lines.pop() if unfinished else ""
        done += len(lines)
        yield from lines


def unpacked(path: Path) -> Iterator[bytes]:
    """The bytes of a file, a megabyte at a time, without the gzip around them.

    A packed file is unpacked once before, for its checksum and its size: nothing of a damaged one is given out.

    Raises:
        InputError: The file cannot be read, is truncated or damaged, or unpacks to more than `check_ratio` allows.
    """
    if path.name.lower().endswith(".gz"):
        size = 0
        for chunk in _chunks(path):
            size += len(chunk)
            check_ratio(size, path)
    yield from _chunks(path)


def check_ratio(size: int, path: Path) -> None:
    """Refuse a file of which `size` bytes came out, if that is more than a text file packs to.

    Raises:
        InputError: It is.
    """
    packed = path.stat().st_size
    if size > max(RATIO_FREE, MAX_RATIO * packed):
        raise InputError(
            "a packed file that unpacks to too much",
            where=str(path),
            expected=f"at most {MAX_RATIO} times its {packed:,} bytes",
            found=f"{size:,} bytes and more",
            fix="if it is to be trusted, write it again unpacked",
        )


def _chunks(path: Path) -> Iterator[bytes]:
    packed = path.name.lower().endswith(".gz")
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        found = f"{error} ({path.stat().st_size:,} bytes)"
        raise InputError(
            "truncated or damaged gzip file", where=str(path), found=found, fix="fetch it again"
        ) from error
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError("the file cannot be read", where=str(path), found=found) from error

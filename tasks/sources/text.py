"""Read the text of a data file line by line, unpacked and decoded.

Limits on length and size protect against damaged and hostile files. No real task reaches them.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from tasks.errors import InputError

# Characters per text. Encoders read 512 tokens, about 2,500 characters. The longest text of the 26 tasks, a newsgroup
# posting, has 160,615. A longer text is usually a whole file, or follows a quotation mark that is never closed.
MAX_TEXT = 1_000_000
MAX_LINE = 8 * MAX_TEXT  # characters per line, which can hold two texts, other columns, and escapes in JSON
MAX_COLUMNS = 1000  # published text tasks have up to about 50
# Compressed text is 3 to 10 times smaller, repeated rows 50 times. A gzip bomb comes close to deflate's limit, 1,032.
MAX_RATIO = 100
RATIO_FREE = 16 << 20  # unpacked size in bytes up to which any ratio is allowed
CHUNK = 1 << 20  # bytes per read


def check_text(text: str, where: str, place: str) -> str:
    """Return `text` if it has at most `MAX_TEXT` characters.

    Args:
        where: File or repository, for messages.
        place: Column and row of the text, for messages.

    Raises:
        InputError: The text is too long.
    """
    if len(text) > MAX_TEXT:
        raise InputError(
            f"the text in {place} is too long",
            where=where,
            expected=f"at most {MAX_TEXT:,} characters",
            found=f"{len(text):,}",
            fix="cut it: a backbone reads the first few thousand",
        )
    return text


def shown(names: Iterable[str]) -> str:
    """Names as one line for a message, at most 120 characters: a broken header can be as long as the file."""
    text = " ".join(", ".join(filter(None, names)).split())
    return text if len(text) <= 120 else text[:120] + "..."


def read_lines(path: Path) -> Iterator[str]:
    """The lines of a UTF-8 file, each with its line end (\\n, \\r\\n or \\r), without a byte order mark.

    Raises:
        InputError: The file cannot be read or unpacked, is not UTF-8 text, or has a line with more than `MAX_LINE`
            characters.
    """
    where = str(path)
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    done, rest = 0, ""  # number of lines returned; the start of the next line
    for chunk in chain(unpacked(path), (b"",)):
        try:
            text = rest + decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line = done + 1 + error.object.count(b"\n", 0, error.start)
            found = f"byte 0x{error.object[error.start]:02x} in line {line}"
            marked = not done and error.object.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            fix = f"save it as UTF-8 (iconv -f {'utf-16' if marked else 'windows-1252'} -t utf-8 IN > OUT)"
            raise InputError("not UTF-8 text", where=where, found=found, fix=fix) from error
        if "\0" in text:
            line = done + 1 + text.count("\n", 0, text.index("\0"))
            found = f"a NUL character in line {line}"
            raise InputError("not a text file", where=where, found=found, fix="save it as UTF-8 text")
        lines = io.StringIO(text, newline="").readlines()
        for number, line_text in enumerate(lines, start=done + 1):
            if len(line_text) > MAX_LINE:
                raise InputError(f"line {number} is too long", where=where, expected=f"at most {MAX_LINE:,} characters")
        unfinished = chunk and lines and not lines[-1].endswith("\n")  # also after \r, because \n may follow
        rest = lines.pop() if unfinished else ""
        done += len(lines)
        yield from lines


def unpacked(path: Path) -> Iterator[bytes]:
    """The bytes of a file, 1 MiB at a time. A `.gz` file is unpacked.

    A packed file is first unpacked once to check its checksum and size. So no bytes of a damaged file are returned.

    Raises:
        InputError: The file cannot be read, is truncated or damaged, or is larger than `check_ratio` allows.
    """
    if path.name.lower().endswith(".gz"):
        size = 0
        for chunk in _chunks(path):
            size += len(chunk)
            check_ratio(size, path)
    yield from _chunks(path)


def check_ratio(size: int, path: Path) -> None:
    """Check that a file does not unpack to more bytes than a text file would.

    Args:
        size: Unpacked bytes so far.
        path: The packed file.

    Raises:
        InputError: `size` is more than 16 MiB and more than 100 times the size of the file.
    """
    packed = path.stat().st_size
    if size > max(RATIO_FREE, MAX_RATIO * packed):
        raise InputError(
            "this packed file is too large when unpacked",
            where=str(path),
            expected=f"at most {MAX_RATIO} times its {packed:,} bytes",
            found=f"{size:,} bytes and more",
            fix="if you trust it, unpack it and give the unpacked file",
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
            "truncated or damaged gzip file", where=str(path), found=found, fix="download it again"
        ) from error
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError("the file cannot be read", where=str(path), found=found) from error

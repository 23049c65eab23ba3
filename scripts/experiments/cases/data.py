"""Bad data files: damaged, hostile, or not a task."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from .case import Case, World, write_csv

HEAD = ["text", "label"]
GOOD = "text,label\n" + "".join(f"ash red {n},label{n % 2}\n" for n in range(12))
MEGABYTE = 1 << 20


def rows_of(text: str = "ash red", count: int = 12) -> list[list[str]]:
    return [[f"{text} {number}", f"label{number % 2}"] for number in range(count)]


def table(*rows: list[str]) -> Callable[[Path], object]:
    return lambda folder: write_csv(folder / "data.csv", *rows)


def content(name: str, data: bytes | str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)


def packed_rows() -> bytes:
    lines = (f"{number} ash {number * 7919 % 1000},label{number % 2}\n" for number in range(4000))
    return gzip.compress(("text,label\n" + "".join(lines)).encode(), mtime=0)


def wrong_checksum(folder: Path) -> None:
    data = bytearray(packed_rows())
    data[-8] ^= 1  # first byte of the CRC-32 of the unpacked content
    (folder / "data.csv.gz").write_bytes(data)


def bomb(block: bytes, count: int = 1024, head: bytes = b"") -> Callable[[Path], object]:
    """A gzip file of about a megabyte that unpacks to `head` and `count` times `block`; its members are joined."""
    return lambda folder: (folder / "data.csv.gz").write_bytes(gzip.compress(head) + gzip.compress(block) * count)


def huge_row(folder: Path) -> None:
    with (folder / "data.csv").open("wb") as file:
        file.write(GOOD.encode())
        for _ in range(300):
            file.write(b"x" * MEGABYTE)
        file.write(b",label0\n")


def open_quote(folder: Path) -> None:
    """A quotation mark that is never closed, before 100 MB of rows."""
    with (folder / "data.csv").open("w", encoding="utf-8") as file:
        file.write(GOOD + '"elm')
        for _ in range(100):
            file.write("ash red,label0\n" * (MEGABYTE // 15))


def parquet(folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "data.parquet"
    pq.write_table(pa.table(dict(zip(HEAD, map(list, zip(*rows_of(), strict=True)), strict=True))), path)
    return path


def cut_parquet(folder: Path) -> None:
    path = parquet(folder)
    path.write_bytes(path.read_bytes()[:-60])


def parquet_bomb(folder: Path) -> None:
    """Half a terabyte of text in two kilobytes: all rows refer to one text in a dictionary."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["x" * 5_000_000]))
    pq.write_table(pa.table({"text": text, "label": ["a", "b"] * 50_000}), folder / "data.parquet", compression="zstd")


def unseen(folder: Path) -> None:
    for name, rows in (("train", rows_of()), ("validation", rows_of("elm")), ("test", rows_of("fir"))):
        write_csv(folder / f"{name}.csv", HEAD, *rows, *([["oak red", "label7"]] if name == "test" else []))


def one_label_in_train(folder: Path) -> None:
    write_csv(folder / "train.csv", HEAD, *[row for row in rows_of() if row[1] == "label0"])
    write_csv(folder / "test.csv", HEAD, *rows_of("fir"))


def many_columns(folder: Path) -> None:
    (folder / "data.jsonl").write_text("".join(json.dumps({f"c{n}": 1}) + "\n" for n in range(3000)), encoding="utf-8")


def two_files(folder: Path) -> None:
    write_csv(folder / "a.csv", HEAD, *rows_of())
    write_csv(folder / "b.csv", HEAD, *rows_of())


PLAIN: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "missing label": (table(["text", "kind"], *rows_of()), ("missing column label", "kind")),
    "missing text": (table(["words", "label"], *rows_of()), ("missing column text", "words")),
    "one label": (table(HEAD, ["ash", "a"], ["elm", "a"]), ("only one label",)),
    "empty file": (content("data.csv", ""), ("data.csv", "no rows", "an empty file")),
    "header only": (table(HEAD), ("data.csv", "no rows")),
    "label beside a score": (
        table(["text", "label", "score"], ["ash", "a", "1.5"], ["elm", "b", "2.5"]),
        ("which one is the target", "--column bad.label=label", "--column bad.score=score"),
    ),
    "semicolons": (content("data.csv", GOOD.replace(",", ";")), ("only one column", "separated by semicolons")),
    "semicolons and quotation marks": (
        content("data.csv", GOOD.replace("text,label", '"text";"label, kind"')),
        ("another separator", "separated by semicolons"),
    ),
    "one label in train": (one_label_in_train, ("only one label in train", "'label0'")),
    "blank texts": (table(HEAD, *[[" ", f"{n % 2}"] for n in range(9)]), ("data.csv", "every text is blank")),
    "class of blank texts only": (
        table(HEAD, *[["ash" if n % 2 else " ", f"label{n % 2}"] for n in range(9)]),
        ("only one label", "only dropped rows with a blank text have the label 'label0'"),
    ),
    "ids for labels": (
        table(HEAD, *[[f"ash red {n}", str(1000 + max(n, 9))] for n in range(60)]),
        (
            "is this column of labels an id?",
            "50 of 60 rows",
            "--column bad.score=YOURS",
            "--column bad.unique_label=YOURS",
        ),
    ),
    "ids on two rows each": (
        table(HEAD, *[[f"ash red {n}", f"id{n // 2}"] for n in range(300)]),
        ("is this column of labels an id?", "150 labels in 300 rows", "--column bad.unique_label=YOURS"),
    ),
    "blank label": (table(HEAD, *rows_of(), ["oak", ""]), ("blank label in row 13",)),
    "broken line": (table(HEAD, *rows_of(), ["oak"]), ("broken line 14", "expected 2 fields")),
    "not UTF-8": (
        content("data.csv", GOOD.encode() + b"caf\xe9,a\n"),
        ("not UTF-8", "0xe9 in line 14", "-f windows-1252"),
    ),
    "UTF-16": (content("data.csv", GOOD.encode("utf-16")), ("data.csv", "not UTF-8 text", "-f utf-16")),
    "NUL bytes": (content("data.csv", GOOD + "oak\0,a\n"), ("data.csv", "a NUL character in line 14")),
    "no score": (
        table(["text", "score"], ["ash", "1.5"], ["elm", "high"]),
        ("score in row 2 is not a number", "'high'"),
    ),
    "quote never closed": (content("data.csv", GOOD + '"oak,a\nelm,b\n'), ("broken line 14", "is not closed")),
    "column twice": (table(["text", "label", "label"]), ("two columns are called 'label'",)),
    "text of 2 million characters": (
        table(HEAD, *rows_of(), ["x" * 2_000_000, "label0"]),
        ("the text in column text, row 13 is too long", "at most 1,000,000 characters", "2,000,000"),
    ),
    "JSON nested 100,000 deep": (content("data.jsonl", "[" * 100_000 + "\n"), ("data.jsonl", "broken line 1")),
    "JSON object nested deep in a row": (
        content("data.jsonl", '{"text": "a", "label": "b"}\n{"text": ' + '{"a":' * 100_000 + "\n"),
        ("data.jsonl", "broken line 2"),
    ),
    "JSON with half a character": (
        content("data.jsonl", '{"text": "\\ud800", "label": 1}\n'),
        ("column text, row 1 holds no text",),
    ),
    "JSON with a list as label": (
        content("data.jsonl", '{"text": "a", "label": ["x"]}\n'),
        ("column label, row 1 holds no text",),
    ),
    "JSON with a column a row": (many_columns, ("data.jsonl", "too many columns", "at most 1,000")),
    "truncated gzip": (content("data.csv.gz", packed_rows()[:-4000]), ("data.csv.gz", "truncated or damaged gzip")),
    "gzip of a wrong checksum": (wrong_checksum, ("data.csv.gz", "truncated or damaged gzip file", "CRC")),
    "no gzip": (content("data.csv.gz", GOOD), ("data.csv.gz", "truncated or damaged gzip file")),
    "truncated Parquet": (cut_parquet, ("data.parquet", "damaged Parquet file")),
    "no Parquet": (content("data.parquet", "PAR1 no table PAR1"), ("data.parquet", "damaged Parquet file")),
    "pickle": (content("data.pkl", b"\x80\x04N."), ("unknown task 'bad'", "bad (no data file in it)")),
    "two files": (two_files, ("cannot choose between these data files", "a.csv, b.csv")),
    "pipe": (lambda folder: os.mkfifo(folder / "data.csv"), ("unknown task 'bad'",)),
    "link to nowhere": (lambda folder: (folder / "data.csv").symlink_to("nowhere.csv"), ("unknown task 'bad'",)),
    "link to a device": (lambda folder: (folder / "data.csv").symlink_to("/dev/zero"), ("unknown task 'bad'",)),
}
HEAVY: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "row of 300 MB": (huge_row, ("data.csv", "line 14", "at most 8,000,000 characters")),
    "quote never closed before 100 MB": (
        open_quote,
        ("row that starts in line 14 does not end", "quotation marks"),
    ),
    "gzip bomb, 1 GB of zeros": (bomb(bytes(MEGABYTE)), ("data.csv.gz", "too large when unpacked", "100 times")),
    "gzip bomb, 1 GB of rows": (
        bomb(b"ash,a\nelm,b\n" * (MEGABYTE // 12), head=b"text,label\n"),
        ("data.csv.gz", "too large when unpacked", "100 times"),
    ),
    "Parquet bomb": (parquet_bomb, ("data.parquet", "too large when unpacked", "100 times")),
}


def _meet(world: World, make: Callable[[Path], object]) -> Sequence[str]:
    folder = world.tasks / "bad"
    folder.mkdir()
    make(folder)
    return world.run(suite="colours,bad")


def _two_capitals(world: World) -> Sequence[str]:
    for name in ("Bad", "bad"):
        write_csv(world.tasks / f"{name}.csv", HEAD, *rows_of())
    return world.run(suite="bad")


def _label_of_test(world: World) -> Sequence[str]:
    folder = world.tasks / "bad"
    folder.mkdir()
    unseen(folder)
    return world.run(suite="colours,bad", unseen_labels="refuse")


def _no_positive(world: World) -> Sequence[str]:
    rows = [[f"ash red {n}", "elm", "same" if n % 2 else "other"] for n in range(40)]
    write_csv(world.tasks / "mrpc" / "data.csv", ["text", "text_b", "label"], *rows)
    return world.run(suite="mrpc")


DATA = (
    *(Case("data", name, lambda w, m=make: _meet(w, m), words) for name, (make, words) in PLAIN.items()),
    *(Case("data", name, lambda w, m=make: _meet(w, m), words, heavy=True) for name, (make, words) in HEAVY.items()),
    Case(
        "data",
        "names that differ only in capitals",
        _two_capitals,
        ("cannot choose between these data files of task bad", "Bad.csv, bad.csv"),
    ),
    Case("data", "label of test", _label_of_test, ("never in train", "'label7' in 1 of 13 test rows", "unseen-labels")),
    Case("data", "no positive class for F1", _no_positive, ("no positive class for F1", "found other, same")),
)

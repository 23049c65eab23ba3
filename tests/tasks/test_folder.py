from __future__ import annotations

import dataclasses
import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import InputError
from tasks.sources import FolderSource, open_source

Table = dict[str, list[str]]
TABLE: Table = {
    "text": [f'row {i}, "quoted"' for i in range(60)] + ["NA", "null", "x" * 200_000],
    "label": ["10", "9", "2"] * 21,
}


def write_csv(table: Table) -> bytes:
    rows = [list(table), *map(list, zip(*table.values(), strict=True))]
    return "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows).encode()


def write_tsv(table: Table) -> bytes:
    rows = [list(table), *map(list, zip(*table.values(), strict=True))]
    return "\r\n".join("\t".join(row) for row in rows).encode()


def write_jsonl(table: Table) -> bytes:
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    return "\n".join(json.dumps({**row, "label": int(row["label"])}) for row in rows).encode()


def write_parquet(table: Table) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({**table, "label": [float(label) for label in table["label"]]}), sink)
    return bytes(sink.getvalue())


WRITERS: dict[str, Callable[[Table], bytes]] = {
    "csv": write_csv,
    "tsv": write_tsv,
    "jsonl": write_jsonl,
    "parquet": write_parquet,
}


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_reads_the_same(tmp_path: Path, suffix: str, packed: str) -> None:
    put(tmp_path / "reference" / "data.csv", write_csv(TABLE))
    put(tmp_path / f"mine.{suffix}{packed}", WRITERS[suffix](TABLE))
    source = FolderSource(tmp_path)
    mine, reference = source.load("mine"), source.load("reference")
    assert mine.task.labels == ("2", "9", "10"), "labels are in numeric order"
    texts = mine.train.text + mine.validation.text + mine.test.text
    assert sorted(texts) == sorted(TABLE["text"])
    assert mine.id == reference.id


def test_names_leave_out_descriptions_and_hidden_files(tmp_path: Path) -> None:
    for name in ("b/data.csv", "cola/train.tsv", "a.csv.gz", "MANIFEST.tsv", ".hidden.csv", "empty/notes.md", "-x.csv"):
        put(tmp_path / name, b"")
    assert FolderSource(tmp_path).names() == ("cola", "a", "b")


def test_files_a_split(tmp_path: Path) -> None:
    for split, rows in (("train", 50), ("dev", 10), ("test", 5)):
        table = {name: values[:rows] for name, values in TABLE.items()}
        if split == "test":
            del table["label"]
        put(tmp_path / "mine" / f"{split}.csv", write_csv(table))
    data = FolderSource(tmp_path).load("mine")
    assert len(data.test) == 10
    assert data.notes[0] == "5 test rows without labels dropped"


def test_kinds_are_inferred(tmp_path: Path) -> None:
    pair = {**TABLE, "text_b": TABLE["text"]}
    put(tmp_path / "pair.csv", write_csv(pair))
    scores = [str(i / 7) for i in range(63)]
    put(tmp_path / "scored.csv", write_csv({"text": TABLE["text"], "text_b": TABLE["text"], "score": scores}))
    source = FolderSource(tmp_path)
    assert (source.task("pair").kind, source.task("pair").metric) == ("pair", "accuracy")
    scored = source.load("scored")
    assert (scored.task.kind, scored.task.metric, scored.task.outputs) == ("regression", "spearman", 1)
    assert scored.task.labels == ()
    assert scored.train.target.dtype == np.float32


def test_a_label_beside_a_score_is_a_question(tmp_path: Path) -> None:
    """The mapping answers it, the task's own before that for all tasks. A known task has one target anyway."""
    both = {**TABLE, "text_b": TABLE["text"], "score": [str(i / 7) for i in range(63)]}
    for name in ("mine", "stsb", "rte"):
        put(tmp_path / f"{name}.csv", write_csv(both))
    kinds = {
        (): "refused", ("label",): "pair", ("score",): "regression", ("mine.label",): "pair",
        ("mine.score", "label"): "regression", ("label", "score"): "refused", ("other.label",): "refused",
    }  # fmt: skip
    for mapped, kind in kinds.items():
        source = FolderSource(tmp_path, {name: name.rpartition(".")[2] for name in mapped})
        assert (source.task("stsb").kind, source.task("rte").kind) == ("regression", "pair")
        if kind != "refused":
            assert source.task("mine").kind == kind, mapped
            continue
        with pytest.raises(InputError, match=r"mine\.csv: both a label and a score") as caught:
            source.load("mine")
        assert "--column mine.label=label" in str(caught.value)
        assert "--column mine.score=score" in str(caught.value)
    assert FolderSource(tmp_path).load("stsb").notes[0] == "columns label and score: score is the target"
    labels, scores = {2.0, 9.0, 10.0}, {float(np.float32(i / 7)) for i in range(63)}
    for key, values in (("stsb.label", labels), ("STSB.unique_label", labels), ("score", scores)):
        data = FolderSource(tmp_path, {key: "score" if key == "score" else "label"}).load("stsb")
        assert set(data.train.target.tolist()) <= values, key
        assert not any("score is the target" in note for note in data.notes)
    put(tmp_path / "named.csv", write_csv({"text": TABLE["text"], "gold": TABLE["label"], "score": both["score"]}))
    assert FolderSource(tmp_path, {"named.label": "gold"}).load("named").task.labels == ("2", "9", "10")
    with pytest.raises(InputError, match=r"--column named\.label=gold.*--column named\.score=score"):
        FolderSource(tmp_path, {"label": "gold", "score": "score"}).load("named")


def test_the_fingerprint_tells_the_target(tmp_path: Path) -> None:
    """Two mappings of equal columns read different targets, if the task's own one names another."""
    both = {**TABLE, "text_b": TABLE["text"], "score": [str(i / 7) for i in range(63)]}
    put(tmp_path / "mine.csv", write_csv(both))
    sources = [
        FolderSource(tmp_path, {own: own.rpartition(".")[2], other: other})
        for own, other in (("mine.score", "label"), ("mine.label", "score"))
    ]
    assert sources[0].columns_of("mine") == sources[1].columns_of("mine")
    assert [source.load("mine").task.kind for source in sources] == ["regression", "pair"]
    assert len({source.fingerprint("mine") for source in sources}) == 2


def test_the_column_that_is_not_the_target_may_be_missing(tmp_path: Path) -> None:
    put(tmp_path / "scored.csv", write_csv({"text": TABLE["text"], "score": [str(i) for i in range(63)]}))
    assert FolderSource(tmp_path, {"label": "gold", "scored.score": "score"}).load("scored").task.kind == "regression"


def test_only_columns_in_use_must_be_named_and_unique(tmp_path: Path) -> None:
    """The header of a well-known file of spam, and rows with more or fewer empty fields at the end."""
    rows = "".join(f"{'ham' if i % 2 else 'spam'},message {i}{',' * (i % 6)}\n" for i in range(60))
    columns = {"text": "v2", "label": "v1"}
    put(tmp_path / "spam.csv", f"v1,v2,,,\n{rows}".encode())
    put(tmp_path / "plain.csv", ("v1,v2\n" + rows.replace(",\n", "\n")).encode())
    put(tmp_path / "twice.csv", f"v1,v2,x,x\n{rows.replace(',,', '')}".encode())
    source = FolderSource(tmp_path, columns)
    data = source.load("spam")
    assert (len(data.train) + len(data.validation) + len(data.test), data.task.labels) == (60, ("ham", "spam"))
    assert source.load("plain").id == data.id
    assert not any("not read" in note for note in data.notes)
    put(tmp_path / "spilt.csv", f"v1,v2,,,\n{rows}ham,one, two,,\n".encode())
    assert source.load("spilt").notes[0] == "values in columns without a name are not read (rows: 1)"
    with pytest.raises(InputError, match=r"broken line 2; expected 4 fields \(v1, v2, x, x\); found 2"):
        source.load("twice")
    put(tmp_path / "twice.csv", b"v1,v2,x,x\n" + b"".join(b"a%d,b%d,1,2\n" % (i % 2, i) for i in range(60)))
    assert source.load("twice").task.labels == ("a0", "a1")
    put(tmp_path / "spam.csv", b"v1,v2,,,\nham,one,,,,,text\n")
    with pytest.raises(InputError, match=r"broken line 2; expected 2 fields \(v1, v2\); found 7"):
        source.load("spam")


@pytest.mark.parametrize(
    ("name", "separator", "fix"),
    [
        ("a.csv", ";", "commas"),
        ("a.csv", "\t", r"name it \.tsv"),
        ("a.tsv", ",", r"name it \.csv"),
        ("a.tsv", "|", "comm"),
    ],
)
def test_another_separator_is_named(tmp_path: Path, name: str, separator: str, fix: str) -> None:
    put(tmp_path / name, GOOD.replace(",", separator).encode("utf-8-sig"))
    with pytest.raises(InputError, match=rf"only one column; expected columns separated by .*separated by .*{fix}"):
        FolderSource(tmp_path).load("a")


def test_columns_are_mapped(tmp_path: Path) -> None:
    put(tmp_path / "mine.csv", write_csv({"sentence": TABLE["text"], "label": TABLE["label"]}))
    with pytest.raises(InputError, match=r"mine\.csv: missing column text; found columns sentence, label; map yours"):
        FolderSource(tmp_path).load("mine")
    mapped = open_source(f"folder:{tmp_path}", {"text": "sentence"})
    assert len(mapped.load("mine").train) > 0
    assert mapped.fingerprint("mine") != FolderSource(tmp_path).fingerprint("mine")
    with pytest.raises(InputError, match="did you mean text"):
        FolderSource(tmp_path, {"txt": "sentence"})


def test_columns_are_mapped_for_one_task(tmp_path: Path) -> None:
    for name, header in (("mine", "sentence,label"), ("other", "text,label")):
        rows = "".join(f"row {number},{'ab'[number % 2]}\n" for number in range(40))
        (tmp_path / f"{name}.csv").write_text(f"{header}\n{rows}", encoding="utf-8")
    source = FolderSource(tmp_path, {"mine.text": "sentence"})
    assert len(source.load("mine").train.text) == len(source.load("other").train.text)
    assert source.fingerprint("other") == FolderSource(tmp_path).fingerprint("other")
    assert source.fingerprint("mine") != FolderSource(tmp_path, {"text": "sentence"}).fingerprint("other")
    with pytest.raises(InputError, match="unknown column 'txt'; did you mean text"):
        FolderSource(tmp_path, {"mine.txt": "sentence"})


def test_fingerprint_follows_content(tmp_path: Path) -> None:
    put(tmp_path / "mine.csv", write_csv(TABLE))
    source = FolderSource(tmp_path)
    before = source.fingerprint("mine")
    assert source.fingerprint("mine") == before
    assert dataclasses.replace(source, split_seed=1).fingerprint("mine") != before
    put(tmp_path / "mine.csv", write_csv(TABLE) + b"\nmore,10")
    assert source.fingerprint("mine") != before


def test_blank_rows_are_dropped_and_noted(tmp_path: Path) -> None:
    put(tmp_path / "mine.csv", write_csv({name: [*values, " "] for name, values in TABLE.items()}))
    assert "1 of 64 rows dropped: blank text" in FolderSource(tmp_path).load("mine").notes


GOOD = "text,label\n" + "".join(f"t{i},{'ab'[i % 2]}\n" for i in range(40))
BAD = {
    "missing column label": ("text,lable\na,b\n", "missing column label; found columns text, lable"),
    "one label": ("text,label\na,x\nb,x\n", "only one label; expected two labels or more; found 'x'"),
    "empty": ("", "no rows.*found an empty file"),
    "header only": ("text,label\n", "no rows.*found the header text, label only"),
    "blank texts": ("text,label\n ,a\n  ,b\n", "every text is blank"),
    "blank label": (GOOD + "t,\n", "blank label in row 41"),
    "short line": (GOOD + "t\n", "broken line 42; expected 2 fields .* found 1"),
    "long line": (GOOD + "a,b,c\n", "broken line 42; expected 2 fields .* found 3; quote"),
    "open quote": (GOOD + '"t,a\n', "broken line"),
    "twice": ("text,text,label\na,b,c\n", "two columns are called 'text'"),
    "unknown split": ("text,label,split\na,b,holdout\nb,c,train\n", "unknown split in row 1.*found 'holdout'"),
    "nul": (GOOD + "t\0,a\n", "NUL character in line 42"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_one_clear_line(tmp_path: Path, case: str) -> None:
    content, message = BAD[case]
    put(tmp_path / "mine" / "data.csv", content.encode())
    with pytest.raises(InputError, match=message) as caught:
        FolderSource(tmp_path).load("mine")
    assert str(tmp_path / "mine" / "data.csv") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("filename", "data", "message"),
    [
        (
            "data.csv",
            GOOD.encode() + b"caf\xe9,a\n",
            "not UTF-8 text; found byte 0xe9 in line 42; .*-f windows-1252 -t utf-8 ",
        ),
        ("data.csv", GOOD.encode("utf-16"), "not UTF-8 text; found byte 0xff in line 1; .*iconv -f utf-16 -t utf-8 "),
        ("data.csv.gz", gzip.compress(GOOD.encode(), mtime=0)[:-20], "truncated or damaged gzip"),
        ("data.csv.gz", GOOD.encode(), "truncated or damaged gzip"),
        ("data.parquet", b"PAR1 no table PAR1", "damaged Parquet"),
        ("data.jsonl", b'{"text": "a", "label": 1}\n[1]\n', "broken line 2"),
        ("data.jsonl", b'{"text": "a", "label"', "broken line 1"),
        ("data.jsonl", b'{"text": "\\ud800", "label": 1}', "column text, row 1 holds no text"),
        ("data.jsonl", b'{"text": "a", "label": ["x", "y"]}', "column label, row 1 holds no text"),
        ("data.pkl", b"", r"no task in this folder"),
    ],
    # names that do not hold the bytes: a name must be the same in every process that collects the tests
    ids=[
        "latin-1",
        "utf-16",
        "cut gzip",
        "no gzip",
        "no parquet",
        "list",
        "cut line",
        "surrogate",
        "list as label",
        "pickle",
    ],
)
def test_bad_bytes(tmp_path: Path, filename: str, data: bytes, message: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / filename).write_bytes(data)
    with pytest.raises(InputError, match=message):
        FolderSource(tmp_path).load("mine")


def test_unreadable_types_beside_good_tasks(tmp_path: Path) -> None:
    put(tmp_path / "good.csv", GOOD.encode())
    put(tmp_path / "mine" / "data.pkl", b"")
    with pytest.raises(InputError, match=r"no data file; expected a file one of \.csv.*found data\.pkl"):
        FolderSource(tmp_path).load("mine")
    with pytest.raises(InputError, match="did you mean good"):
        FolderSource(tmp_path).load("goood")
    put(tmp_path / "two" / "a.csv", b"")
    put(tmp_path / "two" / "b.csv", b"")
    with pytest.raises(InputError, match=r"cannot choose between these data files.*found a\.csv, b\.csv"):
        FolderSource(tmp_path).load("two")


@pytest.mark.parametrize(("score", "shown"), [("nan", "nan"), ("1e99", "1e99"), ("high", "high"), ("", "''")])
def test_scores_are_finite_numbers(tmp_path: Path, score: str, shown: str) -> None:
    rows = "".join(f"t{i},u{i},{i / 10}\n" for i in range(40))
    put(tmp_path / "stsb.csv", f"text,text_b,score\n{rows}t,u,{score}\n".encode())
    with pytest.raises(InputError, match=f"score in row 41 is not a number.*{shown}"):
        FolderSource(tmp_path).load("stsb")


def test_a_pair_task_needs_two_texts(tmp_path: Path) -> None:
    for name in ("rte", "stsb"):
        put(tmp_path / f"{name}.csv", GOOD.encode())
        with pytest.raises(InputError, match="missing column text_b"):
            FolderSource(tmp_path).load(name)


def test_bad_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no such folder"):
        open_source(f"folder:{tmp_path / 'nowhere'}")
    put(tmp_path / "mine" / "train.csv", GOOD.encode())
    with pytest.raises(InputError, match=r"no task in this folder.*give the folder above it"):
        open_source(f"folder:{tmp_path / 'mine'}")
    monkeypatch.chdir(tmp_path / "mine")
    for here in (".", "../mine"):
        with pytest.raises(
            InputError, match=rf"give the folder above it, folder:{re.escape(str(tmp_path.resolve()))}$"
        ):
            open_source(f"folder:{here}")
    with pytest.raises(InputError, match="did you mean folder:"):
        open_source(str(tmp_path))
    with pytest.raises(InputError, match="unknown source 'hubb'; did you mean hub"):
        open_source("hubb")
    with pytest.raises(InputError, match="not a task name"):
        FolderSource(tmp_path).load("../mine")


def complaint(source: FolderSource, name: str) -> str:
    """Load a task; the message if it is refused. Any other exception is a failure."""
    try:
        source.load(name)
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("suffix", [*WRITERS, "csv.gz"])
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_damaged_files_give_input_errors_only(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, data: st.DataObject
) -> None:
    small = {name: values[:30] for name, values in TABLE.items()}
    whole = gzip.compress(write_csv(small), mtime=0) if suffix == "csv.gz" else WRITERS[suffix](small)
    start = data.draw(st.integers(0, len(whole)))
    inserted = data.draw(st.binary(max_size=6))
    removed = data.draw(st.integers(0, 20))
    folder = tmp_path_factory.mktemp("damaged")
    (folder / f"mine.{suffix}").write_bytes(whole[:start] + inserted + whole[start + removed :])
    assert "\n" not in complaint(FolderSource(folder), "mine")


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=200)
    | st.text(alphabet='a,"\t\n\r x1-', max_size=80).map(lambda text: ("text,label\n" + text).encode())
)
def test_any_bytes_are_a_task_or_an_input_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    for suffix in ("csv", "tsv", "jsonl", "csv.gz", "parquet"):
        (folder / f"{suffix.replace('.', '_')}.{suffix}").write_bytes(content)
    source = FolderSource(folder)
    for name in source.names():
        assert "\n" not in complaint(source, name)


def test_a_column_of_ids_is_read_as_labels_if_it_is_confirmed(tmp_path: Path) -> None:
    rows = [f"word{n},{n if n < 40 else n % 2 + 100},{n / 7},{'test' if n > 50 else 'train'}" for n in range(70)]
    put(tmp_path / "mine.csv", "\n".join(["text,id,score,split", *rows]).encode())
    with pytest.raises(InputError, match=r"is this column of labels an id\?.*40 of 70 rows"):
        FolderSource(tmp_path, {"label": "id"}).load("mine")
    confirmed = FolderSource(tmp_path, {"label": "nowhere", "mine.unique_label": "id"})
    data = confirmed.load("mine")
    assert (data.task.kind, data.task.outputs, len(data.test)) == ("single", 42, 19)
    assert confirmed.fingerprint("mine") != FolderSource(tmp_path, {"label": "id"}).fingerprint("mine")
    assert FolderSource(tmp_path, {"mine.score": "id"}).load("mine").task.kind == "regression"
    with pytest.raises(InputError, match="two columns for the label"):
        FolderSource(tmp_path, {"mine.label": "id", "mine.unique_label": "id"})

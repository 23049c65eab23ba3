from __future__ import annotations

import copy
import dataclasses
import os
import random
import shutil
import string
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.encode import encode, encode_split
from tasks.encoded import EncodedSplit, EncodedTask, open_encoded, sample
from tasks.errors import InputError
from tasks.examples import UNLIMITED, Limits, TaskData
from tasks.keys import row_keys
from tasks.rows import Rows, read_rows
from tasks.task import Task
from tasks.tokenizer import Tokenizer

LETTERS = [*string.ascii_lowercase, *("##" + letter for letter in string.ascii_lowercase), "?", "!"]
TEXT = st.text(alphabet=string.ascii_lowercase + " ?!é", min_size=1, max_size=40).filter(str.strip)


@cache
def tokenizer() -> Tokenizer:
    """The tokenizer `library` as this package reads it."""
    return Tokenizer(library().backend_tokenizer)


@cache
def library() -> Any:
    """A BERT tokenizer of transformers, of single letters: a word of n letters is n tokens."""
    from transformers import BertTokenizer

    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS]
    return BertTokenizer(vocab={name: position for position, name in enumerate(names)})


@dataclasses.dataclass
class Memory:
    """A source that holds its rows, and counts how often they are read."""

    rows: Rows
    name: str = "memory"
    loads: int = 0
    ceiling: float | None = None

    def names(self) -> tuple[str, ...]:
        return ("mine",)

    def task(self, name: str) -> Task:
        return self.load(name).task

    def load(self, name: str, limits: Limits = UNLIMITED) -> TaskData:
        self.loads += 1
        data = read_rows(name, self.rows, where="memory", split_seed=0)
        return dataclasses.replace(data, task=dataclasses.replace(data.task, ceiling=self.ceiling))

    def fingerprint(self, name: str, limits: Limits = UNLIMITED) -> str:
        return repr(self.rows)


def source(text: Sequence[str], text_b: Sequence[str] | None = None) -> Memory:
    splits = [("train", "dev", "test")[i // 2 % 3] for i in range(len(text))]
    return Memory(Rows(text, text_b, [str(i % 2) for i in range(len(text))], split=splits))


def words(count: int) -> list[str]:
    generator = random.Random(0)
    return [
        " ".join("".join(generator.choices("abc", k=generator.randint(1, 9))) for _ in range(generator.randint(1, 9)))
        for _ in range(count)
    ]


def encoded(folder: Path, count: int = 60, pair: bool = False, max_length: int = 16) -> EncodedTask:
    text = words(count)
    return encode(source(text, text[::-1] if pair else None), "mine", tokenizer(), "letters", max_length, folder)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=6, max_size=12), st.booleans(), st.integers(5, 40))
def test_every_row_is_what_the_tokenizer_makes_of_it_alone(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[str, str]], pair: bool, max_length: int
) -> None:
    memory = source([a for a, _ in texts], [b for _, b in texts] if pair else None)
    task = encode(memory, "mine", tokenizer(), "letters", max_length, tmp_path_factory.mktemp("cache"))
    data = memory.load("mine")
    for name in ("train", "validation", "test"):
        examples, split = getattr(data, name), getattr(task, name)
        assert len(examples) == len(split) == len(split.lengths) == len(split.target)
        assert np.array_equal(split.target, examples.target)
        for row in range(len(split)):
            second = None if examples.text_b is None else examples.text_b[row]
            alone = library()(examples.text[row], second, truncation="longest_first", max_length=max_length)
            part = slice(split.offsets[row], split.offsets[row + 1])
            assert split.ids[part].tolist() == alone["input_ids"]
            assert split.types[part].tolist() == alone["token_type_ids"]
            assert 2 < split.lengths[row] <= max_length


def test_second_encoding_reads_nothing(tmp_path: Path) -> None:
    memory = source(words(30))
    first = encode(memory, "mine", tokenizer(), "letters", 16, tmp_path)
    again = encode(memory, "mine", tokenizer(), "letters", 16, tmp_path)
    assert memory.loads == 1
    assert (again.id, again.path, again.notes, again.task) == (first.id, first.path, first.notes, first.task)
    assert isinstance(again.train.ids, np.memmap)
    assert {entry.name for entry in tmp_path.iterdir()} == {first.path.name}, "nothing temporary is left"
    others = [
        encode(memory, "mine", tokenizer(), "letters", 8, tmp_path),
        encode(memory, "mine", tokenizer(), "other", 16, tmp_path),
    ]
    assert len({task.path for task in (first, *others)}) == 3
    assert others[0].id != first.id, "other tokens, other content"
    assert others[1].id == first.id, "same tokens, same content"


def test_limits_change_nothing_where_the_source_ignores_them(tmp_path: Path) -> None:
    memory = source(words(30))
    whole = encode(memory, "mine", tokenizer(), "letters", 16, tmp_path)
    limited = encode(memory, "mine", tokenizer(), "letters", 16, tmp_path, Limits(train=3, test=2))
    assert (limited.id, limited.path, memory.loads) == (whole.id, whole.path, 1)


def test_a_ceiling_is_kept_beside_the_arrays_and_is_no_part_of_the_id(tmp_path: Path) -> None:
    whole = encoded(tmp_path / "plain")
    rated = source(words(60))
    rated.ceiling = 87.5
    task = encode(rated, "mine", tokenizer(), "letters", 16, tmp_path / "rated")
    assert task.id == whole.id
    assert (whole.task.ceiling, task.task.ceiling, open_encoded(task.path).task.ceiling) == (None, 87.5, 87.5)


def test_padding_and_truncation_stored_in_the_tokenizer_do_not_matter(tmp_path: Path) -> None:
    plain = encoded(tmp_path / "plain")
    baked = copy.deepcopy(library().backend_tokenizer)
    baked.enable_padding(length=50)
    baked.enable_truncation(4, direction="left")
    before = baked.to_str()
    task = encode(source(words(60)), "mine", Tokenizer(baked), "letters", 16, tmp_path / "baked")
    assert task.id == plain.id
    assert baked.to_str() == before, "the tokenizer itself is not changed"


def test_rows_are_cut_on_the_side_of_the_tokenizer(tmp_path: Path) -> None:
    left = encode(source(words(60)), "mine", Tokenizer(library().backend_tokenizer, side="left"), "left", 8, tmp_path)
    other = copy.deepcopy(library())
    other.truncation_side = "left"
    data = source(words(60)).load("mine")
    rows = other(list(data.train.text), truncation="longest_first", max_length=8)["input_ids"]
    assert left.train.ids.tolist() == [number for row in rows for number in row]
    assert left.id != encoded(tmp_path, max_length=8).id


def test_threads_of_several_lengths_encode_as_one_does(tmp_path: Path) -> None:
    """A copy of the tokenizer for each length is made on first use, and shared."""
    lengths = [5, 9, 16, 30] * 4
    rows = source(words(300)).load("mine").train
    alone = {length: encode_split(rows, tokenizer(), length, "mine").ids.tolist() for length in set(lengths)}
    fresh = Tokenizer(copy.deepcopy(library().backend_tokenizer))
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda length: encode_split(rows, fresh, length, "mine").ids.tolist(), lengths))
    assert found == [alone[length] for length in lengths]


def test_types_are_zero_where_the_tokenizer_gives_none(tmp_path: Path) -> None:
    assert encoded(tmp_path, pair=True).train.types.max() == 1
    silent = Tokenizer(library().backend_tokenizer, typed=False)
    text = words(60)
    task = encode(source(text, text[::-1]), "mine", silent, "silent", 16, tmp_path)
    assert task.train.types.max() == 0
    assert np.array_equal(task.train.ids, encoded(tmp_path, pair=True).train.ids)


def test_id_follows_every_array_and_label(tmp_path: Path) -> None:
    text = words(30)
    reference = encode(source(text), "mine", tokenizer(), "letters", 16, tmp_path).id
    assert encode(source([*text[:-1], "other"]), "mine", tokenizer(), "letters", 16, tmp_path).id != reference
    renamed = source(text)
    renamed.rows = dataclasses.replace(
        renamed.rows, label=["yes" if x == "1" else "no" for x in renamed.rows.label or ()]
    )
    assert encode(renamed, "mine", tokenizer(), "letters", 16, tmp_path).id != reference


def test_truncated_files_are_named_and_encoded_again(tmp_path: Path) -> None:
    task = encoded(tmp_path)
    file = task.path / "train.ids.npy"
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(InputError, match=r"train\.ids\.npy: truncated file"):
        open_encoded(task.path)
    assert encoded(tmp_path).id == task.id
    assert open_encoded(task.path).id == task.id
    (task.path / "test.keys.npy").unlink()
    with pytest.raises(InputError, match=r"test\.keys\.npy: missing file"):
        open_encoded(task.path)


def test_a_flipped_byte_is_encoded_again(tmp_path: Path) -> None:
    task = encoded(tmp_path)
    file = task.path / "train.ids.npy"
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    del task
    file.write_bytes(raw)
    again = encoded(tmp_path)
    assert file.read_bytes()[-1] == raw[-1] ^ 1
    assert encoded(tmp_path).id == again.id


@pytest.mark.parametrize("meta", [b"", b"{", b"[]", b"{}", b'{"format": "encoded 1"}', b"\xff"])
def test_damaged_meta(tmp_path: Path, meta: bytes) -> None:
    task = encoded(tmp_path, count=12)
    (task.path / "meta.json").write_bytes(meta)
    with pytest.raises(InputError, match=r"meta\.json: (not an encoded task|encoded by another version)"):
        open_encoded(task.path)
    shutil.rmtree(task.path)
    with pytest.raises(InputError, match="not an encoded task"):
        open_encoded(task.path)


def test_a_length_with_no_room_for_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="maximum length too small; expected more than 3 tokens; found 3"):
        encoded(tmp_path, max_length=3)


def rows_of(split: EncodedSplit) -> list[tuple[Any, ...]]:
    return [
        (tuple(split.ids[a:b].tolist()), tuple(split.types[a:b].tolist()), split.target[i].item(), split.keys[i].item())
        for i, (a, b) in enumerate(zip(split.offsets[:-1], split.offsets[1:], strict=True))
    ]


@st.composite
def splits(draw: st.DrawFn) -> EncodedSplit:
    """Splits of short rows, in which texts occur several times and with several labels."""
    texts = draw(st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=30))
    target = np.array(draw(st.lists(st.integers(0, 2), min_size=len(texts), max_size=len(texts))))
    offsets = np.concatenate(([0], np.cumsum([len(text) for text in texts])))
    ids = np.array([ord(letter) for text in texts for letter in text], np.int32)
    return EncodedSplit(ids, (ids % 2).astype(np.uint8), offsets, target, row_keys(texts, None, 0))


@settings(deadline=None)
@given(splits(), st.data())
def test_select_takes_rows_in_the_given_order(split: EncodedSplit, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, len(split) - 1), max_size=40))
    selected = split.select(np.array(rows, dtype=np.int64))
    assert rows_of(selected) == [rows_of(split)[row] for row in rows]
    assert selected.ids.dtype == np.int32
    assert selected.offsets.dtype == np.int64


@settings(deadline=None)
@given(splits(), st.integers(1, 35), st.integers(0, 9), st.randoms(use_true_random=False))
def test_a_sample_depends_on_content_alone(split: EncodedSplit, limit: int, seed: int, order: random.Random) -> None:
    drawn = rows_of(sample(split, limit, seed))
    assert len(drawn) == min(limit, len(split))
    whole = iter(rows_of(split))
    assert all(row in whole for row in drawn), "the order of the split is kept"
    shuffled = split.select(np.array(order.sample(range(len(split)), len(split))))
    assert sorted(rows_of(sample(shuffled, limit, seed))) == sorted(drawn)
    if limit > 1:
        smaller = rows_of(sample(split, limit - 1, seed))
        assert not [row for row in smaller if row not in drawn], "samples of one seed are nested"


def test_samples_differ_by_seed_and_need_a_limit(tmp_path: Path) -> None:
    split = encoded(tmp_path, count=300).train
    assert sample(split, None, 0) is split
    assert not np.array_equal(sample(split, 20, 0).keys, sample(split, 20, 1).keys)
    with pytest.raises(InputError, match="not a number of examples"):
        sample(split, 0, 0)


@pytest.mark.parametrize("pair", [False, True])
@pytest.mark.parametrize(("rows", "characters"), [(1, 10**6), (7, 10**6), (1000, 1), (1000, 90)])
def test_batches_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, characters: int, pair: bool
) -> None:
    """Texts go to the tokenizer a few at a time, as it keeps all that it cuts off until a batch is done."""
    whole = encoded(tmp_path / "whole", pair=pair)
    monkeypatch.setattr("tasks.encode.BATCH", rows)
    monkeypatch.setattr("tasks.encode.BATCH_TEXT", characters)
    assert encoded(tmp_path / "parts", pair=pair).id == whole.id


def test_a_long_name_has_a_folder(tmp_path: Path) -> None:
    name = "x" * 250
    assert encode(source(words(60)), name, tokenizer(), "letters", 16, tmp_path).path.is_dir()


def test_a_tokenizer_that_fails_is_an_input_error(tmp_path: Path) -> None:
    from transformers import BertTokenizer

    few = BertTokenizer(vocab={name: position for position, name in enumerate(["[PAD]", "[CLS]", "[SEP]", "a"])})
    letters = Tokenizer(few.backend_tokenizer)
    with pytest.raises(InputError, match="task mine: the tokenizer cannot read its texts; found WordPiece error"):
        encode(source(words(60)), "mine", letters, "letters", 16, tmp_path)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00\x08\x00((((((((", b"\x80\x04N."])
def test_arrays_that_are_none_are_encoded_again(tmp_path: Path, damage: bytes) -> None:
    """An archive of arrays and a pickle among them: neither is opened."""
    task = encoded(tmp_path)
    file = task.path / "train.ids.npy"
    file.write_bytes(damage.ljust(file.stat().st_size, b"\0"))
    with pytest.raises(InputError, match="damaged file"):
        open_encoded(task.path)
    assert encoded(tmp_path).id == task.id


def test_what_a_crash_left_is_removed_a_day_later(tmp_path: Path) -> None:
    old, new = tmp_path / ".encoding-old", tmp_path / ".encoding-new"  # the second may still be at work
    for folder in (old, new):
        folder.mkdir()
        (folder / "train.ids.npy").touch()
    long_ago = time.time() - 25 * 3600
    os.utime(old, (long_ago, long_ago))
    task = encoded(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {new.name, task.path.name}

"""`--pack auto`: the number of slots that the memory of a card holds, and what a run records."""

from __future__ import annotations

from pathlib import Path

import pytest

import stream.engine.context
import stream.engine.pack_size
from learners.backbones.backbone import placed
from learners.specification.family import parse_learners
from learners.training.step_memory import kept_bytes
from stream import InputError
from stream.config.resolve import resolve_config
from stream.engine.context import prepare
from stream.engine.pack_size import MOST, SHARE, automatic_pack
from tests.loaded import backbone

SETTINGS = {
    "suite": "cola,rte",
    "learners": "adapter:4,full:isolated",
    "train_examples": 8,
    "test_examples": 4,
    "max_length": 24,
}


def test_it_follows_from_the_memory_of_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    learners = parse_learners("adapter:4,layernorm,full:isolated")
    largest = max(
        kept_bytes(placed(backbone(), "meta"), learners[name], learners[name].training.batch_size, 16)
        for name in ("adapter:4", "layernorm")
    )
    for memory, slots in ((0, 1), (int(5.5 * largest / SHARE), 5), (1 << 50, MOST)):
        monkeypatch.setattr(stream.engine.pack_size, "memory_of", lambda name, memory=memory: memory)
        assert automatic_pack(backbone(), learners.values(), 16, "cuda:0") == slots
        assert automatic_pack(backbone(), learners.values(), 16, "cpu") == 1
        assert automatic_pack(backbone(), [learners["full:isolated"]], 16, "cuda:0") == 1


def test_on_a_cpu_it_is_one_and_a_run_goes_on_as_it_began(tmp_path: Path) -> None:
    config, origins = resolve_config({"pack": "auto", "device": "cpu", "out": str(tmp_path)})
    assert (config.pack, origins["pack"]) == (1, "command line: auto, what suits this processor")
    (tmp_path / "config.toml").write_text("pack = 3\n", encoding="utf-8")
    config, origins = resolve_config({"pack": "auto", "device": "cpu", "out": str(tmp_path)})
    assert (config.pack, origins["pack"]) == (3, "command line: auto, as this run began")


def test_a_new_run_on_a_card_records_what_it_found(
    tmp_path: Path, tiny_backbone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, _ = resolve_config({**SETTINGS, "device": "cpu", "backbone": str(tiny_backbone), "out": str(tmp_path)})
    monkeypatch.setattr(stream.engine.context, "automatic_pack", lambda *given: 5)
    notes: list[str] = []
    context = prepare(config.model_copy(update={"pack": "auto"}), notes.append)
    assert (context.config.pack, context.setup().pack, context.numerics["pack"]) == (5, 5, 5)
    assert "packs of 5 Deltas" in notes


@pytest.mark.parametrize("given", ["many", 0, 257, 2.5])
def test_a_bad_value_is_one_error(given: object) -> None:
    with pytest.raises(InputError, match="or 'auto'") as caught:
        resolve_config({"pack": given})
    assert len(caught.value.errors) == 1

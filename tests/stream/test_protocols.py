"""Protocols: what their files say, where they stand among other settings, and what they cost before anything runs."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learners.specification.family import parse_learners
from learners.specification.learner import Learner
from stream.config.protocol import FOLDER, protocols, read_protocol
from stream.config.resolve import resolve_config
from stream.config.same_run import check_same_run
from stream.config.settings import RunConfig
from stream.config.toml import config_toml
from stream.engine.protocol_cost import protocol_cost
from stream.study.settings import resolve_study
from tasks.errors import InputError, InputErrors
from tasks.suite import SUITES
from tests.runs import call

PAPERS = ("adapterbias", "he-unified", "houlsby-17", "houlsby-glue")
RATES, EPOCHS, SIZES = "learning_rate", "epochs", "size"


def settings_of(name: str, **given: Any) -> tuple[RunConfig, int]:
    config, _, grid = resolve_study({"protocol": name, **given})
    return config, len(grid.seeds)


def learners_of(name: str) -> dict[str, Learner]:
    """The learners of a protocol by family and options, without the options of training and the alternatives."""
    config, _ = settings_of(name)
    return {s.split(":learning_rate")[0]: each
            for s, each in parse_learners(config.learners, config.training_overrides).items()}  # fmt: skip


def training_of(learner: Learner, setting: str) -> set[float]:
    found = [x.learner for x in learner.selection.alternatives] if learner.selection else [learner]
    return {getattr(each.training, setting) for each in found}


def alternatives(learner: Learner) -> int:
    return len(learner.selection.alternatives) if learner.selection else 1


def test_there_are_five() -> None:
    assert protocols() == (*PAPERS, "quick")
    assert {file.name for file in FOLDER.iterdir()} == {f"{name}.toml" for name in protocols()}


@pytest.mark.parametrize("name", [*PAPERS, "quick"])
def test_a_file_says_what_it_is_and_cites_each_setting(name: str) -> None:
    protocol = read_protocol(name)
    assert all((protocol.title, protocol.source, protocol.differs, protocol.settings))
    assert set(tomllib.loads(protocol.text)) == {"about", "settings"}
    assert set(protocol.settings) <= set(RunConfig.model_fields) - {"protocol", "out", "store"}
    if name in PAPERS:
        assert re.search(r"\(20\d\d\)", protocol.text)
        lines = protocol.text[protocol.text.index("[settings]") :].splitlines()
        for key in set(protocol.settings) - {"learners", "source", "evaluate", "max_length", "suite"}:
            (line,) = [line for line in lines if line.startswith(f"{key} =")]
            assert "#" in line, f"{key} cites nothing"
        for learner in parse_learners(",".join(protocol.settings["learners"])).values():
            assert not learner.trains or training_of(learner, "patience") == {0}, "the papers do not stop early"


@pytest.mark.parametrize("name", [*PAPERS, "quick"])
def test_settings_are_those_of_the_file(name: str) -> None:
    protocol, (config, origins, grid) = read_protocol(name), resolve_study({"protocol": name})
    for key, value in protocol.settings.items():
        if key == "seed":
            assert grid.seeds == (0, 1, 2, 3, 4)
            continue
        assert getattr(config, key) == (",".join(value) if key == "learners" else value)
        assert origins[key] == f"protocol {name}"
    rest = set(RunConfig.model_fields) - set(protocol.settings) - {"protocol"}
    assert {origins[key] for key in rest} == {"default"}
    assert (config.protocol, origins["protocol"]) == (name, "command line")


def test_houlsby_glue_is_section_3_2() -> None:
    config, seeds = settings_of("houlsby-glue")
    assert (config.suite, config.backbone, config.batch_size, config.restarts) == ("glue9", "bert-large-uncased", 32, 5)
    assert seeds == 1
    full, chosen, fixed = learners_of("houlsby-glue").values()
    for adapter, sizes in ((chosen, 3), (fixed, 1)):
        assert training_of(adapter, RATES) == {3e-5, 3e-4, 3e-3}
        assert training_of(adapter, EPOCHS) == {3, 20}
        assert alternatives(adapter) == 3 * 2 * sizes
        assert training_of(adapter, "warmup") == {0.1}
        assert training_of(adapter, "batch_size") == {32}
    assert training_of(full, EPOCHS) == {3}
    assert list(learners_of("houlsby-glue")) == ["full:isolated", "adapter:8/64/256", "adapter:64"]


def test_houlsby_17_is_section_3_3() -> None:
    config, _ = settings_of("houlsby-17")
    assert (config.suite, config.backbone, config.batch_size) == ("additional17", "bert-base-uncased", 32)
    found = learners_of("houlsby-17")
    assert list(found) == ["nobert", "full:isolated", "topk:1/2/3/5/7/9/11/12", "adapter:2/4/8/16/32/64"]
    assert not found.pop("nobert").trains
    for learner, sizes in zip(found.values(), (1, 8, 6), strict=True):
        assert training_of(learner, RATES) == {1e-5, 3e-5, 1e-4, 3e-3}
        assert training_of(learner, EPOCHS) == {20, 50, 100}
        assert alternatives(learner) == 12 * sizes


def test_adapterbias_is_the_released_code() -> None:
    config, _ = settings_of("adapterbias")
    assert (config.suite, config.max_length, config.batch_size, config.restarts) == ("glue9", 512, 32, 2)
    found = learners_of("adapterbias")
    shares = ["adapterbias", *(f"adapterbias:share={part}" for part in ("v", "alpha", "both")), "adapterbias:l0"]
    assert list(found) == shares
    for learner in found.values():
        expected = {
            "head_dropout": 0.5,
            "warmup": 0.0,
            "decay": False,
            "clip": 0.0,
            "epochs": 100,
            "weight_decay": 0.01,
        }
        assert {name: training_of(learner, name) for name in expected} == {k: {v} for k, v in expected.items()}


def test_he_unified_is_table_2() -> None:
    config, seeds = settings_of("he-unified")
    assert (config.suite, config.backbone, config.batch_size, seeds) == ("mnli_m,sst2", "roberta-base", 32, 5)
    found = learners_of("he-unified")
    assert list(found) == ["full:isolated", "bitfit", "prefix:32", "lora:16", "pfeiffer:32", "mam:16:16:scale=2"]
    for name, learner in found.items():
        expected = {"warmup": 0.06, "weight_decay": 0.1, "clip": 1.0, "epochs": 10, "decay": True}
        assert {key: training_of(learner, key) for key in expected} == {k: {v} for k, v in expected.items()}
        assert name == "full:isolated" or training_of(learner, RATES) == {1e-4}


@given(st.sampled_from([*PAPERS, "quick"]), st.data())
def test_a_call_wins_over_the_protocol(name: str, data: st.DataObject) -> None:
    numbers = {"max_length": st.integers(4, 99), "batch_size": st.integers(1, 9), "seed": st.integers(0, 9)}
    suites = st.sampled_from(["rte", "cola,rte"])
    own = data.draw(st.fixed_dictionaries({}, optional={**numbers, "restarts": st.integers(0, 3), "suite": suites}))
    config, origins, grid = resolve_study({"protocol": name, **own}, origin="call")
    for key, value in own.items():
        assert getattr(config, key) == value
        assert origins[key] == "call"
    if "seed" in own:
        assert grid.seeds == (own["seed"],)


def test_a_file_wins_over_the_protocol_and_may_name_it(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text('protocol = "he-unified"\nseed = "7,8"\nmax_length = 64\n', encoding="utf-8")
    config, origins, grid = resolve_study({"max_length": 32}, file)
    assert (config.max_length, config.batch_size, grid.seeds, config.backbone) == (32, 32, (7, 8), "roberta-base")
    assert [origins[key] for key in ("max_length", "batch_size", "seed", "protocol")] == [
        "command line", "protocol he-unified", f"file {file}", f"file {file}",
    ]  # fmt: skip
    config, origins, grid = resolve_study({"protocol": "quick"}, file)
    assert (config.protocol, config.max_length, config.backbone) == ("quick", 64, "embedded")
    assert origins["restarts"] == "protocol quick"


@pytest.mark.parametrize("where", ["--protocol", "setting protocol"])
def test_a_wrong_name_is_told_with_the_other_errors(where: str, tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text('protocol = "quik"\n' if where == "setting protocol" else "", encoding="utf-8")
    own: dict[str, Any] = {"max_length": 1} | ({} if where == "setting protocol" else {"protocol": "quik"})
    with pytest.raises(InputErrors) as caught:
        resolve_study(own, file)
    said = [str(error) for error in caught.value.errors]
    assert len(said) == 2
    assert f"{where}: unknown protocol 'quik'" in said[0]
    assert "did you mean quick" in said[0]
    assert "max_length" in said[1]
    with pytest.raises(InputErrors, match="bad value of protocol"):
        resolve_config({"protocol": 3})
    with pytest.raises(InputError, match="unknown protocol"):
        read_protocol("../quick")


@pytest.mark.parametrize("name", ["houlsby-glue", "quick"])
def test_a_run_records_the_protocol_and_continues(name: str, tmp_path: Path) -> None:
    config, origins = resolve_config({"protocol": name, "out": str(tmp_path), "epochs": 2})
    path = tmp_path / "config.toml"
    path.write_text(config_toml(config, origins), encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    assert f'protocol = "{name}"  # command line' in text
    assert re.search(rf"^batch_size = 32  # protocol {name}$", text, re.MULTILINE)
    assert resolve_config({}, path)[0] == config
    check_same_run(path, config)
    check_same_run(path, config.model_copy(update={"protocol": None}))  # the same values without the name
    with pytest.raises(InputErrors, match="batch_size differs"):
        check_same_run(path, config.model_copy(update={"batch_size": 16}))


FITS = {  # tasks x (alternatives + restarts) of each learner, times seeds
    "houlsby-glue": 9 * ((4 + 5) + (18 + 5) + (6 + 5)),
    "houlsby-17": 17 * (1 + 12 + 8 * 12 + 6 * 12),
    "adapterbias": 9 * 5 * (2 + 2),
    "he-unified": 5 * 2 * (3 + 5),
    "quick": 4 * ((2 + 1) + (4 + 1) + (4 + 1)),
}


@pytest.mark.parametrize("name", FITS)
def test_the_cost_is_told_from_shapes_and_published_sizes(name: str) -> None:
    config, seeds = settings_of(name)
    cost = protocol_cost(config, seeds)
    document = cost.as_dict()
    assert document["fits"] == FITS[name]
    assert json.loads(json.dumps(document)) == document
    learners: Any = document["learners"]
    assert sum(each["flops"] for each in learners.values()) == pytest.approx(document["flops"])
    assert {text for text, each in learners.items() if not each["flops"]} == {"nobert"} & set(learners)
    tasks = len(SUITES.get(config.suite, config.suite.split(",")))
    assert all(each["fits_kept"] == seeds * tasks for each in learners.values())
    whole, *each = cost.lines[: 1 + len(learners)]
    assert f"{FITS[name]:,} fits, {FITS[name] - seeds * tasks * len(learners):,} of them only to choose" in whole
    assert all(line.startswith(specification) for line, specification in zip(each, learners, strict=True))
    assert cost.lines[1 + len(learners) :] == tuple(f"differs: {text}" for text in cost.protocol.differs)


def test_flops_of_the_search_are_those_of_its_fits() -> None:
    """Epochs {3, 20} at three rates and three sizes, and five re-runs at the mean of both."""
    config, _ = settings_of("houlsby-glue")
    fixed, chosen = (x for name, x in protocol_cost(config).learners.items() if name.startswith("adapter"))
    fixed, chosen = sorted((fixed, chosen), key=lambda price: price.fits)
    assert chosen.flops is not None
    assert fixed.flops is not None
    assert chosen.flops / fixed.flops == pytest.approx((18 + 5) / (6 + 5), rel=0.05)
    assert (fixed.growth, chosen.growth) == (
        [pytest.approx(1.17305, abs=1e-5)] * 2,
        pytest.approx([1.0251, 1.6802], abs=1e-4),
    )


@pytest.mark.parametrize(("name", "missing"), [("houlsby-glue", "bert-large-uncased"), ("he-unified", "roberta-base")])
def test_plan_tells_the_cost_before_a_backbone_is_missed(
    name: str, missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    answer = call("plan", "--protocol", name, "--out", str(tmp_path / "run"), "--display", "plain")
    assert answer.code == 2
    said = " ".join(answer.out.split())
    assert f"protocol {name} (" in said
    assert f"{FITS[name]:,} fits" in said
    assert "FLOPs" in said
    assert missing in answer.err
    assert not (tmp_path / "run").exists()


def test_tasks_without_an_address_are_told_after_the_cost(tmp_path: Path) -> None:
    answer = call("plan", "--protocol", "houlsby-17", "--out", str(tmp_path / "run"), "--display", "plain")
    assert answer.code == 2
    assert "3,077 fits" in " ".join(answer.out.split())
    assert answer.err.count("no copy of task") == 5


def test_a_protocol_runs_with_other_settings(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    data = ("--source", f"folder:{tiny_tasks}", "--backbone", str(tiny_backbone), "--suite", "rte,colours")
    less = ("--learners", "topk:1/2", "--restarts", "1", "--epochs", "1", "--max-length", "16", "--workers", "1")
    out = tmp_path / "run"
    answer = call("run", "--protocol", "quick", *data, *less, "--out", str(out), "--display", "plain")
    assert (answer.code, answer.err) == (0, "")
    assert "protocol quick (" in " ".join(answer.out.split())
    settings = tomllib.loads((out / "config.toml").read_text(encoding="utf-8"))
    assert (settings["protocol"], settings["batch_size"], settings["train_examples"]) == ("quick", 32, 200)
    document = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert set(document["learners"]["topk:1/2"]["selection"]) == {"rte", "colours"}
    again = call("run", "--config", str(out / "config.toml"), "--display", "plain")
    assert (again.code, again.err) == (0, "")


def test_show_prints_the_file_with_its_comments_and_the_cost() -> None:
    answer = call("show", "protocol", "houlsby-glue", "--display", "plain")
    assert answer.code == 0
    assert answer.out.startswith(read_protocol("houlsby-glue").text.rstrip())
    assert "# protocol houlsby-glue" in answer.out
    document = json.loads(call("show", "protocol", "houlsby-glue", "--display", "json").out)
    assert document["cost"]["fits"] == FITS["houlsby-glue"]
    assert document["settings"]["restarts"] == 5
    assert call("show", "protocol", "houlsby", "--display", "plain").code == 2

"""Plug-ins from end to end: a learner, metric or source in a file outside the package, and an installed one."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stream
from stream import cost, load_results, plan, verify
from stream.cli.new import template
from stream.hub import load_model
from stream.plugins.file import read_plugins
from stream.plugins.load import load_plugins, reload_plugins
from stream.results.metrics import metrics
from tasks.errors import InputError, InputErrors
from tests.runs import Answer, as_arguments, call, events_of, fitted, read_results, start, tiny_settings, wait

METRIC = (
    "from stream.results.metrics import Metric\n"
    "METRIC = Metric(name='{name}', title='t', formula='f', citation='c', range=(0.0, 1.0), compute={compute})\n"
)


def write(folder: Path, kind: str, name: str) -> Path:
    """A template as `taskstream new` writes it."""
    path = folder / f"{name}.py"
    path.write_text(template(kind).replace("NAME", name), encoding="utf-8")
    return path


def ran(*plugins: Path, **settings: Any) -> Answer:
    files = [part for path in plugins for part in ("--plugin", str(path))]
    return call("run", *as_arguments(settings), *files, "--display", "none")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_tasks: Path, tiny_backbone: Path) -> Path:
    """A run with an own learner, alone and joined, and an own metric; its plug-ins beside it."""
    folder = tmp_path_factory.mktemp("plugins")
    learner, metric = write(folder, "learner", "mine"), write(folder, "metric", "worst")
    settings = tiny_settings(
        tiny_tasks, tiny_backbone, folder / "run", learners="head,mine,mine+adapter:4", suite="colours,rte"
    )
    options = [*as_arguments(settings), "--plugin", str(learner), "--plugin", str(metric), "--display", "plain"]
    answer = wait(start("run", *options))  # as a user does, through the installed command
    assert (answer.code, answer.err) == (0, "")
    (folder / "printed.txt").write_text(answer.out, encoding="utf-8")
    return folder


def test_an_own_learner_is_proven_and_verified(finished: Path) -> None:
    results = read_results(finished / "run")
    for name in ("mine", "mine+adapter:4"):
        assert results["learners"][name]["retention"]["verified"]
    sha256 = {name: hashlib.sha256((finished / f"{name}.py").read_bytes()).hexdigest() for name in ("mine", "worst")}
    assert results["plugins"] == [
        {"name": "mine", "kind": "learner", "source": "mine.py", "sha256": sha256["mine"]},
        {"name": "worst", "kind": "metric", "source": "worst.py", "sha256": sha256["worst"]},
    ]
    files = ["--plugin", str(finished / "mine.py"), "--plugin", str(finished / "worst.py")]
    answer = call("verify", str(finished / "run"), *files, "--rerun", "all", "--display", "json")
    assert (answer.code, json.loads(answer.out)["findings"]) == (0, [])


def test_its_content_is_in_the_keys_of_its_learners_alone(finished: Path) -> None:
    (opening,) = events_of(finished / "run", "run")
    learners = opening["inputs"]["learners"]
    key = f"sha256:{hashlib.sha256((finished / 'mine.py').read_bytes()).hexdigest()}"
    assert learners["mine"]["plugins"] == learners["mine+adapter:4"]["plugins"] == [key]
    assert "plugins" not in learners["head"]


def test_an_own_metric_stands_behind_ours(finished: Path) -> None:
    results = read_results(finished / "run")
    for learner in results["learners"].values():
        *ours, own = learner["metrics"]
        assert (own, ours) == ("worst", sorted(ours))
        assert learner["metrics"]["worst"] == min(learner["R"][-1])


def test_an_own_metric_is_shown(finished: Path, tmp_path: Path) -> None:
    printed = (finished / "printed.txt").read_text(encoding="utf-8")
    (heading,) = (line for line in printed.splitlines() if line.startswith("learner") and "proof" in line)
    assert heading.split()[-1] == "worst"
    results, run = load_results(finished / "run"), str(finished / "run")
    shown = {line.split()[0]: line.split()[-1] for line in printed.split(heading)[1].splitlines()[1:4]}
    assert shown == {name: f"{results[name].metrics['worst']:.4g}" for name in shown}
    assert [*results.summary().columns][-1] == "worst"
    assert call("report", run, "--html", str(tmp_path / "report.html"), "--display", "none").code == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "your own metric" in page
    assert shown["head"] in page


def test_the_same_from_python(finished: Path) -> None:
    files = [finished / "mine.py", finished / "worst.py"]
    run = finished / "run"
    left = plan(config=run / "config.toml", plugins=files, out=run)
    assert left.jobs_left == 0
    assert stream.run(config=run / "config.toml", plugins=files, out=run)["mine"].metrics["worst"] is not None
    assert verify(run, plugins=files).passed
    with pytest.raises(InputError, match="the plug-in of learner mine is missing"):
        verify(run)
    assert cost(backbone="bert-base-uncased", learners="mine", plugins=files[0])["learners"]["mine"]
    for call_of in (lambda: stream.run(plugins=3), lambda: verify(run, plugins=3), lambda: cost(plugins=3)):  # type: ignore[arg-type]
        with pytest.raises(InputError, match=r"bad value of plugins.*a path or a list of paths"):
            call_of()


def test_verify_without_them_says_which_to_bring(finished: Path) -> None:
    answer = call("verify", str(finished / "run"))
    assert (answer.code, answer.out) == (2, "")
    for error, (kind, name) in zip(answer.errors, (("learner", "mine"), ("metric", "worst")), strict=True):
        assert f"the plug-in of {kind} {name} is missing" in error
        assert (
            f"expected {name}.py, SHA-256 {hashlib.sha256((finished / f'{name}.py').read_bytes()).hexdigest()}" in error
        )
        assert f"--plugin {name}.py" in error


def test_verify_with_another_content_says_so(finished: Path, tmp_path: Path) -> None:
    shutil.copy(finished / "worst.py", tmp_path)
    (tmp_path / "mine.py").write_text((finished / "mine.py").read_text(encoding="utf-8") + "# changed\n")
    answer = call(
        "verify", str(finished / "run"), "--plugin", str(tmp_path / "mine.py"), "--plugin", str(tmp_path / "worst.py")
    )
    assert answer.code == 2
    (error,) = answer.errors
    assert "the plug-in of learner mine differs from the one that this run used" in error
    assert hashlib.sha256((tmp_path / "mine.py").read_bytes()).hexdigest() in error


def test_a_run_can_be_shown_without_them(finished: Path, tmp_path: Path) -> None:
    run = str(finished / "run")
    for verb in (("report", run), ("report", run, "--html", str(tmp_path / "report.html")), ("replay", run)):
        answer = call(*verb, "--display", "plain")
        assert (answer.code, answer.err) == (0, "")
    document = json.loads(call("compare", run, run, "--display", "json").out)
    assert document["same"]["cells"]
    assert document["cells"]["mine"]["logits"]["equal"] == document["cells"]["mine"]["compared"] > 0


def test_the_same_command_again_has_nothing_to_do_and_a_changed_learner_is_learned_anew(
    finished: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished, tmp_path / "copy")
    out, learner, metric = (tmp_path / "copy" / name for name in ("run", "mine.py", "worst.py"))
    config = ("--config", str(out / "config.toml"), "--out", str(out), "--display", "json", "--workers", "1")
    files = ("--plugin", str(learner), "--plugin", str(metric))
    before = events_of(out, "fit")
    assert call("run", *config, *files).code == 0
    assert events_of(out, "fit") == before
    learner.write_text(
        learner.read_text(encoding="utf-8").replace('reading.x * tensors["s"]', 'reading.x * tensors["s"] * 2')
    )
    plan = json.loads(call("plan", *config, *files).out)
    assert {name: share["fits_left"] for name, share in plan["learners"].items()} == {
        "head": 0,
        "mine": 2,
        "mine+adapter:4": 2,
    }
    assert any("its plug-in mine.py changed" in note for note in plan["notes"])
    assert call("run", *config, *files).code == 0
    anew = fitted(out)[len(before) :]
    assert sorted(anew) == sorted((name, task) for name in ("mine", "mine+adapter:4") for task in ("colours", "rte"))
    assert call("verify", str(out), *files).code == 0


def test_a_metric_may_come_later(finished: Path, tmp_path: Path) -> None:
    """It needs no fit, and a metric that is no longer asked for is gone."""
    shutil.copytree(finished, tmp_path / "copy")
    out, learner = tmp_path / "copy" / "run", tmp_path / "copy" / "mine.py"
    other = write(tmp_path, "metric", "lowest")
    config = tmp_path / "config.toml"
    config.write_text(
        (out / "config.toml").read_text(encoding="utf-8").split("plugins = ")[0]
        + f"plugins = ['{learner}', '{other}']\n"
    )
    answer = call("run", "--config", str(config), "--out", str(out), "--display", "none", "--workers", "1")
    assert (answer.code, answer.err) == (0, "")
    assert [*read_results(out)["learners"]["mine"]["metrics"]][-1] == "lowest"
    assert len(events_of(out, "fit")) == 6
    assert call("verify", str(out), "--plugin", str(learner), "--plugin", str(other)).code == 0


def test_an_own_source(tmp_path: Path, tiny_backbone: Path) -> None:
    path, out = write(tmp_path, "source", "shop"), tmp_path / "run"
    settings = tiny_settings(tmp_path, tiny_backbone, out) | {"source": "shop", "suite": "all"}
    answer = ran(path, **settings)
    assert (answer.code, answer.err) == (0, "")
    results = read_results(out)
    assert (results["source"], sorted(results["order"])) == ("shop", ["fruit", "weather"])
    assert [plugin["kind"] for plugin in results["plugins"]] == ["source"]
    assert call("verify", str(out)).code == 0  # its data are there: their ids say so
    assert call("verify", str(out), "--rerun", "2").code == 0
    assert call("run", *as_arguments(settings)).code == 2  # no plug-in, no such source


def test_a_metric_that_fails_on_the_run_itself_costs_no_work(
    tmp_path: Path, tiny_tasks: Path, tiny_backbone: Path
) -> None:
    """It passes every trial, of one and of four tasks, and cannot divide by nought after the second of this run."""
    path = tmp_path / "ratio.py"
    path.write_text(METRIC.format(name="ratio", compute="lambda R, b: 1 / (len(R) - 2) if len(R) else None"))
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", suite="colours,rte")
    answer = ran(path, **settings)
    assert answer.code == 2
    (error,) = answer.errors
    assert error.startswith(f"error: {path}:2: metric ratio fails on this run; found ZeroDivisionError")
    path.write_text(METRIC.format(name="ratio", compute="lambda R, b: float('nan')  # no number: an empty value"))
    assert ran(path, **settings).code == 2  # on four tasks that is no number
    path.write_text(METRIC.format(name="ratio", compute="lambda R, b: 0.5 if len(R) == 4 else float('nan')"))
    assert ran(path, **settings).code == 0
    assert read_results(tmp_path / "run")["learners"]["head"]["metrics"]["ratio"] is None
    assert len(fitted(tmp_path / "run")) == 2


@pytest.mark.usefixtures("warm_workers")
def test_workers_that_are_kept_take_the_plugin_of_each_run(
    tmp_path: Path, tiny_tasks: Path, tiny_backbone: Path
) -> None:
    path = write(tmp_path, "learner", "mine")
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path, suite="colours", learners="mine", plugins=[path])
    scores = []
    with stream.kept_workers(2) as workers:
        for name in ("one", "two"):
            results = stream.run(**settings | {"workers": workers, "out": tmp_path / name})
            scores.append(results.document["plugins"][0]["sha256"])  # type: ignore[index]
            assert verify(tmp_path / name, plugins=path).passed
            path.write_text(path.read_text(encoding="utf-8").replace("torch.zeros", "torch.ones"), encoding="utf-8")
    assert len(set(scores)) == 2


def test_a_model_is_passed_on_with_the_name_of_its_plugin(finished: Path, tmp_path: Path, tiny_backbone: Path) -> None:
    run, files = str(finished / "run"), ("--plugin", str(finished / "mine.py"), "--plugin", str(finished / "worst.py"))
    options = ("--learner", "mine", "--task", "rte", "--to-dir", str(tmp_path / "hub"), "--display", "none")
    assert "the plug-in of learner mine is missing" in call("export", run, *options).err
    answer = call("export", run, *options, *files)
    assert (answer.code, answer.err) == (0, "")
    (record,) = (path for path in tmp_path.rglob("config.json") if "taskstream delta" in path.read_text())
    with pytest.raises(InputError, match=r"config\.json: the plug-in of learner mine is missing; expected mine\.py"):
        load_model(record.parent)
    model = load_model(record.parent, str(tiny_backbone), plugins=[finished / "mine.py"])
    assert model.logits(["one text"], ["another"]).shape == (1, 2)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("x = = 1\n", r"bad\.py:1: not valid Python; found invalid syntax: x = = 1"),
        ("import os\n", r"bad\.py:1: this plug-in defines nothing; expected one of FAMILY, FAMILIES, METRIC"),
        ("\nMETRIC = 3\n", r"bad\.py:2: a metric has the wrong type; expected .*Metric; found int 3"),
        ("METRICS = 3\n", r"bad\.py:1: METRICS has the wrong type; expected a list; found int"),
        (
            "import nothing_of_this_name\nMETRIC = 1\n",
            r"bad\.py:1: .*when it is loaded; found ModuleNotFoundError",
        ),
        ("def f():\n    return y\nMETRIC = f()\n", r"bad\.py:2: this plug-in fails .* NameError: name 'y'"),
        ("SOURCE = object()\n", r"bad\.py:1: a source has the wrong type; expected an object with name, names"),
        (
            METRIC.format(name="other", compute="lambda R, b: 0.5"),
            r'bad\.py:2: metric and file .*name="bad".*found other',
        ),
        (
            METRIC.format(name="bad", compute="lambda R, b: 1 / 0"),
            r"bad\.py:2: metric bad fails on R.*ZeroDivisionError",
        ),
        (
            METRIC.format(name="bad", compute="lambda R, b: 'x'"),
            r"bad\.py:2: metric bad returns no number.*found 'x' \(str\)",
        ),
        (METRIC.format(name="bad", compute="lambda R, b: float(R[-1, -1])"), r"metric bad fails on R \[0, 0\]"),
        (
            METRIC.format(name="bwt_gem", compute="None"),
            r"bad\.py:2: the name of metric bwt_gem is in use; .*in the package",
        ),
        (METRIC.format(name="Bad name", compute="None"), r"bad\.py:2: bad name for a metric"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, error: str) -> None:
    (tmp_path / "bad.py").write_text(text)
    with pytest.raises(InputErrors, match=error) as found:
        load_plugins([tmp_path / "bad.py"])
    assert str(tmp_path) in str(found.value)
    assert "bad" not in metrics()


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ('"NAME:sequential"', '"NAME:sequentiel"', r"example 'NAME:sequentiel' of learner NAME cannot be read"),
        ('Learner("", "NAME"', 'Learner("", "other"', r"is not of this family; .*found other"),
        ('{"s": (writes,)}', '{"s": (writes, 2)}', r"a form of example 'NAME' .* fails; found RuntimeError"),
        (
            "return torch.zeros(shape)",
            "return torch.zeros(3)",
            r"does not match its declaration; .*128.*; found .*3",
        ),
        (
            'reading.x * tensors["s"]',
            "reading.x[0]",
            r"does not match its declaration; expected .*2, 3, 128",
        ),
        ("options=(SHARING,)", "options=(1 / 0,)", r"fails when it is loaded; found ZeroDivisionError"),
        ('options["sharing"]', 'options["sharin"]', r"cannot be built; found KeyError: 'sharin'"),
        ('name="NAME"', 'name="adapter"', r"the name of learner adapter is in use"),
        ('"NAME:sequential"),', '"NAME",), aliases=("houlsby",),', r"aliases of learner NAME are taken; found houlsby"),
    ],
)
def test_a_learner_is_tried_before_anything_is_trained(tmp_path: Path, old: str, new: str, error: str) -> None:
    path = write(tmp_path, "learner", "mine")
    text = path.read_text(encoding="utf-8")
    change = (old.replace("NAME", "mine"), new.replace("NAME", "mine"))
    assert change[0] in text
    path.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(InputErrors, match=rf"mine\.py:\d+: .*{error.replace('NAME', 'mine')}"):
        load_plugins([path])


@pytest.mark.parametrize(
    ("result", "error"),
    [
        ("x", ""),
        ('products.linear(x, tensors["s"])', r"form of example 'mine' .* fails; found ValueError"),
        (
            "products.matmul(x, x.transposed)",
            r"FLOPs of change, forward': 0, .*found .*FLOPs of change, forward': 4608",
        ),
    ],
)
def test_a_formula_for_flops_must_count_what_pytorch_counts(tmp_path: Path, result: str, error: str) -> None:
    path = write(tmp_path, "learner", "mine")
    formula = (
        f"    def change_products(self, tensors, reading, products):\n        x = reading.x\n        return {result}\n"
    )
    text = path.read_text(encoding="utf-8").replace("\ndef build", f"{formula}\ndef build")
    path.write_text(text, encoding="utf-8")
    if error:
        with pytest.raises(InputErrors, match=rf"mine\.py:\d+: .*{error}"):
            load_plugins([path])
    else:
        assert load_plugins([path]).defined[0].name == "mine"


def test_all_faults_of_all_files_at_once_and_before_the_run_begins(
    tmp_path: Path, tiny_tasks: Path, tiny_backbone: Path
) -> None:
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("def f(:\n")
    two.write_text("\n")
    answer = ran(one, two, tmp_path / "three.py", **tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run"))
    assert answer.code == 2
    assert [error.split(";")[0].split(": ", 1)[1] for error in answer.errors] == [
        f"{one}:1: not valid Python",
        f"{two}:1: this plug-in defines nothing",
        f"--plugin {tmp_path / 'three.py'}: no such file",
    ]
    assert not (tmp_path / "run").exists()


def test_two_plugins_of_one_name_clash(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    paths = [write(tmp_path, "metric", "worst"), write(tmp_path / "other", "metric", "worst")]
    with pytest.raises(InputErrors, match=rf"metric worst is in use; .*the same name in {paths[1]}:\d+; rename"):
        load_plugins(paths)
    with load_plugins([paths[0], paths[0]]).in_use():  # one file twice is one
        assert [*metrics()][-1] == "worst"


def test_a_plugin_is_known_for_the_length_of_a_run_alone(tmp_path: Path) -> None:
    path = write(tmp_path, "metric", "worst")
    first = load_plugins([path])
    path.write_text(path.read_text(encoding="utf-8").replace("min(last)", "max(last)"), encoding="utf-8")
    second = load_plugins([path])
    rows = np.array([[0.25, 0.75]])
    for plugins, expected in ((first, 0.25), (second, 0.75), (first, 0.25)):
        with plugins.in_use():
            assert metrics()["worst"].compute(rows, np.zeros(2)) == expected
        assert "worst" not in metrics()


def test_a_worker_refuses_other_content(tmp_path: Path) -> None:
    path = write(tmp_path, "learner", "mine")
    (defined,) = load_plugins([path]).defined
    origin = vars(defined.origin)
    assert reload_plugins([origin]).defined[0].name == "mine"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="the plug-in changed during the run"):
        reload_plugins([origin])


def test_files_are_judged_without_torch(tmp_path: Path) -> None:
    path = write(tmp_path, "learner", "mine")
    program = (
        "import sys; from stream.plugins.file import read_plugins; read_plugins(sys.argv[1:]); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)
    assert read_plugins([path])[0].lines == {"FAMILY": 24}


@pytest.mark.usefixtures("warm_workers")
def test_an_installed_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_tasks: Path, tiny_backbone: Path
) -> None:
    """By entry points of a distribution: a module that defines our names, and a thing itself."""
    site = tmp_path / "site"
    (site / "own_methods-1.5.dist-info").mkdir(parents=True)
    write(site, "learner", "own_learner")
    write(site, "metric", "own_metric")
    (site / "own_methods-1.5.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: own-methods\nVersion: 1.5\n"
    )
    (site / "own_methods-1.5.dist-info" / "entry_points.txt").write_text(
        "[taskstream.learners]\nany = own_learner\n[taskstream.metrics]\nany = own_metric:METRIC\n"
    )
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=":")
    out = tmp_path / "run"
    settings = tiny_settings(
        tiny_tasks, tiny_backbone, out, learners="own_learner,head", suite="colours,rte", workers=2
    )
    assert ran(**settings).code == 0
    results = read_results(out)
    assert [(p["name"], p["kind"], p["source"]) for p in results["plugins"]] == [
        ("own_learner", "learner", "own-methods 1.5"),
        ("own_metric", "metric", "own-methods 1.5"),
    ]
    (opening,) = events_of(out, "run")
    sha256 = hashlib.sha256((site / "own_learner.py").read_bytes()).hexdigest()
    assert opening["inputs"]["learners"]["own_learner"]["plugins"] == [f"own-methods 1.5 sha256:{sha256}"]
    assert call("verify", str(out)).code == 0
    monkeypatch.undo()
    answer = call("verify", str(out))
    assert answer.code == 2
    assert "install the package: pip install own-methods==1.5" in answer.err
    files = [word for name in ("own_learner", "own_metric") for word in ("--plugin", str(site / f"{name}.py"))]
    answer = call("verify", str(out), *files)
    assert answer.code == 2, "a file with the same content is not the package, whose name and version are in the keys"
    assert all("differs from the one that this run used; expected own-methods 1.5" in error for error in answer.errors)


def test_a_broken_installed_plugin_stops_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that the run does not use may be broken: a warning names it, and the built-in learners work."""
    site = tmp_path / "site"
    (site / "broken-1.0.dist-info").mkdir(parents=True)
    (site / "broken.py").write_text("import nowhere_to_be_found\n")
    (site / "broken-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (site / "broken-1.0.dist-info" / "entry_points.txt").write_text("[taskstream.learners]\nany = broken\n")
    monkeypatch.syspath_prepend(site)
    with pytest.warns(RuntimeWarning, match=r"broken 1\.0.*nowhere_to_be_found.*not available"):
        plugins = load_plugins()
    assert not [each for each in plugins.defined if "broken" in each.origin.source]


def test_templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for kind in ("learner", "metric", "source"):
        assert len(template(kind).splitlines()) < 30
        answer = call("new", kind, f"my_{kind}", "--display", "plain")
        assert (answer.code, answer.err) == (0, "")
        assert f"--plugin my_{kind}.py" in answer.out
    files = [part for path in tmp_path.glob("*.py") for part in ("--plugin", str(path))]
    listed = json.loads(call("list", "learners", *files, "--display", "json").out)
    assert listed[-1]["name"] == "my_learner"
    assert json.loads(call("list", "metrics", *files, "--display", "json").out)
    assert json.loads(call("show", "learner", "my_learner", *files, "--display", "json").out)["citation"] == "yours"
    assert "my_learner.py, SHA-256 " in call("show", "learner", "my_learner", *files, "--display", "json").out
    assert json.loads(call("show", "metric", "my_metric", *files, "--display", "json").out)["formula"] == "min_j R[T,j]"
    options = ("--backbone", "bert-base-uncased", "--suite", "glue9", "--learners", "my_learner", "--display", "json")
    assert json.loads(call("cost", *options, *files).out)["learners"]["my_learner"]["parameters_per_task"] == 12 * 768
    before = (tmp_path / "my_learner.py").read_bytes()
    for name, error in (
        ("my_learner", "my_learner.py: the file exists"),
        ("adapter", "the name of learner adapter is in use"),
        ("My-Learner", "bad name for a learner"),
    ):
        answer = call("new", "learner", name)
        assert (answer.code, error in answer.err) == (2, True)
    assert (tmp_path / "my_learner.py").read_bytes() == before

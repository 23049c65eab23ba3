"""Bad input through the entry point: one clear line for each fault, exit code 2, nothing computed."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from experiments import cases
from experiments.cases import CASES, Case, World, cell_of, make_world
from experiments.cases.models import Marker
from hypothesis import given
from hypothesis import strategies as st

from learners.backbones.backbone import load_backbone
from learners.specification.family import families, parse_learners
from stream.storage.learner_folder import learner_folder
from tasks.errors import InputError, InputErrors
from tasks.sources.simulated.fresh import draw_names
from tasks.suite import resolve_suite
from tests.end_to_end.test_experiments import call as call_script
from tests.runs import Answer, as_arguments, call, tiny_settings


@pytest.fixture(scope="module")
def good_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small world in which the cases are set up, to be copied."""
    return make_world(tmp_path_factory.mktemp("good")).folder


def refused(answer: Answer, faults: int = 1) -> list[str]:
    """The lines of a refusal: each names its fault after `error: `, with no traceback and nothing on stdout."""
    assert answer.code == 2, answer.err
    assert answer.out == ""
    lines = answer.errors
    assert len(lines) == faults, answer.err
    assert all(line.startswith("error: ") and len(line) > 20 for line in lines)
    assert "Traceback" not in answer.err
    return lines


def table() -> dict[tuple[str, str], tuple[str, str]]:
    """The exit code and the message of each case in BAD_INPUTS.md, which bad_inputs.py wrote, by area and name."""
    text = Path(cases.__file__).with_name("BAD_INPUTS.md").read_text(encoding="utf-8")
    rows = [line[2:-2].split(" | ", 5) for line in text.splitlines()[2:]]
    return {(area, name): (code, message) for area, name, code, _, _, message in rows}


def test_the_table_has_every_case_once() -> None:
    assert list(table()) == [(case.area, case.name) for case in CASES]


@pytest.mark.parametrize(
    "case", [case for case in CASES if not case.heavy], ids=lambda case: f"{case.area}: {case.name}"
)
def test_case(case: Case, tmp_path: Path, good_world: Path) -> None:
    """The table in BAD_INPUTS.md, word for word."""
    world = World(Path(shutil.copytree(good_world, tmp_path / "world")))
    answer = call(*case.make(world))
    assert case.refused(answer.code, answer.out, answer.err), (answer, case.words)
    said = cell_of(answer.err.strip().replace(str(world.folder), "DIR"))
    assert (str(answer.code), said) == table()[case.area, case.name]
    assert not (world.folder / "run").exists()
    assert not list(world.folder.rglob("executed"))


def test_the_world_of_the_cases_is_good(good_world: Path, tmp_path: Path) -> None:
    """Or they would be refused for another fault than their own."""
    world = World(Path(shutil.copytree(good_world, tmp_path / "world")))
    answer = call(*world.run())
    assert answer.code == 0, answer.err


@pytest.fixture
def world(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> Callable[..., Answer]:
    """`taskstream run` on the tiny world with some settings changed; refused, it must not begin a run folder."""

    def run(**more: object) -> Answer:
        out = tmp_path / "run"
        answer = call("run", *as_arguments(tiny_settings(tiny_tasks, tiny_backbone, out, **more)), "--display", "none")
        assert not out.exists()
        return answer

    return run


def test_all_faults_of_the_settings_at_once(world: Callable[..., Answer]) -> None:
    wrong = {"suite": "sms_spma", "learners": "adaptor,topk:0,head", "source": "folder:nowhere", "backbone": "/gone"}
    lines = refused(world(**wrong), faults=4)
    assert [word for word in ("adaptor", "topk:0", "nowhere", "/gone") if not any(word in line for line in lines)] == []
    lines = refused(world(seed=-1, workers=0, evaluate="fully"), faults=3)
    assert [word for word in ("seed", "workers", "evaluate") if not any(word in line for line in lines)] == []


def test_columns(world: Callable[..., Answer], tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    base = as_arguments(tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run"))
    for pair, words in {
        "txet=sentence": ("unknown column 'txet'", "did you mean text"),
        "text": ("--column", "OURS=THEIRS"),
        "=sentence": ("--column", "OURS=THEIRS"),
        "text=sentence": ("missing column sentence", str(tiny_tasks)),
    }.items():
        answer = call("run", *base, "--column", pair, "--display", "none")
        lines = refused(answer, faults=len(answer.errors))
        assert all(word in lines[0] for word in words), lines[0]


def test_the_script_calls_the_command_and_writes_the_table(tmp_path: Path) -> None:
    done = call_script("bad_inputs", "--area", "settings", "--only", "unknown t", "--out", str(tmp_path))
    assert done.code == 0, done.out + done.err
    (case,) = json.loads((tmp_path / "bad_inputs.json").read_text())["cases"]
    assert (case["input"], case["code"], case["refused"]) == ("unknown task", 2, True)
    assert case["message"] in (tmp_path / "bad_inputs.md").read_text()


# What meets a case in a process of its own, and tells the most memory that the process had. Not from getrusage, which
# counts in what the process that started it had then.
MEETING = """
import json, pathlib, sys
from tasks.errors import InputError
peaks = {}
for name, kind, where in json.loads(sys.argv[1]):
    try:
        if kind == "data":
            from tasks.sources import open_source
            open_source(f"folder:{where}").load("bad")
        else:
            from learners.backbones.backbone import load_backbone
            load_backbone(where)
        message = ""
    except InputError as error:
        message = str(error)
    status = pathlib.Path("/proc/self/status").read_text()
    peaks[name] = message, int(status.split("VmHWM:")[1].split()[0]) / 1024
print(json.dumps(peaks))
"""


@pytest.mark.parametrize(("area", "megabytes"), [("data", 250), ("model", 900)])
def test_nothing_fills_the_memory(area: str, megabytes: int, good_world: Path, tmp_path: Path) -> None:
    """Files made to: an interpreter with NumPy and Arrow has some 150 MB, with PyTorch and transformers some 500."""
    if not Path("/proc/self/status").is_file():
        pytest.skip("no /proc here to read the memory of a process from")
    heavy = [case for case in CASES if case.heavy and case.area == area]
    assert len(heavy) >= 5
    places = []
    for number, case in enumerate(heavy):
        world = World(Path(shutil.copytree(good_world, tmp_path / str(number))))
        case.make(world)
        places.append((case.name, area, str(world.tasks if area == "data" else world.backbone)))
    command = [sys.executable, "-c", MEETING, json.dumps(places)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for case in heavy:
        message, peak = found[case.name]
        assert all(word in message for word in case.words), (case.name, message)
        assert peak < megabytes, (case.name, peak)


def test_a_pickle_beside_good_weights_is_not_touched(good_world: Path, tmp_path: Path) -> None:
    world = World(Path(shutil.copytree(good_world, tmp_path / "world")))
    for name in ("pytorch_model.bin", "training_args.bin", "optimizer.pt", "data.pkl"):
        (world.backbone / name).write_bytes(pickle.dumps(Marker(world.folder / "executed")))
    answer = call(*world.run())
    assert (answer.code, (world.folder / "executed").exists()) == (0, False), answer.err
    pickle.loads((world.backbone / "data.pkl").read_bytes())
    assert (world.folder / "executed").exists(), "the pickle would have done it"


def test_code_in_a_model_folder_is_not_run(good_world: Path, tmp_path: Path) -> None:
    """Nor is another model loaded that an adapter's config or the config itself names."""
    world = World(Path(shutil.copytree(good_world, tmp_path / "world")))
    before = load_backbone(str(world.backbone)).digests
    code = f"import pathlib\npathlib.Path({str(world.folder / 'executed')!r}).touch()\nclass Mine: pass\n"
    (world.backbone / "mine.py").write_text(code)
    auto = {"AutoConfig": "mine.Mine", "AutoModel": "mine.Mine", "AutoTokenizer": ["mine.Mine", "mine.Mine"]}
    named = {
        "auto_map": auto,
        "transformers_weights": "../other.safetensors",
        "quantization_config": {"quant_method": "bitsandbytes"},
        "attn_implementation": "some-one/kernel",
    }
    config = json.loads((world.backbone / "config.json").read_text())
    (world.backbone / "config.json").write_text(json.dumps(config | named))
    settings = json.loads((world.backbone / "tokenizer_config.json").read_text())
    (world.backbone / "tokenizer_config.json").write_text(json.dumps(settings | {"auto_map": auto}))
    adapter = {"base_model_name_or_path": "../elsewhere", "peft_type": "LORA"}
    (world.backbone / "adapter_config.json").write_text(json.dumps(adapter))
    assert load_backbone(str(world.backbone)).digests == before
    assert not (world.folder / "executed").exists()


NAMES = st.text(alphabet="./\\~:=-_ abc\0\n", max_size=12)


@given(NAMES | st.tuples(st.sampled_from(sorted(families())), NAMES).map(":".join))
def test_no_learner_leaves_the_folder_of_its_run(text: str) -> None:
    """What is not refused names a folder in the run's: DIR/<learner>/R.csv."""
    try:
        names = parse_learners(text)
    except (InputError, InputErrors):
        return
    for name in names:
        assert learner_folder(Path("run"), name).resolve().parent == Path("run").resolve()


@given(NAMES | st.tuples(NAMES, NAMES).map("/".join))
def test_no_task_leaves_its_folder(text: str) -> None:
    try:
        _, names = resolve_suite(text, draw=draw_names)
    except InputError:
        return
    for name in names:
        assert Path("data", name).resolve().parent == Path("data").resolve()


@pytest.mark.parametrize(
    "arguments",
    [("walk",), ("run", "--epoch", "3"), ("verify", "run", "--seed", "three"), ("list", "things"), ("show", "task")],
)
def test_usage(arguments: tuple[str, ...]) -> None:
    """What the parser of the command line refuses: its own message, the same code."""
    answer = call(*arguments)
    assert answer.code == 2
    assert answer.out == ""
    assert "Usage: " in answer.err
    assert "taskstream" in answer.err
    assert "Traceback" not in answer.err


def test_folders_that_cannot_be_written(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("out", "store"):
        settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run") | {name: str(tmp_path / "file")}
        (line,) = refused(call("run", *as_arguments(settings), "--display", "none"))
        assert f"--{name} {tmp_path / 'file'}: cannot write here" in line

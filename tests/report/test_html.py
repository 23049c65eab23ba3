"""The page: well-formed, whole without network or script, nothing from outside becomes markup, nothing is missing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from stream import run
from stream.report.html import Record, page, read_record
from stream.report.html.marks import PAGE
from stream.report.html.record import Evidence
from stream.report.html.render import asset
from stream.report.numbers import points
from stream.report.terminal.league import PARTLY
from stream.results.results import Results
from tests.runs import call, ledger_of, read_results, tiny_settings

from .fake_results import HOULSBY26, LEARNERS, make_results
from .reader import Reader
from .test_failures import MESSAGE, failing

HOSTILE = "<script>alert(1)</script>\"'&\x00\u202e--></title><img src=x onerror=alert(2)>"
SCRIPT = asset("report.js")
LOADS = {"src", "srcset", "data", "poster", "action", "background", "formaction", "xlink:href"}


def read(results: dict[str, Any], record: Record | None = None) -> Reader:
    return Reader(page(Results.from_dict(results), record or Record()))


def states() -> dict[str, dict[str, Any]]:
    """Results of every kind: whole, begun, small, large, with failures, with names from a hostile hand."""
    hostile = make_results([HOSTILE, "rte"], ["head", "full:sequential"])
    hostile["learners"] = {HOSTILE: hostile["learners"]["head"], "b": hostile["learners"]["full:sequential"]}
    hostile["suite"] = hostile["source"] = hostile["backbone"]["name"] = hostile["environment"]["torch"] = HOSTILE
    hostile["tasks"][HOSTILE] |= {"kind": HOSTILE, "metric": HOSTILE, "notes": [HOSTILE]}
    hostile["learners"][HOSTILE] |= {"canonical": HOSTILE}
    hostile["learners"][HOSTILE]["failures"] = [{"task": HOSTILE, "arrival": 1, "step": 1, "message": HOSTILE}]
    hostile["learners"][HOSTILE]["R"][1][0] = None
    many = make_results([f"t{n}" for n in range(130)], ["head", "full:sequential"])
    crowd = make_results(HOULSBY26[:3])
    crowd["learners"] = {f"learner{n}": crowd["learners"]["head"] for n in range(60)}
    return {
        "whole": make_results(),
        "nothing done": make_results(arrivals=0),
        "one arrival": make_results(arrivals=1),
        "half": make_results(arrivals=13),
        "one task": make_results(["cola"]),
        "one learner": make_results(HOULSBY26[:3], ["head"]),
        "failures": failing("layernorm", (1, 3)),
        "all failed": failing("head", (0, 1, 2, 3)),
        "hostile": hostile,
        "130 tasks": many,
        "60 learners": crowd,
    }


STATES = states()


@pytest.mark.parametrize("state", STATES)
def test_every_element_is_closed_ids_are_unique_and_links_lead_somewhere(state: str) -> None:
    found = read(STATES[state])
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [attributes["href"] for attributes in found.named("a")]
    assert targets
    assert {target.removeprefix("#") for target in targets} <= set(ids)


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_loaded_and_no_other_script_can_run(state: str) -> None:
    text = page(Results.from_dict(STATES[state]), Record())
    found = Reader(text)
    assert {name for name, _ in found.elements} & {"link", "img", "iframe", "object", "embed", "image", "use"} == set()
    for _, attributes in found.elements:
        assert not LOADS & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
    assert not re.search(r"url\(|@import|https?://", text)
    policy = next(x["content"] for x in found.named("meta") if x.get("http-equiv") == "Content-Security-Policy")
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in policy
    assert text.count(f"<script>{SCRIPT}</script>") == 1
    assert len(found.named("script")) == 1


def test_names_from_outside_stay_text() -> None:
    found = read(STATES["hostile"], Record(command=HOSTILE, verify=HOSTILE, notice=HOSTILE, digest=HOSTILE))
    plain = HOSTILE.replace("\x00", "?").replace("\u202e", "?")
    text = "".join(found.text)
    assert text.count(plain) > 10
    assert not {"\x00", "\u202e"} & set(text)
    assert any(plain in title for title in found.titles)
    assert any(plain in attributes.get("aria-label", "") for _, attributes in found.elements)


def test_every_learner_and_task_is_in_every_part() -> None:
    results = make_results()
    text = page(Results.from_dict(results), Record())
    sections = re.split(r'(?= id="(?:league|growth|trade-off|matrices|forgetting|tasks|cost|run)")', text)
    words = {section[5 : section.index('"', 5)]: section.replace("<wbr>", "") for section in sections[1:]}
    assert list(words) == ["league", "growth", "trade-off", "matrices", "forgetting", "tasks", "cost", "run"]
    for section in words.values():
        assert all(name in section for name in LEARNERS)
    for name in ("matrices", "forgetting", "tasks", "run"):
        assert all(task in words[name] for task in HOULSBY26)


def test_matrices_name_tasks_and_the_row_before_and_curves_their_learners() -> None:
    for tasks, named in ((HOULSBY26[:3], True), ([f"task{n}" for n in range(50)], False)):
        results = make_results(tasks, list(LEARNERS)[:3])
        for learner in results["learners"].values():
            learner["R"][0] = [0.5] * len(tasks)
        text = page(Results.from_dict(results), Record())
        matrices, growth = text[text.index('id="matrices"') :], text[text.index('id="growth"') :]
        assert matrices.count(">before</text>") == 3
        assert [matrices.count(f">{task}</text>") for task in tasks] == [3 if named else 0] * len(tasks)
        assert (matrices.count('class="number">50</text>') == 0) == named  # no room for names: numbers
        assert all(f'class="end">{name}</text>' in growth for name in results["learners"])


def test_the_league_says_what_the_terminal_says() -> None:
    results = make_results()
    text = page(Results.from_dict(results), Record())
    rows = re.findall(r"<tr>(.*?)</tr>", text.split('id="league"')[1].split("</table>")[0])[1:]
    names = [re.sub("<[^>]*>", "", row.split("</th>")[0])[1:].strip() for row in rows]
    averages = {name: record["metrics"]["average_accuracy"] for name, record in results["learners"].items()}
    assert names == sorted(averages, key=lambda name: -averages[name])
    for name, row in zip(names, rows, strict=True):
        assert f"{100 * averages[name]:.1f}" in row
        assert ("forgets" if name == "full:sequential" else "exact") in row
        assert ("scores fell" if name == "full:sequential" else "bitwise equal") in row
    stars = ["★" in row for row in rows]
    assert stars[0]
    assert not all(stars)
    keys = [re.findall(r'data-key="([^"]*)"', row) for row in rows]
    assert [float(key[1]) for key in keys] == [averages[name] for name in names]


def test_a_cell_tells_what_it_rests_on(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    learners = "head,layernorm:sequential"
    suite = "sms_spam,colours,rte,stsb"
    run(**tiny_settings(tiny_tasks, tiny_backbone, tmp_path, suite=suite, learners=learners, evaluate="audited"))
    results = read_results(tmp_path)
    record = read_record(tmp_path, Results.from_dict(results))
    assert record.notice == ""
    titles = read(results, record).titles
    events = [event for event in ledger_of(tmp_path) if event["event"] in ("before", "evaluate", "audit")]
    cells = [(event, cell) for event in events for cell in event["cells"]]
    assert len(cells) > 12
    last = {(event["learner"], event["arrival"], cell["task"]): cell for event, cell in cells}
    for (_, arrival, task), cell in last.items():
        when = f"after arrival {arrival} ({results['order'][arrival - 1]})" if arrival else "before any training"
        facts = f"{task} {when} · {points(cell['score'], PAGE)} points · n {cell['n']}"
        hashes = f"logits {cell['logits'][:12]} · Delta {cell['delta'][:12]} · {cell['provenance']}"
        assert f"{facts} · {hashes}" in titles
    # A certified cell has the hashes of the day its task arrived.
    certified = [
        (arrival, place)
        for arrival, hows in enumerate(results["learners"]["head"]["provenance"])
        for place, how in enumerate(hows)
        if how == "certified"
    ]
    assert certified
    for arrival, place in certified:
        task = results["order"][place]
        start = f"{task} after arrival {arrival} ({results['order'][arrival - 1]})"
        first = last["head", place + 1, task]
        ending = f"logits {first['logits'][:12]} · Delta {first['delta'][:12]} · certified"
        assert any(title.startswith(start) and title.endswith(ending) for title in titles)


def test_a_partly_measured_cell_has_a_ring_and_its_key() -> None:
    results = make_results(HOULSBY26[:3], ["head", "adapter:64"])
    plain = page(Results.from_dict(results), Record())
    provenance = results["learners"]["head"]["provenance"]
    provenance[2][0] = provenance[3][1] = "partly-measured"
    results["learners"]["head"]["retention"] |= {"cells_measured": 4, "cells_partly_measured": 2}
    marked = page(Results.from_dict(results), Record())
    assert (plain.count('class="partly"'), marked.count('class="partly"')) == (0, 2)
    assert (plain.count(PARTLY), marked.count(PARTLY[1:])) == (0, 2)  # below the league table, above the maps
    assert marked.count(" · partly-measured</title>") == 2
    assert "4 cells measured, 2 cells partly measured, bitwise equal" in marked


def test_gaps_are_marked_and_never_a_zero() -> None:
    results = failing("layernorm", (1,))
    text = page(Results.from_dict(results), Record())
    maps = re.findall(r'<svg viewBox[^>]*class="matrix".*?</svg>', text)
    assert len(maps) == 3
    at = list(results["learners"]).index("layernorm")
    for place, drawn in enumerate(maps):
        found = Reader(drawn)
        assert found.titles.count("not evaluated") == 1  # the ground, on which evaluated cells stand
        failed = [title for title in found.titles if title.startswith("failed")]
        assert len(failed) == (3 if place == at else 0)  # after arrivals 2, 3 and 4
        assert all(MESSAGE in title for title in failed)
        assert len(found.named("rect")) == 1 + 10
        assert len([rect for rect in found.named("rect") if rect.get("class") == "failed"]) == len(failed)
    assert "what to do: use a lower learning rate" in text
    assert f"layernorm on {HOULSBY26[1]}, arrival 2: {MESSAGE}" in text


def test_an_unfinished_run_says_so() -> None:
    assert "unfinished: 13 of 26 arrivals are done" in page(Results.from_dict(STATES["half"]), Record())
    assert "unfinished" not in page(Results.from_dict(STATES["whole"]), Record())


def test_a_page_of_26_tasks_and_8_learners_is_below_2_megabytes() -> None:
    results = make_results()
    for record in results["learners"].values():
        record["R"][0] = [0.25] * 26
    cells = {
        (name, arrival, task): Evidence(score, 1043, "a" * 64, "b" * 64)
        for name, record in results["learners"].items()
        for arrival, row in enumerate(record["R"])
        for task, score in zip(HOULSBY26, row, strict=True)
        if score is not None
    }
    text = page(Results.from_dict(results), Record(cells=cells))
    assert text.count("logits aaaaaaaaaaaa · Delta bbbbbbbbbbbb") == 8 * (26 * 27 // 2 + 26)
    assert len(text.encode()) < 2_000_000


def test_the_command_and_the_check(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    out = tmp_path / "a run"
    settings = tiny_settings(tiny_tasks, tiny_backbone, out, suite="colours", seed=3)
    run(**settings)
    file = tmp_path / "new" / "page.html"
    answer = call("report", str(out), "--html", str(file), "--display", "plain")
    assert (answer.code, answer.err, answer.out.strip()) == (0, "", str(file))
    text = file.read_text(encoding="utf-8")
    found = "".join(Reader(text).text)
    assert f"taskstream verify '{out}'" in found
    assert "--seed 3 \\\n" in found
    assert f"--out '{out}'" in found
    assert hashlib.sha256((out / "results.json").read_bytes()).hexdigest() in found
    assert ledger_of(out)[-1]["hash"] in found


def test_what_is_gone_or_damaged_beside_the_results_leaves_a_notice(tmp_path: Path) -> None:
    results = make_results(["cola", "rte"], ["head"])
    (tmp_path / "results.json").write_text(json.dumps(results))
    assert "has no ledger" in read_record(tmp_path, Results.from_dict(results)).notice
    (tmp_path / "ledger.jsonl").write_text("no ledger\n")
    (tmp_path / "config.toml").write_text("suite = [")
    record = read_record(tmp_path, Results.from_dict(results))
    assert record.notice.startswith("The ledger cannot be read, so cells have no hashes: ")
    assert (record.cells, record.command) == ({}, "")
    assert record.notice in "".join(read(results, record).text)


def test_files_that_cannot_be_written_and_damaged_results_are_one_line(tmp_path: Path) -> None:
    results = make_results(["cola", "rte"], ["head"])
    (tmp_path / "results.json").write_text(json.dumps(results))
    for target in (tmp_path, tmp_path / "results.json" / "page.html"):
        answer = call("report", str(tmp_path), "--html", str(target))
        assert (answer.code, answer.out, len(answer.errors)) == (2, "", 1)
        assert answer.err.startswith("error: --html")
    del results["learners"]["head"]["R"], results["order"]
    (tmp_path / "results.json").write_text(json.dumps(results))
    answer = call("report", str(tmp_path), "--html", str(tmp_path / "page.html"))
    assert (answer.code, len(answer.errors)) == (2, 1)
    assert "damaged results" in answer.err
    assert not (tmp_path / "page.html").exists()


def test_json_names_the_files(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(make_results(["cola", "rte"])))
    answer = call("report", str(tmp_path), "--html", str(tmp_path / "page.html"), "--display", "json")
    assert json.loads(answer.out) == {"files": [str(tmp_path / "page.html")]}

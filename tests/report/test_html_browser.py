"""The page in a real browser, on a phone's width and on a desktop's."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from stream.report.html import Record, page
from stream.results.results import Results

from .fake_results import HOULSBY26, make_results
from .reader import Reader

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --window-size=1400,1000 "
    "--virtual-time-budget=20000 --dump-dom"
)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: the page is not looked at in a browser")
@pytest.mark.parametrize("width", [390, 1280])
def test_in_a_browser_nothing_sticks_out_and_tables_can_be_sorted(tmp_path: Path, width: int) -> None:
    """The page as Chromium lays it out in a frame; a second script, allowed for this, measures it and sorts."""
    probe = """
    const wide = document.documentElement.scrollWidth;
    const body = document.querySelector("#league tbody");
    const names = () => [...body.rows].map(row => row.cells[0].dataset.key);
    const before = names();
    const heads = [...document.querySelectorAll("#league th[data-sort] button")];
    const head = heads.find(one => one.textContent === "growth");
    head.click(); const down = names(); head.click(); const up = names();
    document.querySelector(".matrix rect:not(.empty)").dispatchEvent(new Event("click", {bubbles: true}));
    const told = document.querySelector(".readout").textContent;
    const league = document.querySelector("#league .scroll");
    const shadow = getComputedStyle(league).backgroundAttachment;
    const cut = league.scrollWidth > league.clientWidth;
    const marks = [...document.querySelectorAll(".plot .mark circle")].map(one => one.getBoundingClientRect());
    const over = marks.filter((a, i) => marks.some((b, j) => j < i && Math.hypot(a.x - b.x, a.y - b.y) < 14)).length;
    const sorted = head.parentNode.ariaSort;
    const found = {shadow, cut, over, wide, inner: innerWidth, before, down, up, told, sorted};
    parent.postMessage(JSON.stringify(found), "*");
    """
    results = make_results()
    digest = base64.b64encode(hashlib.sha256(probe.encode()).digest()).decode()
    text = page(Results.from_dict(results), Record()).replace("script-src ", f"script-src 'sha256-{digest}' ")
    (tmp_path / "page.html").write_text(text.replace("</body>", f"<script>{probe}</script></body>"), encoding="utf-8")
    frame = f'<iframe src="page.html" style="border:0;width:{width}px;height:900px"></iframe>'
    listener = "<script>onmessage = event => { document.body.textContent = event.data; };</script>"
    host = tmp_path / "host.html"
    host.write_text(f"<!DOCTYPE html><body>{listener}{frame}</body>", encoding="utf-8")
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS.split(), f"--user-data-dir={tmp_path / 'profile'}", host.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    found = json.loads("".join(Reader(shown[shown.index("<body") : shown.index("</html>")]).text))
    assert found["inner"] == width
    assert (found["cut"], found["shadow"]) == (width == 390, "local, scroll")  # a cut table shows that it scrolls
    assert found["over"] == 0  # no letter of a chart is over another one
    assert found["wide"] == width  # nothing makes the page itself scroll sideways
    growth = {name: record["cost"]["growth"][-1] for name, record in results["learners"].items()}
    assert [growth[name] for name in found["down"]] == sorted(growth.values(), reverse=True)
    assert [growth[name] for name in found["up"]] == sorted(growth.values())
    assert sorted(found["before"]) == sorted(growth)
    assert found["sorted"] == "ascending"
    assert found["told"].startswith(f"full:isolated: {HOULSBY26[0]} after arrival 1")

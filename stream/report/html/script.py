"""The page's one script. It adds: sorting of tables by a click on a heading, and the words of a touched cell of R."""

from __future__ import annotations

SCRIPT = """
"use strict";
for (const head of document.querySelectorAll("th[data-sort]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const body = head.closest("table").tBodies[0], place = head.cellIndex;
    const first = head.dataset.sort === "number" ? "descending" : "ascending";
    const other = first === "descending" ? "ascending" : "descending";
    const way = head.getAttribute("aria-sort") === first ? other : first;
    const numeric = head.dataset.sort === "number", sign = way === "ascending" ? 1 : -1;
    const key = row => row.cells[place].dataset.key;
    const order = [...body.rows].sort((a, b) => {
      const x = key(a), y = key(b);
      if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
      return sign * (numeric ? x - y : x.localeCompare(y));
    });
    for (const one of head.parentNode.cells) one.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way);
    body.append(...order);
  });
}
const readout = document.querySelector(".readout");
for (const kind of ["pointerover", "click"]) document.addEventListener(kind, event => {
  const cell = event.target.closest ? event.target.closest(".matrix rect") : null;
  if (!cell || !readout) return;
  const name = cell.closest("figure").querySelector("figcaption .named span:last-child").textContent;
  readout.textContent = name + ": " + cell.querySelector("title").textContent;
  readout.classList.add("on");
});
"""

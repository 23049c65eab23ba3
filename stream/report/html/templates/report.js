// The only script of the page. A click on a heading sorts the table; a pointer on a cell of R shows the cell's text.
"use strict";

for (const heading of document.querySelectorAll("th[data-sort]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener("click", () => sortBy(heading));
}

function sortBy(heading) {
  const body = heading.closest("table").tBodies[0];
  const numeric = heading.dataset.sort === "number";
  const [first, second] = numeric ? ["descending", "ascending"] : ["ascending", "descending"];
  const direction = heading.getAttribute("aria-sort") === first ? second : first;
  const factor = direction === "ascending" ? 1 : -1;
  const key = row => row.cells[heading.cellIndex].dataset.key;
  const rows = [...body.rows].sort((a, b) => {
    const x = key(a), y = key(b);
    if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);  // missing values come last
    return factor * (numeric ? x - y : x.localeCompare(y));
  });
  for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", direction);
  body.append(...rows);
}

const readout = document.querySelector(".readout");

function showCell(event) {
  const cell = event.target.closest?.(".matrix rect");
  if (!cell || !readout) return;
  const learner = cell.closest("figure").querySelector("figcaption .named span:last-child").textContent;
  readout.textContent = `${learner}: ${cell.querySelector("title").textContent}`;
  readout.classList.add("on");
}

for (const kind of ["pointerover", "click"]) document.addEventListener(kind, showCell);

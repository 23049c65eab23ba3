"""Out of domain: learn MNLI on the genres of its training set, and answer rows of other genres with the same Delta.

What the paper found. He et al. (2022), conclusion: learners that tune few parameters are robust out of domain; so they
should lose no more than full fine-tuning does. The study trains on `mnli_m` and scores each Delta on the test rows of
`mnli_m` and of `mnli_mm`, whose texts come from other genres (of the twins: from another register). The loss is the
first score minus the second.

    python scripts/experiments/out_of_domain.py --out runs/domain
    python scripts/experiments/out_of_domain.py --source folder:DATA --backbone minilm --out runs/domain-real
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import study
from claims import Finding, print_findings
from finished import folders_of, open_finished
from options import run_options

from stream.results.intervals import interval

INSIDE, OUTSIDE = "mnli_m", "mnli_mm"
REFERENCE = "full:isolated"


@run_options(learners="full:isolated,adapter:64,adapterbias,lora,head", seed="0-2", without=["suite"])
def main(settings: dict[str, Any], out: study.Out = Path("runs/domain")) -> None:
    console = study.open_console()
    runs = study.run_study(out, console, suite=f"{INSIDE},{OUTSIDE}", **settings)
    scores: dict[str, list[tuple[float, float]]] = {}
    for folder in folders_of(runs):
        for name in next(iter(runs.members.values())):
            finished = open_finished(folder, name)
            delta = finished.delta(INSIDE)
            pair = finished.score(INSIDE, delta)[0], finished.score(OUTSIDE, delta)[0]
            scores.setdefault(name, []).append(pair)

    rows, losses = [], {name: [inside - outside for inside, outside in pairs] for name, pairs in scores.items()}
    for name, pairs in scores.items():
        means = [interval([pair[place] for pair in pairs]) for place in range(2)]
        rows.append([name, *(mean.points() for mean in means), interval(losses[name]).points(sign=True)])
    title = f"Learned on {INSIDE}, {len(next(iter(scores.values())))} seeds"
    study.show(console, title, ["learner", f"{INSIDE}\n(over seeds)", OUTSIDE, "loss"], rows)
    findings = []
    for name in scores:
        if name in (REFERENCE, "head") or REFERENCE not in scores:
            continue
        more = interval([a - b for a, b in zip(losses[name], losses[REFERENCE], strict=True)])
        words = f"{name} loses {more.points(sign=True)} points more than {REFERENCE}"
        claim = "a learner of few parameters loses at most a point more out of domain than full fine-tuning"
        paper, verdict = "He et al. (2022), conclusion", more.verdict(None, 0.01) if more.half else "open"
        findings.append(Finding(paper, claim, words, verdict, theirs="robust (no number)", id="U-domain", value=more))
    print_findings(console, findings)
    document = {"settings": settings, "scores": scores, "findings": findings}
    study.save(out / "out_of_domain.json", document, next(iter(runs.members.values())), console)


if __name__ == "__main__":
    study.command(main, __doc__)

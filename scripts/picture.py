"""The report of a run as a picture: what the terminal shows, as SVG.

python scripts/picture.py runs/demo scripts/pictures/report.svg [WIDTH] [SECTION,SECTION]
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console

from stream.report import SECTIONS, print_report
from stream.results.results import load_results


def main(folder: str, picture: str, width: str = "100", sections: str = ",".join(SECTIONS)) -> None:
    console = Console(record=True, width=int(width), force_terminal=True, color_system="truecolor", file=io.StringIO())
    print_report(load_results(Path(folder)), console, tuple(sections.split(",")))
    Path(picture).parent.mkdir(parents=True, exist_ok=True)
    console.save_svg(picture, title=f"taskstream report {folder}")


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])

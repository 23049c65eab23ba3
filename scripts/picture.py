"""Save the terminal report of a run as an SVG picture.

python scripts/picture.py RUN_FOLDER PICTURE.svg [WIDTH] [SECTION,SECTION]

WIDTH is in columns; default: 100. Default sections: all.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console

from stream import load_results
from stream.report import SECTIONS, print_report


def main(folder: str, picture: str, width: str = "100", sections: str = ",".join(SECTIONS)) -> None:
    console = Console(record=True, width=int(width), force_terminal=True, color_system="truecolor", file=io.StringIO())
    print_report(load_results(folder), console, tuple(sections.split(",")))
    Path(picture).parent.mkdir(parents=True, exist_ok=True)
    console.save_svg(picture, title=f"taskstream report {folder}")


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])

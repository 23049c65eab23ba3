"""Make `python -m stream` the same as the command `taskstream`."""

from __future__ import annotations

from stream.cli.main import main

if __name__ == "__main__":
    main()

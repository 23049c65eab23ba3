"""The folder of a learner on disk. Its name follows from the learner's specification and is safe on every system."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tasks.content import content_id

LONGEST = 60  # characters of a name; Windows has paths of 260, the hub 96 for the name of a repository
WORD, NUMBER = r"[a-z][a-z0-9]*", r"\d+(?:\.\d+)?(?:e-?\d+)?"
VALUE = rf"(?:{WORD}(?:-{WORD})*|{NUMBER})"
PLAIN = re.compile(rf"(?:{WORD}=)?{VALUE}(?::(?:{WORD}=)?{VALUE})*")
# Names of devices on Windows, other entries of a run's folder, and names that end as a hash does.
RESERVED = re.compile(
    r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?|store|tasks|tensorboard|wandb|mlflow|results(?:\.json)?"
    r"|ledger\.(?:jsonl|lock)|config\.toml|workers\.log|(?:.*-)?[0-9a-f]{8}"
)


def folder_name(learner: str) -> str:
    """Returns the name of a learner's folder. Different specifications have different names, also without capitals.

    A specification of lower-case words and numbers keeps them: "adapter:64" gives "adapter-64", "lora-ffn:8" gives
    "lora_ffn-8", and "adapterbias:share=alpha" gives "adapterbias-share.alpha". Any other one gives its words and eight
    digits of a hash of the whole.
    """
    if PLAIN.fullmatch(learner):
        name = learner.translate(str.maketrans(":-=", "-_."))
        if len(name) <= LONGEST and not RESERVED.fullmatch(name):
            return name
    digest = content_id("folder", learner)[:8]
    words = "-".join(re.findall(r"[a-z0-9]+", learner.lower()))[: LONGEST - len(digest) - 1].strip("-")
    return f"{words or 'learner'}-{digest}"


def learner_folder(parent: Path, learner: str) -> Path:
    """Returns the folder of a learner in a folder with one for each. It need not exist.

    Earlier versions named it as the specification. Such a folder is returned if there is no other one.
    """
    folder, earlier = parent / folder_name(learner), parent / learner
    return earlier if earlier.is_dir() and not folder.exists() else folder


def renamed_folder(parent: Path, learner: str) -> Path:
    """Returns the folder of a learner as `folder_name` names it. Renames the one of an earlier version.

    Raises:
        OSError: The folder cannot be renamed.
    """
    folder, earlier = parent / folder_name(learner), learner_folder(parent, learner)
    if earlier != folder:
        os.rename(earlier, folder)
    return folder

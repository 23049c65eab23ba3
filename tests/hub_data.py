"""Data sets as repositories of the hub hold them: Parquet files, and a card that declares configurations and types."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import yaml

# A configuration's features as a card writes them, and its columns by split.
Configuration = tuple[list[dict[str, Any]], Mapping[str, Mapping[str, list[Any]]]]


def dataset_files(configurations: Mapping[str, Configuration]) -> dict[str, bytes]:
    """The files of a repository, by path."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    files, configs, infos = {}, [], []
    for name, (features, splits) in configurations.items():
        entries = [{"split": split, "path": f"{name}/{split}-*"} for split in splits]
        configs.append({"config_name": name, "data_files": entries})
        infos.append({"config_name": name, "features": features})
        for split, columns in splits.items():
            buffer = io.BytesIO()
            pq.write_table(pa.table(dict(columns)), buffer)
            files[f"{name}/{split}-00000-of-00001.parquet"] = buffer.getvalue()
    card = yaml.safe_dump({"configs": configs, "dataset_info": infos}, sort_keys=False)
    return {"README.md": f"---\n{card}---\n# Rows for tests\n".encode(), **files}

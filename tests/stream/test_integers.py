from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
import torch
from hypothesis import given
from hypothesis import strategies as st

from stream.api.arguments import read_call
from stream.config.resolve import resolve_config
from stream.config.settings import RunConfig
from stream.config.toml import config_toml
from tasks.errors import InputError

FORMS: dict[str, Any] = {
    "int": int, "text": str, "int64": np.int64, "uint64": np.uint64, "array": np.array, "tensor": torch.tensor,
    "Decimal": Decimal, "Fraction": Fraction,
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@given(seed=st.integers(0, 2**63 - 1) | st.integers(2**53 - 2, 2**53 + 2))
def test_a_seed_stays_exact_in_every_form(form: str, seed: int) -> None:
    value = FORMS[form](seed)
    for config in (RunConfig(seed=value), resolve_config({"seed": value})[0], read_call({"seed": value}).config):
        assert config.seed == seed
        assert type(config.seed) is int


@given(seed=st.integers(0, 2**63 - 1))
def test_a_settings_file_keeps_it(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    file = tmp_path_factory.mktemp("toml") / "a.toml"
    file.write_text(config_toml(*resolve_config({"seed": np.int64(seed)})), encoding="utf-8")
    assert resolve_config({}, file)[0].seed == seed


@given(st.integers(2**53, 2**63 - 1))
def test_a_float_that_may_be_another_number_is_refused(seed: int) -> None:
    for value in (float(seed), np.float64(seed), np.longdouble(seed)):
        with pytest.raises(InputError, match=r"bad value of seed; expected an integer, because floats from 2\*\*53 on"):
            read_call({"seed": value})


@given(st.integers(0, 2**53 - 1))
def test_a_float_below_is_its_integer(seed: int) -> None:
    assert read_call({"seed": float(seed)}).config.seed == seed


NOT_WHOLE = (
    2.5, float("nan"), float("inf"), Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity"),
    Decimal("0.5"), Decimal("1E-30"), Decimal("1E+999999999"), Decimal("1E30"), Fraction(1, 2), True, np.True_,
    np.array(True), np.array([1, 2]), torch.tensor(1.0), b"12", [1], 1j, "1e3",
)  # fmt: skip


@pytest.mark.parametrize("value", NOT_WHOLE, ids=repr)
def test_what_is_no_whole_number_is_refused(value: object) -> None:
    for name in ("seed", "epochs", "workers", "train_examples"):
        if name == "seed" and isinstance(value, list):  # a list of seeds is a study
            continue
        with pytest.raises(InputError, match=f"bad value of {name}; expected a (whole )?number"):
            read_call({name: value})


def test_every_whole_number_of_the_settings_is_exact(tmp_path: Path) -> None:
    """Also those that a new setting adds: pydantic alone would take 2.0 of NumPy's `float32` for them."""
    whole = [name for name, field in RunConfig.model_fields.items() if "int" in str(field.annotation)]
    assert len(whole) >= 8
    for name in whole:
        file = tmp_path / f"{name}.toml"
        file.write_text(tomli_w.dumps({name: float(2**60)}), encoding="utf-8")
        with pytest.raises(InputError, match=f"bad value of {name}; expected an integer, because floats"):
            resolve_config({}, file)

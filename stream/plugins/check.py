"""Check plug-ins before anything is trained: types and names, and a small trial of each learner, metric and source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch

from learners.backbones.published import known_architecture
from learners.backbones.sites import width
from learners.delta.layout import delta_shapes
from learners.forms import Form, Gated, Products, Reading, Symbol, SymbolicReading
from learners.forms.counting import has_formula, pytorch_count
from learners.specification.family import Family, aliases, families, parse_learner
from learners.specification.learner import Learner
from learners.specification.recipe import recipe_of
from stream.plugins.defined import Defined, Plugins, registry
from stream.plugins.file import NAME, NAME_RULE, RESERVED
from stream.results.metrics import Metric
from tasks.content import canonical
from tasks.description import Array
from tasks.errors import InputError, place_of
from tasks.sources import Source

TYPES = {"learner": Family, "metric": Metric, "source": Source}
ROWS, TOKENS = 2, 3  # size of the batch in the trial of a form
Facts = dict[str, object]  # shapes of tensors and names of types, by name


def check(defined: Sequence[Defined]) -> list[InputError]:
    """All errors in what the plug-ins define. An empty list means that they can be used."""
    errors = [error for each in defined for error in _of_right_type(each)]
    errors += [] if errors else _clashes(defined)
    if errors:  # the trials below look up names, so the names must be valid
        return errors
    with Plugins(tuple(defined)).in_use():
        for each in defined:
            tried = {"learner": _check_family, "metric": _check_metric, "source": _check_source}[each.kind]
            try:
                errors += tried(each)
            except Exception as error:  # code of a plug-in may raise anything
                where, found = place_of(error, each.origin.file)
                errors.append(InputError(f"{each.kind} {each.name} fails in its trial", where=where, found=found))
    return errors


def _of_right_type(each: Defined) -> Iterator[InputError]:
    expected = TYPES[each.kind]
    if not isinstance(each.thing, expected):
        shown = f"{expected.__module__}.{expected.__name__}"
        if expected is Source:
            shown = "an object with name, names, task, load and fingerprint (tasks.sources.Source)"
        found = f"{type(each.thing).__name__} {str(each.thing)[:60]}"
        yield InputError(f"a {each.kind} has the wrong type", where=each.where, expected=shown, found=found)
    elif NAME.fullmatch(each.name) is None:
        yield InputError(f"bad name for a {each.kind}", where=each.where, expected=NAME_RULE, found=repr(each.name))


def _clashes(defined: Sequence[Defined]) -> Iterator[InputError]:
    """Errors for names that have two meanings."""

    def named(each: Defined) -> tuple[str, str]:
        return each.kind, each.name

    for (kind, name), found in groupby(sorted(defined, key=named), named):
        several = [*found]
        ours = {*registry(kind).built_in(), *RESERVED[kind], *(aliases() if kind == "learner" else ())}
        in_use = registry(kind).origin(name)
        ours |= {name} if in_use is not None and in_use != several[0].origin else set()
        others = {alias for each in defined if each.kind == "learner" for alias in each.thing.aliases}
        if name in ours or len(several) > 1 or (kind == "learner" and name in others):
            holders = [each.where for each in several[1:]] or ["the package" if name in ours else "an alias"]
            yield InputError(
                f"the name of {kind} {name} is in use", where=several[0].where, expected="a unique name",
                found=f"the same name in {' and '.join(holders)}", fix="rename one of them",
            )  # fmt: skip
    for each in defined:
        if each.kind == "learner" and (taken := {*registry("learner").built_in(), *aliases()} & {*each.thing.aliases}):
            shown = ", ".join(sorted(taken))
            yield InputError(f"aliases of learner {each.name} are taken", where=each.where, found=shown)


def _check_family(each: Defined) -> Iterator[InputError]:
    """Check that the family's name and examples are valid specifications, and that their forms can be computed."""
    family: Family = families()[each.name]
    if not isinstance(family.examples, tuple) or not family.examples:
        yield InputError(
            f"learner {each.name} has no examples", where=each.where, expected=f'examples=("{each.name}",)'
        )
        return
    for specification in dict.fromkeys((each.name, *family.examples)):
        what = f"example {specification!r} of learner {each.name}"
        try:
            learner = parse_learner(specification)
        except InputError as error:
            yield InputError(f"{what} cannot be read", where=each.where, found=str(error))
            continue
        except Exception as error:  # of `build`
            where, found = place_of(error, each.origin.file)
            yield InputError(f"{what} cannot be built", where=where, found=found)
            continue
        if type(learner) is not Learner or learner.family != each.name:
            family_of = getattr(learner, "family", type(learner).__name__)
            yield InputError(
                f"{what} is not of this family", where=each.where, expected=f'Learner(family="{each.name}", ...)',
                found=str(family_of),
            )  # fmt: skip
            continue
        try:
            canonical(recipe_of(learner))
        except (TypeError, ValueError) as error:
            expected = "numbers, texts and frozen dataclasses of them, because they enter the ids of results"
            yield InputError(
                f"settings of {what} are not plain data", where=each.where, expected=expected, found=str(error)
            )
            continue
        yield from _check_forms(learner, what, each)


def _check_forms(learner: Learner, what: str, each: Defined) -> Iterator[InputError]:
    """Draw the tensors of each form and compute its change, at the widths of the embedded backbone."""
    architecture = known_architecture("embedded")
    try:
        delta_shapes(learner, architecture, 2)
    except InputError:  # the learner is for other backbones; a run with a wrong one reports that
        return
    for modification in learner.modifications:
        writes = width(architecture, modification.site)
        reads = modification.reads
        read = writes if reads is None or reads == "ffn.normed" else width(architecture, reads)
        try:
            expected, found = _try_form(modification.form, read, writes, architecture.heads)
        except Exception as error:  # code of a plug-in may raise anything
            where, said = place_of(error, each.origin.file)
            yield InputError(f"a form of {what} fails", where=where, found=said)
            continue
        if expected != found:
            difference = f"a form of {what} does not match its declaration"
            yield InputError(difference, where=each.where, expected=str(expected), found=str(found))


def _try_form(form: Form, reads: int, writes: int, heads: int) -> tuple[Facts, Facts]:
    """Expected and found facts of a form at these widths: shapes of its tensors, or of its change if those match."""
    shapes = form.shapes(reads, writes)
    tensors = {name: form.initialise(name, shape, torch.Generator().manual_seed(0)) for name, shape in shapes.items()}
    drawn: Facts = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if drawn != shapes:
        return dict(shapes), drawn
    x, log_mass = torch.ones(ROWS, TOKENS, reads), torch.zeros(ROWS, TOKENS, heads)
    change = form.change(tensors, Reading(x=x, heads=heads, log_mass=lambda: log_mass))
    texts: Facts = {"formula": type(form.formula).__name__, **{str(n): type(n).__name__ for n in form.common}}
    counted, own = _try_formulas(form, reads, writes, heads)
    found: Facts = {"change": tuple(change.shape), **texts, **own}
    return {"change": (ROWS, TOKENS, writes), **dict.fromkeys(texts, "str"), **counted}, found


def _try_formulas(form: Form, reads: int, writes: int, heads: int) -> tuple[Facts, Facts]:
    """FLOPs that PyTorch counts, and those by the form's own formulas as far as it has them."""
    counted: Facts = {}
    own: Facts = {}
    methods: dict[str, Any] = {"change": form.change} | ({"gate": form.gate} if isinstance(form, Gated) else {})
    for name, method in methods.items():
        if not has_formula(form, name):
            continue
        for learns in (False, True):  # the forward pass alone, and with the gradients of everything
            tensors = {key: Symbol(shape, learns) for key, shape in form.shapes(reads, writes).items()}
            mass = partial(Symbol, (ROWS, TOKENS, heads), learns)
            reading = SymbolicReading(Symbol((ROWS, TOKENS, reads), learns), heads, mass)
            by_pytorch, by_formula = Products(), Products()
            pytorch_count(method, tensors, reading, by_pytorch)
            getattr(form, f"{name}_products")(tensors, reading, by_formula)
            what = f"FLOPs of {name}, {'forward and backward' if learns else 'forward'}"
            counted[what], own[what] = by_pytorch.flops, by_formula.flops
    return counted, own


def _check_metric(each: Defined) -> Iterator[InputError]:
    """Check that the metric has the name of its file, and that it returns a number, or None if scores are missing."""
    stem = Path(each.origin.file).stem
    if each.origin.file and each.alone and each.name != stem:
        yield InputError(
            "metric and file have different names", where=each.where, expected=f'METRIC = Metric(name="{stem}", ...)',
            found=each.name, fix="rename one of them, or define METRICS = [...] for several in one file",
        )  # fmt: skip
    draw = np.random.default_rng(0)
    whole, triangle = draw.random((4, 4)), np.tri(4, dtype=bool)
    probes = {
        "R [4, 4]": whole,
        "R [4, 4], NaN above the diagonal": np.where(triangle, whole, np.nan),
        "R [4, 4], all NaN": np.full((4, 4), np.nan),
        "R [1, 1]": whole[:1, :1],
        "R [0, 0], no task yet": np.empty((0, 0)),
    }
    for shown, rows in probes.items():
        if (error := _try_metric(each, shown, rows, draw.random(len(rows)))) is not None:
            yield error
            return


def _try_metric(each: Defined, shown: str, rows: Array, baseline: Array) -> InputError | None:
    rows.flags.writeable = baseline.flags.writeable = False
    try:
        value = each.thing.compute(rows, baseline)
    except Exception as error:  # code of a plug-in may raise anything
        where, found = place_of(error, each.origin.file)
        return InputError(f"metric {each.name} fails on {shown}", where=where, found=found)
    if not np.isnan(rows).any() and len(rows) > 1:
        expected = "a finite number"
        right = isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)
    else:
        expected = "a number, or None if a score that it needs is missing"
        right = value is None or (isinstance(value, int | float) and not isinstance(value, bool))
    if right:
        return None
    what, fix = f"metric {each.name} returns no number on {shown}", "return float(...), or None"
    return InputError(what, where=each.where, expected=expected, found=f"{value!r} ({type(value).__name__})", fix=fix)


def _check_source(each: Defined) -> Iterator[InputError]:
    """Check that the source names its tasks."""
    names: Iterable[str] = each.thing.names()
    if not isinstance(names, tuple) or not names or not all(isinstance(name, str) for name in names):
        what, expected = f"names() of source {each.name} returns no task names", "a tuple of texts, not empty"
        yield InputError(what, where=each.where, expected=expected, found=str(names)[:60])

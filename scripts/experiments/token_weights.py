"""Token weights of AdapterBias: how far each word is shifted in each layer, and whether informative words shift most.

What the paper found. Fu et al. (2022) study the weights alpha of tokens on CoLA and SST-2: the shift differs between
layers, and the words that matter for a task (words of sentiment in SST-2) get the largest weights.

alpha alone has no meaning, because (c v, L_alpha / c) is the same function and the next LayerNorm removes the mean of a
shift. So the study shows |alpha_i| ||v - mean v||, the length of the effective shift. The shift of a word is the mean
over its tokens and over all its occurrences in training, validation and test rows. Beside it is the information of the
word, in bits: the mutual information between its presence in a row and the row's class (for a regression: whether the
score is above the median). The rank correlation of both over words tests the claim. Its margin is the 95 % range of
chance if there is no relation.

    python scripts/experiments/token_weights.py --out runs/tokens
    python scripts/experiments/token_weights.py --run runs/papers/seed0 --learner adapterbias --out runs/tokens1
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pictures
import study
import torch
import typer
from claims import Finding, print_findings
from finished import Finished, Run, make_runs, open_finished
from options import run_options
from torch import Tensor

from learners.backbones.sites import Role
from learners.delta.delta import Delta
from learners.forms import TokenShift
from learners.forward.batches import collate, evaluation_plan
from learners.forward.change import Change, Reads, change_by
from learners.forward.forward import STATES
from learners.forward.prepared import prepared
from learners.specification.modification import Modification
from stream import InputError
from tasks import EncodedSplit

SHOWN = 12  # words in the table of a task; its panel has twice as many


@dataclass(eq=False)
class Word:
    """Sums for one word.

    Attributes:
        shift: Sum of its shifts over all occurrences, per layer [L].
        rows: Number of rows that contain it, per class [C].
        times: Number of occurrences.
    """

    shift: np.ndarray
    rows: np.ndarray
    times: int = 0


@dataclass(eq=False)
class Words:
    """Sums for one task over all seeds.

    Attributes:
        shift: Sum of the shifts of all tokens, per layer [L].
        sizes: Number of rows per class [C].
        tokens: Number of tokens.
        seen: Sums of each word, by its text.
    """

    shift: np.ndarray
    sizes: np.ndarray
    tokens: int = 0
    seen: dict[str, Word] = field(default_factory=dict)


def shift_of(finished: Finished) -> Modification:
    """The token shift of a learner.

    Raises:
        InputError: The learner has no token shift, or a prompt.
    """
    found = [each for each in finished.learner.modifications if isinstance(each.form, TokenShift)]
    if not found or finished.learner.prompt:
        expected = "a learner of AdapterBias, without a prompt"
        raise InputError("no token shift of a text alone", where=finished.learner.name, expected=expected)
    return found[0]


def lengths(finished: Finished, delta: Delta, split: EncodedSplit) -> np.ndarray:
    """Shift |α_i| ‖v − mean v‖ of every token of a split, [L, tokens], in the order of `split.ids`."""
    backbone, learner, shift = finished.backbone, finished.learner, shift_of(finished)
    a, ready = backbone.architecture, prepared(backbone, delta.tensors)
    found = np.zeros((a.layers, len(split.ids)), np.float32)
    with torch.inference_mode():
        for batch in evaluation_plan(split).batches:
            inputs = collate(backbone, split, batch)
            changed = change_by(a, learner.modifications, ready.added, ready.weights, inputs["attention_mask"])
            passed: dict[int, np.ndarray] = {}

            def change(
                site: Role, layer: int, h: Tensor, reads: Reads, changed: Change = changed, passed: Any = passed
            ) -> Tensor:
                h = changed(site, layer, h, reads)
                if site == "ffn.intermediate":
                    passed[layer] = shifts(shift, layer, delta, h)
                return h

            for _ in STATES[a.model_type](a, ready.weights, inputs, change):
                pass
            for place, row in enumerate(batch):
                start, stop = split.offsets[row], split.offsets[row + 1]
                for layer in range(a.layers):
                    found[layer, start:stop] = passed[layer][place, : stop - start]
    return found


def shifts(shift: Modification, layer: int, delta: Delta, h: Tensor) -> np.ndarray:
    """Shifts |α_i| ‖v − mean v‖ in a layer, [B, S], from h [B, S, d_ff] that its token shift reads."""
    weight, bias, v = (delta.tensors[shift.key(layer, name)] for name in ("alpha.weight", "alpha.bias", "vector"))
    alpha = torch.nn.functional.linear(h.float(), weight, bias)  # [B, S, 1]
    return np.asarray(alpha.squeeze(-1).abs() * (v - v.mean()).norm())


def begins(names: Sequence[str]) -> np.ndarray:
    """Whether each token of the vocabulary begins a word, [V].

    In WordPiece these are the tokens without ##; in BPE and SentencePiece, those with Ġ or ▁.
    """
    if any(name.startswith("##") for name in names):
        return np.array([not name.startswith("##") for name in names])
    return np.array([name.startswith(("Ġ", "▁")) or not name.isalnum() for name in names])


def add(finished: Finished, task: str, words: Words, names: Sequence[str]) -> None:
    """Add the shifts and rows of one run's task to `words`.

    Args:
        names: Text of each token of the vocabulary, [V].
    """
    data, delta = finished.bench.data(task), finished.delta(task)
    middle = np.median(data.train.target) if data.task.kind == "regression" else None
    starts = begins(names)
    for split in (data.train, data.validation, data.test):
        target = np.asarray(split.target) if middle is None else (np.asarray(split.target) > middle).astype(int)
        shifts = lengths(finished, delta, split)
        words.shift += shifts.sum(axis=1, dtype=np.float64)
        words.tokens += len(split.ids)
        words.sizes += np.bincount(target, minlength=len(words.sizes))
        for row in range(len(split)):
            span = slice(split.offsets[row], split.offsets[row + 1])
            ids = np.asarray(split.ids[span])
            places = np.nonzero(starts[ids] | (np.arange(len(ids)) == 0))[0]
            present = set()
            for pieces, shift in zip(
                np.split(ids, places[1:]), np.split(shifts[:, span], places[1:], axis=1), strict=True
            ):
                text = "".join(names[piece].removeprefix("##").lstrip("Ġ▁") for piece in pieces)
                word = words.seen.setdefault(text, Word(np.zeros(len(shifts)), np.zeros(len(words.sizes))))
                word.shift += shift.mean(axis=1)
                word.times += 1
                present.add(text)
            for text in present:
                words.seen[text].rows[target[row]] += 1


def information(rows: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Mutual information, in bits, between the presence of a word in a row and the row's class, [W].

    Args:
        rows: Number of rows that contain each word, per class [W, C].
        sizes: Number of rows per class [C].
    """
    total = sizes.sum()
    bits = np.zeros(len(rows))
    for joint in (rows / total, (sizes - rows) / total):  # present, and absent
        expected = joint.sum(axis=1, keepdims=True) * sizes / total
        with np.errstate(divide="ignore", invalid="ignore"):
            bits += np.where(joint > 0, joint * np.log2(joint / expected), 0.0).sum(axis=1)
    return bits


def summarise(words: Words, special: Sequence[str], least: int) -> dict[str, Any]:
    """Summarise one task.

    Args:
        special: Special tokens, which are left out.
        least: Words with fewer occurrences are left out.

    Returns:
        `layers`: mean shift of a token per layer. `words`: words by falling shift. `correlation`: rank correlation of
        shift and information; None if it is not defined.
    """
    from scipy.stats import spearmanr

    often = {text: word for text, word in words.seen.items() if word.times >= least and text not in special}
    ranked: list[dict[str, Any]] = []
    if often:
        bits = information(np.stack([word.rows for word in often.values()]), words.sizes)
        for (text, word), found in zip(often.items(), bits, strict=True):
            layers = word.shift / word.times
            ranked.append({"word": text, "shift": float(layers.mean()), "layers": layers.tolist(),
                           "times": word.times, "bits": float(found)})  # fmt: skip
    ranked.sort(key=lambda word: -word["shift"])
    correlation, pairs = None, np.array([(word["shift"], word["bits"]) for word in ranked])
    if len(pairs) > 3 and (np.ptp(pairs, axis=0) > 0).all():
        chance = 1.96 / math.sqrt(len(pairs) - 1)
        correlation = study.Interval(float(spearmanr(pairs[:, 0], pairs[:, 1]).statistic), chance, len(pairs))
    return {"layers": (words.shift / words.tokens).tolist(), "correlation": correlation, "words": ranked}


@run_options(suite="sst2,cola,mnli_m,newsgroups20")
def main(
    *,
    run: Run = None,
    learner: Annotated[str, typer.Option(help="Learner of AdapterBias, by its name in the run.")] = "adapterbias",
    least: Annotated[int, typer.Option(min=1, help="Leave out words with fewer occurrences.")] = 10,
    settings: dict[str, Any],
    seeds: study.Seeds = 3,
    out: study.Out = Path("runs/tokens"),
) -> None:
    console = study.open_console()
    folders = [run] if run else make_runs(out, console, seeds, learners=learner, **settings)
    sums: dict[str, Words] = {}
    for folder in folders:
        finished = open_finished(folder, learner)
        architecture, tokenizer = finished.backbone.architecture, finished.backbone.tokenizer.backend
        names = [tokenizer.id_to_token(number) for number in range(architecture.vocabulary)]
        for task in finished.tasks:
            classes = max(finished.bench.data(task).task.outputs, 2)
            words = sums.setdefault(task, Words(np.zeros(architecture.layers), np.zeros(classes)))
            add(finished, task, words, names)
    special = [token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special]
    found = {task: summarise(words, special, least) for task, words in sums.items()}

    layers = finished.backbone.architecture.layers
    rows = [[task, *(f"{value:.3g}" for value in each["layers"])] for task, each in found.items()]
    head = ["task", *(f"layer {layer}" for layer in range(layers))]
    study.show(console, f"Mean shift of a token, {learner} on {finished.results.backbone.name}", head, rows)
    for task, each in found.items():
        rows = [[word["word"], f"{word['shift']:.3g}", f"{word['times']:,}", f"{word['bits']:.3f}"]
                for word in each["words"][:SHOWN]]  # fmt: skip
        title = f"{task}: words with the largest shift, of {len(each['words'])} words that occur {least} times or more"
        study.show(console, title, ["word", "shift", "occurrences", "information\nbits"], rows)
    findings = [
        Finding(
            "Fu et al. (2022), figures of α",
            "words that matter for a task get the largest weights",
            f"the rank correlation of shift and information on {task} is {each.mean:+.2f} (chance: ±{each.half:.2f})",
            each.verdict(0.0, None),
            task,
            id="AB-words",
        )
        for task, each in ((task, found[task]["correlation"]) for task in found)
        if each is not None
    ]
    print_findings(console, findings)
    used = settings if run is None else finished.results.settings
    document: dict[str, Any] = {"seeds": len(folders), "run": run, "learner": learner, "least": least}
    document = {"settings": {**used, **document}}
    study.save(out / "token_weights.json", document | {"tasks": found, "findings": findings}, finished.results, console)
    drawn = {task: each["words"][: 2 * SHOWN] for task, each in found.items() if each["words"]}

    def plot(*panels: Any) -> None:
        for axes, (task, words) in zip(panels, drawn.items(), strict=True):
            axes.grid(False)
            axes.imshow([word["layers"] for word in words], cmap="Greens", vmin=0, aspect="auto")
            axes.set(title=task, xlabel="layer", xticks=range(layers))
            axes.set_yticks(range(len(words)), [word["word"] for word in words], fontsize=7)

    if drawn:
        pictures.draw(out / "token_weights.png", 2.2 * len(drawn), 5, plot, console, panels=len(drawn))


if __name__ == "__main__":
    study.command(main, __doc__)

"""The no-BERT baseline: linear models and a small network of scikit-learn on the words of the texts."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from learners.specification.family import Family
from learners.specification.learner import Learner, Training
from learners.specification.option import Option, choice, integer, number
from learners.specification.text_model import STRENGTHS, TextModel

BEST = "best"
UNUSED = Training(learning_rate=0.0, epochs=0)  # scikit-learn trains, with settings of its own


def _learner(options: Mapping[str, Any], training: Training) -> Learner:
    pipeline = options["pipeline"]
    return Learner(
        name="",
        family="nobert",
        training=UNUSED,
        library=f"scikit-learn {version('scikit-learn')}, scipy {version('scipy')}",
        trains=False,
        text_model=TextModel(
            pipelines=tuple(STRENGTHS) if pipeline == BEST else (pipeline,),
            buckets=options["features"],
            dimensions=options["dimensions"],
            hidden=options["hidden"],
            strength=None if options["strength"] == BEST else options["strength"],
        ),
    )


def _strength(text: str) -> float | str:
    """Parses best or a number."""
    try:
        return BEST if text == BEST else number(1e-6, 1e6)(text)
    except ValueError as error:
        raise ValueError(f"{BEST} or {error}") from None


FAMILY = Family(
    name="nobert",
    title="no-BERT baseline",
    summary="Uses no encoder: scikit-learn pipelines on the words of the texts, fitted on the training rows of a task "
    "alone. best takes the one with the best validation score. words: TF-IDF of words and pairs of words, "
    "logistic regression, or a linear SVM if there are more than two classes. characters: the same of character "
    "n-grams within words (2 to 4). ngrams: both. vectors: word vectors made from the training texts (PPMI, "
    "factorised), their weighted mean, logistic regression. network: the same mean, one hidden layer. Each is "
    "fitted with two or three strengths of its penalty. Scores are learned by ridge regression. Of a pair, the "
    "words of both texts are told apart, and what they share is a feature. It reads the tokens that all learners "
    "read, so rows are cut at the same length, and an uncased tokenizer has lower-cased them. The tensors hold "
    "all that candidates may fill; what the winner does not use is zero, is not stored and does not count. Only "
    "the bias counts as head. Growth leaves the backbone out, because nothing of it but the tokenizer is used.",
    citation="the no-BERT baseline of Houlsby et al. 2019, section 3.3, is a search over networks on pretrained word "
    "embeddings (30 machines, one week); this one takes seconds and reads nothing but the task. PPMI: Levy et al. 2015",
    training=UNUSED,
    options=(
        Option("pipeline", choice(BEST, *STRENGTHS), BEST, f"{BEST}, or one of {', '.join(STRENGTHS)}"),
        Option(
            "strength", _strength, BEST, "a number: the inverse of the penalty; best: two or three values are tried"
        ),
        Option("features", integer(256, 4_194_304), 16_384, "hash buckets of each kind of n-gram"),
        Option("dimensions", integer(1, 1_024), 64, "width of a word vector"),
        Option("hidden", integer(1, 4_096), 64, "width of the hidden layer of the network"),
    ),
    positional=("pipeline",),
    unshared="each task has its own words and nothing is shared",
    build=_learner,
    examples=("nobert", "nobert:words", "nobert:network:hidden=32"),
)

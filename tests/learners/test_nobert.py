"""The learner that reads words: texts from token ids, and tensors that answer as scikit-learn's own pipelines do."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from learners.backbones.published import known_architecture
from learners.forward.batches import Plan, evaluation_plan
from learners.forward.forward import logits
from learners.methods import nobert
from learners.nobert.features import (
    OVERLAP,
    WORD,
    Features,
    character_ngrams,
    counts,
    overlap,
    weighted,
    word_ngrams,
)
from learners.nobert.pipelines import NETWORK, NEVER
from learners.nobert.texts import Texts, texts_of
from learners.nobert.vectors import SMOOTHING, WINDOW, _information, _neighbours, dense, word_vectors
from learners.specification.family import parse_learner
from learners.specification.recipe import recipe_of
from learners.specification.text_model import STRENGTHS
from learners.training.divergence import Diverged
from learners.training.fit import fit
from learners.training.predict import predict
from learners.training.result import Fit
from stream.results.growth import growth, task_cost
from tasks.encode import encode_split
from tasks.encoded import EncodedSplit, EncodedTask
from tasks.examples import Examples
from tasks.seeds import seed_of
from tasks.task import Kind
from tests.loaded import backbone, batch_of, encoded, score
from tests.worlds import WORDS

LARGE = 2**20  # buckets: no two n-grams of these texts share one, which the tests check
KINDS: tuple[tuple[Kind, int], ...] = (("single", 2), ("single", 3), ("pair", 2), ("regression", 4))
texts = st.lists(st.sampled_from([*WORDS, ".", "?"]), max_size=9).map(" ".join)


@cache
def data_of(kind: Kind, classes: int) -> EncodedTask:
    return encoded(f"{kind}{classes}", classes=classes, rows=64, kind=kind)


def run(specification: str, data: EncodedTask, seed: int = 0, model_type: str = "bert") -> Fit:
    return fit(backbone(model_type), parse_learner(specification), data, score, seed)


def answers(specification: str, found: Fit, split: EncodedSplit) -> np.ndarray:
    return predict(backbone(), parse_learner(specification), found.delta, split, evaluation_plan(split))


def rows_of(split: EncodedSplit) -> list[tuple[str, str]]:
    read = texts_of(backbone().tokenizer, split)
    return list(zip(read.first, read.second, strict=True))


class TestTexts:
    @given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5), st.sampled_from(["bert", "distilbert"]))
    def test_pairs_come_back(self, pairs: list[tuple[str, str]], model_type: str) -> None:
        """With token types, and without: DistilBERT has none."""
        tokenizer = backbone(model_type).tokenizer
        first, second = zip(*pairs, strict=True)
        split = encode_split(Examples(first, second, np.zeros(len(pairs), np.int64)), tokenizer, 40, "a task")
        found = texts_of(tokenizer, split)
        assert [WORD.findall(text) for text in found.first] == [WORD.findall(text) for text in first]
        assert [WORD.findall(text) for text in found.second] == [WORD.findall(text) for text in second]

    @given(st.lists(texts, min_size=1, max_size=5), st.sampled_from(["bert", "distilbert"]))
    def test_single_texts_come_back(self, given_texts: list[str], model_type: str) -> None:
        tokenizer = backbone(model_type).tokenizer
        split = encode_split(
            Examples(tuple(given_texts), None, np.zeros(len(given_texts), np.int64)), tokenizer, 40, "a task"
        )
        found = texts_of(tokenizer, split)
        assert [WORD.findall(text) for text in found.first] == [WORD.findall(text) for text in given_texts]
        assert set(found.second) == {""}

    def test_rows_are_those_that_all_learners_read(self) -> None:
        """Cut at the same length, without upper case, unknown words as one token."""
        tokenizer = backbone().tokenizer
        split = encode_split(
            Examples(("Red OAK zebra pine fir elm",), None, np.zeros(1, np.int64)), tokenizer, 6, "a task"
        )
        assert texts_of(tokenizer, split) == Texts(("red oak [unk] pine",), ("",))


class TestFeatures:
    @given(texts, texts)
    def test_overlap_is_five_shares(self, first: str, second: str) -> None:
        found = overlap(first, second)
        assert len(found) == OVERLAP
        assert all(0 <= share <= 1 for share in found)
        assert overlap(first, first) == ((1.0,) * OVERLAP if first else (0.0,) * OVERLAP)
        if not second:
            assert found == (0.0,) * OVERLAP
        shared = {*first.split()} & {*second.split()}
        assert (found[0] > 0) == bool(shared)

    @given(texts, texts)
    def test_the_texts_of_a_pair_are_told_apart(self, first: str, second: str) -> None:
        one, other = word_ngrams((first, second)), word_ngrams((second, first))
        assert (sorted(one) == sorted(other)) == (sorted(word_ngrams((first, ""))) == sorted(word_ngrams((second, ""))))
        assert [gram for gram in one if gram.startswith("= ")] == [
            f"= {word}" for word in sorted({*WORD.findall(first)} & {*WORD.findall(second)})
        ]

    def test_ngrams_by_hand(self) -> None:
        assert word_ngrams(("a red oak", "red fir")) == [
            "a", "red", "oak", "a red", "red oak", "2 red", "2 fir", "2 red fir", "= red",
        ]  # fmt: skip
        assert character_ngrams(("oak", "a")) == [
            " o", "oa", "ak", "k ", " oa", "oak", "ak ", " oak", "oak ", "2  a", "2 a ", "2  a ",
        ]  # fmt: skip

    @given(st.lists(texts, min_size=2, max_size=6), st.lists(texts, min_size=1, max_size=4))
    def test_weights_are_those_of_scikit_learn(self, train: list[str], other: list[str]) -> None:
        """TF-IDF over the buckets that training rows have."""
        found, later = (counts(rows, str.split, LARGE) for rows in (train, other))
        seen = np.unique(found.indices)
        if not len(seen):
            return
        transformer = TfidfTransformer(sublinear_tf=True).fit(found[:, seen])
        idf = np.zeros(LARGE)
        idf[seen] = transformer.idf_
        for rows in (found, later):
            np.testing.assert_allclose(
                weighted(rows, idf)[:, seen].toarray(), transformer.transform(rows[:, seen]).toarray(), atol=1e-12
            )


class TestEqualToScikitLearn:
    """Pipelines built here of scikit-learn's own parts, with vocabularies instead of hash buckets."""

    @pytest.mark.parametrize("pipeline", ["words", "characters", "ngrams"])
    @pytest.mark.parametrize(("kind", "classes"), KINDS)
    def test_ngrams(self, pipeline: str, kind: Kind, classes: int) -> None:
        data, specification = data_of(kind, classes), f"nobert:{pipeline}:features={LARGE}"
        found = run(specification, data)
        strength = STRENGTHS[pipeline][found.best]
        analyzers = {"words": word_ngrams, "characters": character_ngrams}
        blocks = [
            (name, TfidfVectorizer(analyzer=analyzer, sublinear_tf=True))
            for name, analyzer in analyzers.items()
            if pipeline in (name, "ngrams")
        ]
        union = FeatureUnion([*blocks, ("overlap", FunctionTransformer(lambda rows: [overlap(*row) for row in rows]))])
        model: Any = LogisticRegression(C=strength, tol=1e-3, max_iter=200)
        if kind == "regression":
            model = Ridge(alpha=1 / strength)
        elif classes > 2:
            seed = seed_of(0, "nobert", data.task.name, "svm") % 2**31
            model = LinearSVC(C=strength / 10, tol=1e-2, random_state=seed)
        own = make_pipeline(union, model).fit(rows_of(data.train), data.train.target)
        for name, vectors in blocks:
            assert len(vectors.vocabulary_) == torch.count_nonzero(found.delta.tensors[f"added.{name}.idf"])
        for split in (data.validation, data.test):
            logits, rows = answers(specification, found, split), rows_of(split)
            if kind == "regression":
                np.testing.assert_allclose(logits[:, 0], own.predict(rows), atol=2e-3)  # solved to 1e-4
                continue
            decided = own.decision_function(rows)
            decided = decided if classes > 2 else np.stack([0 * decided, decided], axis=1)
            np.testing.assert_allclose(logits, decided, atol=2e-3)
            assert (logits.argmax(axis=1) == own.predict(rows)).all()

    @pytest.mark.parametrize("pipeline", ["vectors", "network"])
    @pytest.mark.parametrize(("kind", "classes"), KINDS)
    def test_dense(self, pipeline: str, kind: Kind, classes: int) -> None:
        """Standardised inputs, which the stored tensors have in them."""
        data, specification = data_of(kind, classes), f"nobert:{pipeline}:dimensions=8:hidden=12"
        found = run(specification, data)
        strength, scores = STRENGTHS[pipeline][found.best], kind == "regression"
        table = found.delta.tensors["added.vectors.table"].numpy()
        train, test = (
            dense(Features(texts_of(backbone().tokenizer, split), len(table)), table)
            for split in (data.train, data.test)
        )
        target = np.asarray(data.train.target)
        middle, spread = (target.mean(), target.std()) if scores and pipeline == "network" else (0, 1)
        seed = seed_of(0, "nobert", data.task.name, "network") % 2**32
        network = {**NETWORK, "hidden_layer_sizes": (12,), "alpha": 1 / strength, "random_state": seed}
        model: Any
        if pipeline == "network":
            model = MLPRegressor(**network) if scores else MLPClassifier(**network)
        else:
            model = Ridge(1 / strength) if scores else LogisticRegression(C=strength, tol=1e-3, max_iter=200)
        own = make_pipeline(StandardScaler(), model)
        with pytest.warns() if pipeline == "network" else threadpool_limits(1):  # 20 epochs do not converge
            own.fit(train, (target - middle) / spread if scores else target)
        logits = answers(specification, found, data.test)
        if scores:
            np.testing.assert_allclose(logits[:, 0], own.predict(test) * spread + middle, atol=1e-3)
        else:
            np.testing.assert_allclose(torch.softmax(torch.from_numpy(logits), 1), own.predict_proba(test), atol=1e-3)
            assert (logits.argmax(axis=1) == own.predict(test)).all()


class TestVectors:
    def test_information_by_hand(self) -> None:
        """Pairs of words at most 15 apart, in one text, in both directions."""
        rows = ("red oak fir", "oak red red", "elm " + "ash " * WINDOW + "yew")
        found = _neighbours(Texts(rows, ("fir oak", "", "")), 4096)
        together: dict[tuple[str, str], int] = {}
        for row in (*rows, "fir oak"):
            words = row.split()
            for left in range(len(words)):
                for right in range(len(words)):
                    if left != right and abs(left - right) <= WINDOW:
                        key = words[left], words[right]
                        together[key] = together.get(key, 0) + 1
        names = sorted({word for key in together for word in key})
        place = dict(zip(names, counts([[name] for name in names], list, 4096).indices, strict=True))
        assert len({*place.values()}) == len(names)
        expected = np.zeros((4096, 4096))
        for (left_word, right_word), count in together.items():
            expected[place[left_word], place[right_word]] = count
        np.testing.assert_array_equal(found.toarray(), expected)
        assert ("elm", "yew") not in together
        alone = expected.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            chance = np.outer(alone, alone**SMOOTHING / (alone**SMOOTHING).sum())
            pmi = np.where(expected > 0, np.log(expected / chance), 0)
        np.testing.assert_allclose(_information(found).toarray(), np.maximum(pmi, 0), atol=1e-12)

    def test_rare_words_have_no_vector(self) -> None:
        features = Features(Texts(("red oak fir", "red oak", "oak elm red"), ("", "", "")), 4096)
        table, flops = word_vectors(features, 8, seed=0)
        with_vector = {
            word for word in ("red", "oak", "fir", "elm") if table[counts([[word]], list, 4096).indices[0]].any()
        }
        assert with_vector <= {"red", "oak"}
        assert flops > 0
        nothing, none = word_vectors(Features(Texts(("red",), ("",)), 4096), 8, seed=0)
        assert not nothing.any()
        assert none == 0


class TestFit:
    @pytest.mark.parametrize(("kind", "classes"), KINDS)
    def test_the_best_on_validation_answers(self, kind: Kind, classes: int) -> None:
        """A score per candidate, whatever metric; test rows are not there at all."""
        data = replace(data_of(kind, classes), test=cast("EncodedSplit", None))
        found, model = run("nobert", data), parse_learner("nobert").text_model
        assert model is not None
        assert len(found.validation) == len(model.candidates) == sum(map(len, STRENGTHS.values()))
        assert found.validation[found.best] == max(found.validation)
        target = np.asarray(data.validation.target)
        assert score(target, answers("nobert", found, data.validation)) == found.validation[found.best]
        assert found.flops > 0
        assert found.examples == len(data.train)
        assert found.losses == ()
        winner = model.candidates[found.best].specification("nobert")
        alone = run(winner, data)
        assert alone.validation == (found.validation[found.best],)
        assert answers(winner, alone, data.validation).tobytes() == answers("nobert", found, data.validation).tobytes()
        kept = ({name: count for name, count in each.delta.kept.items() if count} for each in (found, alone))
        assert next(kept) == next(kept), "what the others fill is zero"

    def test_a_candidate_is_a_learner(self) -> None:
        whole = parse_learner("nobert:features=512:hidden=8")
        assert whole.text_model is not None
        for candidate in whole.text_model.candidates:
            alone = parse_learner(candidate.specification(whole.name))
            assert alone.text_model is not None
            assert alone.text_model.candidates == (candidate,)
            assert (alone.text_model.buckets, alone.text_model.hidden) == (512, 8)

    def test_it_learns(self) -> None:
        for kind, classes in KINDS[:3]:
            data = data_of(kind, classes)
            assert score(np.asarray(data.test.target), answers("nobert", run("nobert", data), data.test)) > 0.8

    def test_the_same_again_and_with_more_threads(self) -> None:
        data = data_of("pair", 2)
        first = run("nobert", data)
        with threadpool_limits(2):
            second = run("nobert", data)
        assert (first.delta.id, first.validation, first.flops) == (second.delta.id, second.validation, second.flops)

    def test_what_the_seed_draws(self) -> None:
        data = data_of("single", 2)
        words, networks = (
            [run(f"nobert:{pipeline}", data, seed).delta.id for seed in (0, 1)] for pipeline in ("words", "network")
        )
        assert words[0] == words[1]
        assert networks[0] != networks[1]

    def test_it_reads_nothing_of_the_backbone_but_its_tokenizer(self) -> None:
        data = data_of("pair", 2)
        assert run("nobert", data, model_type="bert").delta.id == run("nobert", data, model_type="electra").delta.id

    def test_batches_do_not_matter(self) -> None:
        data = data_of("pair", 2)
        found = run("nobert", data)
        alone = Plan(tuple(np.array([row]) for row in range(len(data.test))))
        one_by_one = predict(backbone(), parse_learner("nobert"), found.delta, data.test, alone)
        assert one_by_one.tobytes() == answers("nobert", found, data.test).tobytes()

    @settings(max_examples=20, deadline=None)
    @given(st.lists(st.integers(0, 3), min_size=64, max_size=64))
    def test_any_labels(self, labels: list[int]) -> None:
        """Of four classes, the training rows may have any. What they lack is never the answer."""
        data = data_of("single", 2)
        data = replace(
            data,
            task=replace(data.task, labels=tuple("abcd")),
            train=replace(data.train, target=np.array(labels, np.int64)),
        )
        found = run("nobert:words", data)
        assert {*answers("nobert:words", found, data.test).argmax(axis=1)} <= {*labels}
        if len({*labels}) == 1:
            assert found.best == 0
            assert len({*found.validation}) == 1
            assert found.delta.id == run("majority", data).delta.id
        else:
            absent = {0, 1, 2, 3} - {*labels}
            assert all(found.delta.tensors["head.bias"][each] == NEVER for each in absent)

    def test_a_score_that_is_not_a_number(self) -> None:
        data = data_of("regression", 4)
        target = np.where(np.arange(len(data.train)) == 3, np.nan, data.train.target).astype(np.float32)
        with pytest.raises(Diverged, match="not finite"):
            run("nobert", replace(data, train=replace(data.train, target=target)))

    def test_a_batch_has_no_texts(self) -> None:
        learner = parse_learner("nobert:words")
        with pytest.raises(ValueError, match="reads texts"):
            logits(backbone(), learner, {"head.bias": torch.zeros(2)}, batch_of(backbone(), data_of("pair", 2)))


class TestAccount:
    def test_growth_leaves_the_backbone_out(self) -> None:
        learner, architecture = parse_learner("nobert"), known_architecture("bert-base-uncased")
        costs = [task_cost(learner, architecture, outputs) for outputs in (2, 20)]
        whole = [cost.without_head for cost in costs]
        assert growth(learner, 1000, costs, heads=False) == (whole[0] / 1000, sum(whole) / 1000)
        assert [cost.head for cost in costs] == [2, 20]

    def test_another_version_of_scikit_learn_is_another_recipe(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = recipe_of(parse_learner("nobert"))
        monkeypatch.setattr(nobert, "version", lambda name: "0.1")
        after = recipe_of(parse_learner("nobert"))
        assert after["library"] == "scikit-learn 0.1, scipy 0.1"
        assert {key for key in before if before[key] != after[key]} == {"library"}

    def test_settings_of_the_loop_change_nothing(self) -> None:
        assert recipe_of(parse_learner("nobert", {"epochs": 7, "batch_size": 3})) == recipe_of(parse_learner("nobert"))

"""The 26 text classification tasks of Houlsby et al. (2019), "Parameter-Efficient Transfer Learning for NLP".

arXiv 1902.00751. Scores are percentages.

GLUE tasks: scores from Table 1 (BERT-large, GLUE test server), metrics from its caption, sizes from the GLUE release,
as the paper gives none. MNLI-m and MNLI-mm are two entries that share one training set. Additional tasks: test accuracy
from Table 2 (BERT-base, mean and standard error over seeds), sizes, classes and mean characters from Table 3, epochs
from Table 4.

The hub addresses of the additional tasks are public copies. Some do not have the paper's rows: the copy of 20
newsgroups has no headers, and the complaints database has grown. `tasks/sources/HUB.md` gives the details. If no copy
is known, the address is None; use a folder then.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tasks.task import DataFacts, HubAddress, Kind, PaperFacts, Task

Sizes = tuple[int, int, int]  # train, validation, test
PARAPHRASE = ("1", "equivalent", "duplicate", "paraphrase", "yes", "true")  # names of the positive class, MRPC and QQP


def _glue(
    name: str,
    title: str,
    kind: Kind,
    metric: str,
    sizes: Sizes,
    classes: int | None,
    scores: tuple[float, float, float],  # fine-tuned, adapters (8-256), adapters (64)
    hub: HubAddress,
) -> Task:
    fine_tune, adapters, adapters_64 = scores
    paper = PaperFacts(
        "glue9", *sizes, classes, None, fine_tune, adapters, adapters_64=adapters_64, source="arXiv 1902.00751, Table 1"
    )
    return Task(name, title, kind, metric, positive=PARAPHRASE if metric == "f1" else (), paper=paper, hub=hub)


def _columns(configuration: str, text: str, text_b: str | None = None, suffix: str = "") -> HubAddress:
    splits = (("train", "train"), ("validation", "validation" + suffix), ("test", "test" + suffix)) if suffix else ()
    return HubAddress("nyu-mll/glue", configuration, text, text_b, splits=splits)


def _additional(
    name: str,
    title: str,
    sizes: Sizes,
    classes: int,
    mean_characters: int,
    scores: tuple[float, float, float, float],  # no BERT, fine-tuned, variable fine-tuned, adapters
    standard_errors: tuple[float, float, float],  # of the last three
    epochs: tuple[int, int],  # fine-tuned, adapters
    hub: HubAddress | None = None,
) -> Task:
    no_bert, fine_tune, variable_fine_tune, adapters = scores
    paper = PaperFacts(
        "additional17",
        *sizes,
        classes,
        mean_characters,
        fine_tune,
        adapters,
        no_bert=no_bert,
        variable_fine_tune=variable_fine_tune,
        epochs=epochs,
        standard_errors=standard_errors,
        source="arXiv 1902.00751, Tables 2-4",
    )
    return Task(name, title, "single", paper=paper, hub=hub)


def _crowdflower(configuration: str) -> HubAddress:
    return HubAddress("tasksource/crowdflower", configuration)


# fmt: off
GLUE9: tuple[Task, ...] = (
    _glue("cola", "CoLA", "single", "matthews", (8551, 1043, 1063), 2, (60.5, 59.5, 56.9),
          _columns("cola", "sentence")),
    _glue("sst2", "SST-2", "single", "accuracy", (67349, 872, 1821), 2, (94.9, 94.0, 94.2),
          _columns("sst2", "sentence")),
    _glue("mrpc", "MRPC", "pair", "f1", (3668, 408, 1725), 2, (89.3, 89.5, 89.6),
          _columns("mrpc", "sentence1", "sentence2")),
    _glue("stsb", "STS-B", "regression", "spearman", (5749, 1500, 1379), None, (87.6, 86.9, 87.3),
          _columns("stsb", "sentence1", "sentence2")),
    _glue("qqp", "QQP", "pair", "f1", (363846, 40430, 390965), 2, (72.1, 71.8, 71.8),
          _columns("qqp", "question1", "question2")),
    _glue("mnli_m", "MNLI-m", "pair", "accuracy", (392702, 9815, 9796), 3, (86.7, 84.9, 85.3),
          _columns("mnli", "premise", "hypothesis", "_matched")),
    _glue("mnli_mm", "MNLI-mm", "pair", "accuracy", (392702, 9832, 9847), 3, (85.9, 85.1, 84.6),
          _columns("mnli", "premise", "hypothesis", "_mismatched")),
    _glue("qnli", "QNLI", "pair", "accuracy", (104743, 5463, 5463), 2, (91.1, 90.7, 91.4),
          _columns("qnli", "question", "sentence")),
    _glue("rte", "RTE", "pair", "accuracy", (2490, 277, 3000), 2, (70.1, 71.5, 68.8),
          _columns("rte", "sentence1", "sentence2")),
)

ADDITIONAL17: tuple[Task, ...] = (
    _additional("newsgroups20", "20 newsgroups", (15076, 1885, 1885), 20, 1903,
                (91.1, 92.8, 92.8, 91.7), (0.1, 0.1, 0.2), (50, 50),
                HubAddress("SetFit/20_newsgroups", label="label_text")),
    _additional("cf_airline", "Crowdflower airline", (11712, 1464, 1464), 3, 104,
                (84.5, 83.6, 84.0, 84.5), (0.3, 0.1, 0.2), (50, 20), _crowdflower("airline-sentiment")),
    _additional("cf_corporate", "Crowdflower corporate messaging", (2494, 312, 312), 4, 121,
                (91.9, 92.5, 92.4, 92.9), (0.5, 0.6, 0.3), (100, 50), _crowdflower("corporate-messaging")),
    _additional("cf_disasters", "Crowdflower disasters", (8688, 1086, 1086), 2, 101,
                (84.9, 85.3, 85.3, 84.1), (0.4, 0.4, 0.2), (50, 50),
                HubAddress("venetis/disaster_tweets", label="target")),
    _additional("cf_econ_relevance", "Crowdflower economic news relevance", (6392, 799, 800), 2, 1400,
                (81.1, 82.1, 78.9, 82.5), (0.0, 2.8, 0.3), (20, 20), _crowdflower("economic-news")),
    _additional("cf_emotion", "Crowdflower emotion", (32000, 4000, 4000), 13, 73,
                (36.3, 38.4, 37.6, 38.7), (0.1, 0.2, 0.1), (20, 20), _crowdflower("text_emotion")),
    _additional("cf_global_warming", "Crowdflower global warming", (3380, 422, 423), 2, 112,
                (82.7, 84.2, 81.9, 82.7), (0.4, 0.2, 0.3), (100, 50), _crowdflower("tweet_global_warming")),
    _additional("cf_political_audience", "Crowdflower political audience", (4000, 500, 500), 2, 205,
                (81.0, 80.9, 80.7, 79.0), (0.3, 0.8, 0.3), (50, 20), _crowdflower("political-media-audience")),
    _additional("cf_political_bias", "Crowdflower political bias", (4000, 500, 500), 2, 205,
                (76.8, 75.2, 76.5, 75.9), (0.9, 0.4, 0.3), (50, 50), _crowdflower("political-media-bias")),
    _additional("cf_political_message", "Crowdflower political message", (4000, 500, 500), 9, 205,
                (43.8, 38.9, 44.9, 44.1), (0.6, 0.6, 0.2), (50, 50), _crowdflower("political-media-message")),
    _additional("cf_primary_emotions", "Crowdflower primary emotions", (2019, 252, 253), 18, 87,
                (33.5, 36.9, 38.2, 33.9), (1.6, 1.0, 1.4), (100, 100)),
    _additional("cf_progressive_opinion", "Crowdflower progressive opinion", (927, 116, 116), 3, 102,
                (70.6, 71.6, 75.9, 71.7), (0.5, 1.3, 1.1), (100, 100)),
    _additional("cf_progressive_stance", "Crowdflower progressive stance", (927, 116, 116), 4, 102,
                (54.3, 63.8, 61.5, 60.6), (1.0, 1.3, 1.4), (100, 100)),
    _additional("cf_us_economic", "Crowdflower US economic performance", (3961, 495, 496), 2, 305,
                (75.6, 75.3, 76.5, 77.3), (0.1, 0.4, 0.1), (100, 20)),
    _additional("complaints_issue", "Customer complaint database", (146667, 18333, 18334), 157, 1046,
                (54.5, 55.9, 56.4, 55.4), (0.1, 0.1, 0.1), (20, 20),
                HubAddress("BEE-spoke-data/consumer-finance-complaints", "has-text",
                           "Consumer complaint narrative", label="Issue")),
    _additional("news_aggregator", "News aggregator dataset", (338349, 42294, 42294), 4, 57,
                (95.2, 96.3, 96.5, 96.2), (0.0, 0.0, 0.0), (20, 20)),
    _additional("sms_spam", "SMS spam collection", (4459, 557, 558), 2, 81,
                (98.5, 99.3, 99.3, 95.1), (0.2, 0.2, 2.2), (50, 20),
                HubAddress("ucirvine/sms_spam", "plain_text", "sms")),
)
# fmt: on

HOULSBY26: tuple[Task, ...] = GLUE9 + ADDITIONAL17

# Tasks that share texts, so that their scores are not independent. MNLI-m and MNLI-mm share the training set. The
# others are several questions about the same messages.
SHARED_TEXTS: tuple[tuple[str, ...], ...] = (
    ("mnli_m", "mnli_mm", "mnli"),
    ("cf_political_audience", "cf_political_bias", "cf_political_message"),
    ("cf_progressive_opinion", "cf_progressive_stance"),
)

# Measured on copies of the released data, without repeated texts, over all labelled splits together. Only a part of
# SST-2, QQP, MNLI, economic news, emotion, complaints and news aggregator was available. The lengths of the last two
# are the paper's (Table 3), because a part has other lengths than the whole.
# fmt: off
DATA_FACTS: Mapping[str, DataFacts] = MappingProxyType({
    "cola": DataFacts(70.3, 41), "sst2": DataFacts(55.1, 55), "mrpc": DataFacts(67.2, 231),
    "stsb": DataFacts(None, 118), "qqp": DataFacts(63.7, 120), "mnli_m": DataFacts(34.9, 167),
    "mnli_mm": DataFacts(36.0, 175), "qnli": DataFacts(50.0, 226), "rte": DataFacts(50.5, 319),
    "newsgroups20": DataFacts(5.3, 1900), "cf_airline": DataFacts(62.9, 104), "cf_corporate": DataFacts(69.2, 121),
    "cf_disasters": DataFacts(57.4, 101), "cf_econ_relevance": DataFacts(81.5, 1403), "cf_emotion": DataFacts(21.5, 74),
    "cf_global_warming": DataFacts(73.2, 112), "cf_political_audience": DataFacts(79.4, 205),
    "cf_political_bias": DataFacts(73.8, 205), "cf_political_message": DataFacts(28.2, 205),
    "cf_primary_emotions": DataFacts(21.4, 87), "cf_progressive_opinion": DataFacts(63.1, 102),
    "cf_progressive_stance": DataFacts(41.4, 102), "cf_us_economic": DataFacts(57.8, 305),
    "complaints_issue": DataFacts(25.9, 1046), "news_aggregator": DataFacts(42.2, 57), "sms_spam": DataFacts(87.6, 79),
})
# fmt: on

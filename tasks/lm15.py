"""The 15 text classification tasks of Progressive Prompts (Razdaibiedina et al. 2023) and O-LoRA (Wang et al. 2023).

arXiv 2301.12314 and 2310.14152. Both arrange data sets of Zhang et al. (2015), GLUE, SuperGLUE and IMDB into streams of
a language model. QQP, RTE and SST-2 are the tasks of `houlsby26`; they keep their names and metrics there (QQP is
scored by F1, in the two papers by accuracy). `mnli` is MNLI with the matched validation rows: the data of `mnli_m`
under the benchmark's own name, so that its files are found. It is another task to a run: its seeds differ.

Orders 1 to 3 are those of the scripts of O-LoRA; they leave out Yelp. Orders 4 to 6 are numbered as in O-LoRA
(Progressive Prompts numbers them 8 to 10) and were read in the code of later work, where all copies agree; the text of
the papers was not at hand. Order 6 was also read in O-LoRA's code.

`LABELS` has the classes as the released benchmark of O-LoRA writes them; other copies of the same data name them
differently. Yahoo's are the numbers of the topics. Lengths and class shares (`LM15_FACTS`) were measured on a sample of
that benchmark: at most 2,300 rows a task, without repeated texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tasks.houlsby26 import GLUE9
from tasks.task import DataFacts, HubAddress, Task

SUPERGLUE = "aps/super_glue"
TITLED = "Title: {title}\nText: {content}\n"  # two columns as one text, as the benchmark writes them

# fmt: off
LM5: tuple[Task, ...] = (
    Task("agnews", "AG News", "single", classes=4, hub=HubAddress("fancyzhx/ag_news")),
    Task("amazon", "Amazon reviews, five stars", "single", classes=5),
    Task("yelp", "Yelp reviews, five stars", "single", classes=5,
         hub=HubAddress("Yelp/yelp_review_full", "yelp_review_full")),
    Task("dbpedia", "DBpedia", "single", classes=14,
         hub=HubAddress("fancyzhx/dbpedia_14", "dbpedia_14", "title", template=TITLED)),
    Task("yahoo", "Yahoo Answers, topics", "single", classes=10,
         hub=HubAddress("community-datasets/yahoo_answers_topics", "yahoo_answers_topics", "question_title",
                        label="topic", template="{question_title}{question_content}")),
)

_GLUE: Mapping[str, Task] = {task.name: task for task in GLUE9}
LM15: tuple[Task, ...] = (
    *LM5,
    Task("mnli", "MNLI (matched)", "pair", classes=3,
         hub=HubAddress("nyu-mll/glue", "mnli", "premise", "hypothesis",
                        splits=(("train", "train"), ("validation", "validation_matched"), ("test", "test_matched")))),
    _GLUE["qqp"], _GLUE["rte"], _GLUE["sst2"],
    Task("wic", "WiC", "single", classes=2,
         hub=HubAddress(SUPERGLUE, "wic", "word", template="word: {word}\n{sentence1}\n{sentence2}")),
    Task("cb", "CommitmentBank", "pair", classes=3, hub=HubAddress(SUPERGLUE, "cb", "premise", "hypothesis")),
    Task("copa", "COPA", "single", classes=2,
         hub=HubAddress(SUPERGLUE, "copa", "premise",
                        template='Which sentence is the {question} of "{premise}"? Choose one between A and B.\n'
                                 "A: {choice1}\nB: {choice2}")),
    Task("boolq", "BoolQ", "pair", classes=2, hub=HubAddress(SUPERGLUE, "boolq", "question", "passage")),
    Task("multirc", "MultiRC", "single", classes=2,
         hub=HubAddress(SUPERGLUE, "multirc", "paragraph",
                        template="paragraph: {paragraph}\nquestion: {question}\ncandidate answer: {answer}")),
    Task("imdb", "IMDB", "single", classes=2, hub=HubAddress("stanfordnlp/imdb", "plain_text")),
)

_STARS = ("negative", "neutral", "positive", "very negative", "very positive")
LABELS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "agnews": ("Business", "Science or Technology", "Sports", "World"),
    "amazon": _STARS,
    "yelp": _STARS,
    "dbpedia": ("Album", "Animal", "Artist", "Athlete", "Building", "Company", "Educational Institution", "Film",
                "Mean of Transportation", "Natural Place", "Office Holder", "Plant", "Village", "Written Work"),
    "yahoo": tuple(str(topic) for topic in range(10)),
    "mnli": ("contradiction", "entailment", "neutral"),
    "qqp": ("False", "True"),
    "rte": ("contradiction", "entailment"),
    "sst2": ("Bad", "Good"),
    "wic": ("False", "True"),
    "cb": ("contradiction", "entailment", "neutral"),
    "copa": ("A", "B"),
    "boolq": ("False", "True"),
    "multirc": ("False", "True"),
    "imdb": ("Bad", "Good"),
})

LM15_FACTS: Mapping[str, DataFacts] = MappingProxyType({
    "agnews": DataFacts(26.7, 250), "amazon": DataFacts(21.2, 451), "yelp": DataFacts(21.2, 747),
    "dbpedia": DataFacts(8.1, 318), "yahoo": DataFacts(10.0, 173), "mnli": DataFacts(34.0, 170),
    "wic": DataFacts(50.7, 92), "cb": DataFacts(48.0, 336), "copa": DataFacts(50.0, 160),
    "boolq": DataFacts(63.8, 633), "multirc": DataFacts(54.3, 1732), "imdb": DataFacts(50.3, 1356),
})

# Name of the order -> the suite that it arranges, and its tasks as they arrive.
ORDERS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType({
    "1": ("lm5", ("dbpedia", "amazon", "yahoo", "agnews")),
    "2": ("lm5", ("dbpedia", "amazon", "agnews", "yahoo")),
    "3": ("lm5", ("yahoo", "amazon", "agnews", "dbpedia")),
    "4": ("lm15", ("mnli", "cb", "wic", "copa", "qqp", "boolq", "rte", "imdb", "yelp", "amazon", "sst2", "dbpedia",
                   "agnews", "multirc", "yahoo")),
    "5": ("lm15", ("multirc", "boolq", "wic", "mnli", "cb", "copa", "qqp", "rte", "imdb", "sst2", "dbpedia", "agnews",
                   "yelp", "amazon", "yahoo")),
    "6": ("lm15", ("yelp", "amazon", "mnli", "cb", "copa", "qqp", "rte", "imdb", "sst2", "dbpedia", "agnews", "yahoo",
                   "multirc", "boolq", "wic")),
})
# fmt: on

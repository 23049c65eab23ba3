"""Original files of the tasks that have no known copy on the hub. Users can download them into a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Original:
    """A published file.

    Attributes:
        url: The address of publication. Files of Crowdflower have moved; search mirrors for the name of the file.
        text, label: Names of its columns.
        note: The rows or the file to use, inferred from the sizes in Houlsby et al. (2019). Default: "", all rows.
    """

    url: str
    text: str
    label: str
    note: str = ""


_CROWDFLOWER = "https://www.figure-eight.com/wp-content/uploads/2016/03/"
_TWEETS = _CROWDFLOWER + "progressive-tweet-sentiment.csv"

# Addresses and columns are from the download scripts of IndicoDataSolutions/Enso, UCI's data set 359, and the code of
# Progressive Prompts.
ORIGINALS: Mapping[str, Original] = MappingProxyType({
    "cf_primary_emotions": Original(_CROWDFLOWER + "primary-plutchik-wheel-DFE.csv", "sentence", "emotion"),
    "cf_progressive_opinion": Original(
        _TWEETS, "tweet", "q2_which_of_the_options_below_is_true_about_the_opinion_in_the_tweet"
    ),
    "cf_progressive_stance": Original(
        _TWEETS, "tweet",
        "q1_from_reading_the_tweet_which_of_the_options_below_is_most_likely_to_be_true_about_the_stance_or_outlook_of"
        "_the_tweeter_towards_the_target",
    ),
    "cf_us_economic": Original(
        _CROWDFLOWER + "us-economic-newspaper.csv", "text", "relevance", "without the rows labelled not sure"
    ),
    "news_aggregator": Original(
        "https://archive.ics.uci.edu/ml/machine-learning-databases/00359/NewsAggregatorDataset.zip", "TITLE",
        "CATEGORY", "newsCorpora.csv in it, tab-separated, without a header",
    ),
    "amazon": Original(
        "https://github.com/arazd/ProgressivePrompts/tree/main/datasets/src/data/amazon", "text", "stars",
        "train.csv and test.csv in it, without a header: stars, title, text",
    ),
})  # fmt: skip

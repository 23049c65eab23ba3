"""How a thing is said where: the same sentences as a tweet, a headline, a letter, a complaint, an SMS, a post."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import PLAIN, Style, Tokens
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.text import join, sentence

STYLES: Mapping[str, Style] = MappingProxyType(
    {
        "plain": PLAIN,
        "article": replace(PLAIN, contractions=0, passive=0.3, relative=0.2),
        "headline": replace(
            PLAIN, contractions=0, passive=0.1, fronting=0, cleft=0, relative=0, never=0, articles=False
        ),
        "tweet": replace(PLAIN, contractions=0.9, passive=0.03, fronting=0.15, cleft=0.02, relative=0.03),
        "sms": replace(PLAIN, contractions=0.8, passive=0.0, fronting=0.2, cleft=0, relative=0.03),
        "review": replace(PLAIN, contractions=0.5, passive=0.05),
        "letter": replace(PLAIN, contractions=0.05, passive=0.2, fronting=0.4),
        "complaint": replace(PLAIN, contractions=0.3, passive=0.15, fronting=0.45),
        "forum": replace(PLAIN, contractions=0.7, passive=0.1),
        "speech": replace(PLAIN, contractions=0.1, passive=0.1, cleft=0.1),
    }
)
SHORT = {"you": "u", "are": "r", "your": "ur", "please": "pls", "to": "2", "for": "4", "and": "&",
         "because": "cos", "tomorrow": "tmrw", "tonight": "2nite", "see": "c", "great": "gr8", "text": "txt",
         "message": "msg"}  # fmt: skip
OPENERS = ("Hi all,", "Hello,", "I have a question.", "Just a thought.", "Some news on this.", "In reply to the above:")
CLOSERS = ("Thanks in advance.", "Any help is welcome.", "Just my opinion.", "Regards,", "Thanks,", "Cheers,")
FILLERS = ("so", "well", "ok", "btw", "seriously", "wow", "ugh", "lol")

Sentences = Sequence[Tokens]


def style_of(register: str) -> Style:
    """The style in which the clauses of a register are realised."""
    return STYLES[register]


def write(register: str, sentences: Sentences, chance: Chance, topic: str = "") -> str:
    """Put clauses together as a text of the register.

    Args:
        register: A key of `STYLES`.
        sentences: Clauses without a final mark; one that ends in a mark keeps it.
        topic: What a hashtag or subject line may name.
    """
    return _WRITERS.get(register, _plain)(sentences, chance, topic)


def _ended(tokens: Tokens, mark: str = ".") -> str:
    closed = tokens[-1].text in (".", "!", "?")
    return sentence(tokens, "" if closed else mark)


def _plain(sentences: Sentences, chance: Chance, topic: str) -> str:
    return " ".join(_ended(tokens) for tokens in sentences)


def _headline(sentences: Sentences, chance: Chance, topic: str) -> str:
    texts = [join(tokens) for tokens in sentences]
    text = chance.pick((": ", ", ", "; ", " - ")).join(texts)
    if chance.flip(0.5):
        text = " ".join(word if word in ("a", "of", "in", "the", "and", "by", "to") else word[:1].upper() + word[1:]
                        for word in text.split(" "))  # fmt: skip
    return text[:1].upper() + text[1:]


def _tweet(sentences: Sentences, chance: Chance, topic: str) -> str:
    parts = [_ended(tokens, chance.pick((".", ".", "!", "", "..."))) for tokens in sentences]
    if chance.flip(0.25):
        parts.insert(0, "@" + chance.pick(lexicon().families))
    if chance.flip(0.15):
        parts.insert(0, chance.pick(FILLERS))
    if topic and chance.flip(0.35):
        parts.append("#" + topic.replace(" ", ""))
    text = " ".join(parts)
    return text.lower() if chance.flip(0.4) else text


def _sms(sentences: Sentences, chance: Chance, topic: str) -> str:
    text = " ".join(_ended(tokens, chance.pick((".", "", "!", "..."))) for tokens in sentences)
    if chance.flip(0.5):
        text = " ".join(SHORT.get(word, word) for word in text.split(" "))
    return text.lower() if chance.flip(0.3) else text


def _letter(sentences: Sentences, chance: Chance, topic: str) -> str:
    who = chance.pick(("Sir or Madam", "colleague", "customer service", "friend", "neighbour", "members"))
    end = chance.pick(("Yours faithfully,", "Kind regards,", "With best wishes,", "Sincerely,"))
    return f"Dear {who}, {_plain(sentences, chance, topic)} {end} {chance.pick(lexicon().families)}"


def _complaint(sentences: Sentences, chance: Chance, topic: str) -> str:
    day = f"On {chance.between(1, 12)}/{chance.between(1, 28)} I wrote about this. " if chance.flip(0.3) else ""
    amount = f" The amount is ${chance.between(2, 980)}.00." if chance.flip(0.3) else ""
    return day + _plain(sentences, chance, topic) + amount


def _forum(sentences: Sentences, chance: Chance, topic: str) -> str:
    start = f"Subject: {chance.pick(('Re: ', ''))}{topic} " if topic and chance.flip(0.6) else ""
    opener = chance.pick(OPENERS) + " " if chance.flip(0.4) else ""
    closer = f" {chance.pick(CLOSERS)} {chance.pick(lexicon().names_of('person'))}" if chance.flip(0.5) else ""
    return start + opener + _plain(sentences, chance, topic) + closer


_WRITERS: Mapping[str, Callable[[Sentences, Chance, str], str]] = MappingProxyType(
    {"headline": _headline, "tweet": _tweet, "sms": _sms, "letter": _letter, "complaint": _complaint, "forum": _forum}
)

"""Texts with a word in the wrong place or form, for the objective that detects wrong words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.morphology import comparative, gerund, participle, past, plural, third_person

WAYS = ("order", "form", "missing", "extra", "moved")
SHARES = (0.2, 0.4, 0.15, 0.1, 0.15)
# Groups of words that differ only in grammar, so that one in the place of another is an error.
GROUPS = (
    ("is", "are", "am", "be"), ("was", "were", "be"), ("has", "have", "had"), ("do", "does", "did"),
    ("he", "him"), ("she", "her"), ("they", "them"), ("i", "me"), ("we", "us"), ("who", "which", "what"),
    ("himself", "herself", "themselves"), ("will", "did", "does"), ("much", "many"), ("any", "some"), ("than", "as"),
)  # fmt: skip
ONE, MANY = ("a", "an", "every", "this", "another"), ("most", "several", "these", "few", "all")


class Forms:
    """Other forms of words, as token ids."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.pieces = [tokenizer.id_to_token(i) for i in range(tokenizer.get_vocab_size())]
        self.continues = np.array([piece.startswith("##") for piece in self.pieces])
        self.known: dict[str, list[list[int]]] = {}
        self.written: dict[str, tuple[int, ...]] = {}

    @cached_property
    def others(self) -> Mapping[str, tuple[str, ...]]:
        """Other forms of each word, by word."""
        words, out = lexicon(), dict[str, set[str]]()
        groups = [set(group) for group in GROUPS]
        groups += [{noun, plural(word)} for c in words.nouns.values() for word in c.words for noun in (word.base,)]
        groups += [{w.base, third_person(w), past(w), participle(w), gerund(w)}
                   for c in words.verbs.values() for w in c.words]  # fmt: skip
        groups += [{w.base, comparative(w)} for c in words.adjectives.values() for w in c.words if w.irregular]
        for group in groups:
            for word in group:
                out.setdefault(word, set()).update(group - {word})
        for here, there in ((ONE, MANY), (MANY, ONE)):
            for word in here:
                out.setdefault(word, set()).update(there)
        return {word: tuple(sorted(o for o in others if o.isalpha())) for word, others in out.items() if word.isalpha()}

    def text(self, word: tuple[int, ...]) -> str:
        """The word of some pieces."""
        return "".join(self.pieces[i].removeprefix("##") for i in word)

    def words(self, ids: np.ndarray) -> list[tuple[int, ...]]:
        """The words of a text, each a tuple of ids of word pieces. `ids`: token ids of the text [n]."""
        starts = np.flatnonzero(~self.continues[ids])
        return [tuple(part.tolist()) for part in np.split(ids, starts[1:])]

    def ids(self, text: str) -> tuple[int, ...]:
        """Token ids of a word."""
        if text not in self.written:
            self.written[text] = tuple(self.tokenizer.encode(text, add_special_tokens=False).ids)
        return self.written[text]

    def of(self, word: tuple[int, ...]) -> list[list[int]]:
        """Token ids of each other form of a word. `word` is a tuple of ids of word pieces."""
        text = self.text(word)
        if text not in self.known:
            found = self.tokenizer.encode_batch_fast(list(self.others.get(text, ())), add_special_tokens=False)
            self.known[text] = [e.ids for e in found]
        return self.known[text]


def disturb(ids: np.ndarray, forms: Forms, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Make one or two words of a text wrong.

    Two neighbours swap places, a word takes another form, or a word is missing (then the next word counts as wrong),
    repeated or moved. Sometimes the new text is right by chance, such as "the old dog" without "old".

    Args:
        ids: Token ids of the text [n].

    Returns:
        Token ids of the new text [m], and which of them are wrong [m].
    """
    words = forms.words(ids)
    wrong = [False] * len(words)
    for _ in range(1 if random.random() < 0.7 else 2):
        way, at = WAYS[int(random.choice(len(WAYS), p=SHARES))], int(random.integers(len(words)))
        if way == "form":
            places = [i for i in random.permutation(len(words)) if forms.of(words[i])]
            if places:
                options = forms.of(words[places[0]])
                words[places[0]] = tuple(options[int(random.integers(len(options)))])
                wrong[places[0]] = True
        elif way == "order" and at + 1 < len(words):
            words[at], words[at + 1] = words[at + 1], words[at]
            wrong[at] = wrong[at + 1] = True
        elif way in ("missing", "moved") and at + 1 < len(words) > 3:
            wrong[at + 1] = True
            word = words.pop(at)
            wrong.pop(at)
            if way == "moved":
                to = int(random.integers(len(words)))
                words.insert(to, word)
                wrong.insert(to, True)
        elif way == "extra":
            words.insert(at, words[int(random.integers(len(words)))])
            wrong.insert(at, True)
    return joined(words, wrong)


def joined(words: Sequence[tuple[int, ...]], wrong: Sequence[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Token ids of a text of these words, and which of them are of a wrong word [m each]."""
    flags = [flag for word, flag in zip(words, wrong, strict=True) for _ in word]
    return np.array([piece for word in words for piece in word], np.int32), np.array(flags)

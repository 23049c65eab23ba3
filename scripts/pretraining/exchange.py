"""Texts in which words are replaced by others of their sort, for the objective that compares two texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TypeVar

import numpy as np

from pretraining.disturb import Forms, joined
from tasks.sources.simulated.lexicon import Concept, lexicon
from tasks.sources.simulated.meaning import TIMES
from tasks.sources.simulated.morphology import gerund, participle, past, plural, third_person

T = TypeVar("T")
SWAPPED = 0.35  # share of exchanges between two words of the same text
# Words that say how many, when and whether; one for another tells something else. Digits count as other than the words
# for them, which is wrong, but rare: texts write most numbers as words.
CLOSED = (
    ("every", "no", "most", "several", "two", "three", "five", "seven", "few", "many", "2", "3", "5", "7"),
    tuple(sorted({time for times in TIMES.values() for time in times if time.isalpha()})),
    ("in", "behind", "near", "above", "under", "outside"),
    ("always", "never"),
    ("before", "after"),
    ("more", "less"),
)  # fmt: skip


@cache
def sorts() -> Mapping[str, tuple[str, int]]:
    """Sort of each word, and the number of its concept.

    Words of one sort fit the same places; words of one concept tell the same.
    """
    found: dict[str, tuple[str, int]] = {}
    for number, (sort, concept) in enumerate(_concepts()):
        for form, word in _forms(sort, concept):
            if " " not in word:
                found.setdefault(word, (form, number))
    closed = [(f"closed {group[0]}", word) for group in CLOSED for word in group]
    return found | {word: (sort, -number) for number, (sort, word) in enumerate(closed, 1)}


@cache
def members(sort: str) -> tuple[str, ...]:
    """All words of a sort."""
    return tuple(word for word, (its, _) in sorts().items() if its == sort)


def _concepts() -> Iterator[tuple[str, Concept]]:
    words = lexicon()
    for noun in words.nouns.values():
        yield f"noun {words.hypernyms(noun.id)[-1] if words.hypernyms(noun.id) else noun.id}", noun
    for verb in words.verbs.values():
        yield f"verb {bool(verb.objects)}", verb
    for adjective in words.adjectives.values():
        yield f"adjective {(adjective.value > 0) - (adjective.value < 0)}", adjective


def _forms(sort: str, concept: Concept) -> Iterator[tuple[str, str]]:
    for word in concept.words:
        if sort.startswith("noun"):
            yield f"{sort} one", word.base
            yield f"{sort} many", plural(word)
        elif sort.startswith("verb"):
            for name, form in (("base", word.base), ("third", third_person(word)), ("past", past(word)),
                               ("participle", participle(word)), ("gerund", gerund(word))):  # fmt: skip
                yield f"{sort} {name}", form
        else:
            yield sort, word.base


def exchange(ids: np.ndarray, forms: Forms, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Make a text tell something else: one word takes the place of another of its sort, or two of them change places.

    This happens once or twice. Rarely, the second time takes back the first.

    Args:
        ids: Token ids of the text [n].

    Returns:
        Token ids of the new text [m], and which of them are exchanged [m].
    """
    words = forms.words(ids)
    texts = [forms.text(word) for word in words]
    wrong = [False] * len(words)
    known = [place for place, text in enumerate(texts) if text in sorts()]
    for _ in range(1 if random.random() < 0.7 else 2):
        if not known:
            break
        place = _any(known, random)
        sort, concept = sorts()[texts[place]]
        partners = [
            other for other in known if sorts()[texts[other]][0] == sort and sorts()[texts[other]][1] != concept
        ]
        if partners and random.random() < SWAPPED:
            other = _any(partners, random)
            words[place], words[other] = words[other], words[place]
            texts[place], texts[other] = texts[other], texts[place]
            wrong[place] = wrong[other] = True
            continue
        chosen = _any(members(sort), random)
        if sorts()[chosen][1] != concept and chosen not in texts:
            words[place], texts[place], wrong[place] = forms.ids(chosen), chosen, True
    return joined(words, wrong)


def _any(values: Sequence[T], random: np.random.Generator) -> T:
    return values[int(random.integers(len(values)))]

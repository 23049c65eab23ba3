"""Readers of simulated texts: what their words alone say, by way of nothing that the generator meant."""

from __future__ import annotations

import re
from functools import cache

from tasks.sources.simulated.far_rules import FEMALE, MALE
from tasks.sources.simulated.lexicon import Concept, lexicon
from tasks.sources.simulated.meaning import TIMES
from tasks.sources.simulated.morphology import participle, past, plural, third_person
from tasks.sources.simulated.near_rules import CASES, PLURAL, SINGULAR
from tasks.sources.simulated.twins.polarity import OPENERS

UNREAL = re.compile(r"\b(could|should|might) (so )?(easily )?have been\b")
DENIED = re.compile(r"n't\b|\bnot\b|\bnever\b")
CONCEDED = "although|even though|though|while"
WISH = re.compile(r"(i hope|we hope|hopefully)\b.*|.*\?")
COMPARATIVES = frozenset(w.irregular[0] for a in lexicon().adjectives.values() for w in a.words if w.irregular)
AUXILIARIES = ("did", "will")


def words_of(text: str) -> list[str]:
    """The words of a sentence without the time it names and punctuation."""
    said = text.lower()
    for time in sorted((t.lower() for times in TIMES.values() for t in times), key=len, reverse=True):
        said = re.sub(rf"\b{time}\b", "", said)
    return re.sub("[.,?!;]", " ", said).split()


def opinion_of(text: str) -> int:
    """1 or -1: what a review says in its main clause, or after "but".

    Raises:
        ValueError: No value in the words, or two.
    """
    said = " ".join(s for s in re.split(r"(?<=[.?!]) ", text.lower()) if not WISH.fullmatch(s)).rstrip(".!")
    for opener in OPENERS:
        said = said.removeprefix(opener.lower().replace(" ,", ",")).strip()
    first = re.match(rf"(?:{CONCEDED}) (.*?), (.*)", said)
    later = re.match(rf"(.*?),? (?:{CONCEDED}) (.*)", said)
    turned = re.match(r"(.*?)(?:, but|, yet|; however,|\. but|\. still,) (.*)", said)
    foretold = re.match(r".* who .*?( will .*)", said)
    told = first[2] if first else turned[2] if turned else foretold[1] if foretold else later[1] if later else said
    told = re.split(rf",? (?:{CONCEDED}) ", told.split(". ")[0])[0]
    turns = len(DENIED.findall(told)) + len(UNREAL.findall(told))
    return _value(told) * (-1) ** turns


def breaks(rule: str, text: str) -> bool:
    """Whether a sentence breaks a rule, by the look of its words."""
    words = words_of(text)
    if rule == "number":
        return any(_clash(words, at) for at in range(len(words)))
    if rule == "comparison":
        at = words.index("than") if "than" in words else words.index("as")
        if words[at] == "than":
            return words[at - 1] not in COMPARATIVES and "more" not in words
        end = words.index("as", at + 1)
        return "more" in words[at:end] or words[at + 1] in COMPARATIVES
    if rule == "inversion":
        at = next(i for i, word in enumerate(words) if word in ("where", "when", "why", "how"))
        return (words[at + 1] in AUXILIARIES) != (at == 0)
    if rule == "tense":
        future = any(time in text.lower() for time in ("tomorrow", "next week", "next month", "next year"))
        return future != ("will" in words)
    if rule == "case":
        return any((word in CASES.values()) == (at == 0) for at, word in enumerate(words) if word in _PRONOUNS)
    assert rule == "reflexive"
    who, self = " ".join(words[1:]), next(w for w in words if w in ("himself", "herself", "themselves"))
    return self != ("himself" if _starts(who, MALE) else "herself" if _starts(who, FEMALE) else "themselves")


_PRONOUNS = {case.lower() for pair in CASES.items() for case in pair}


def _clash(words: list[str], at: int) -> bool:
    """Whether a determiner is of another number than the next noun."""
    determiner = {"an": "a"}.get(words[at], words[at])
    if determiner not in (*SINGULAR, *PLURAL):
        return False
    for start in range(at + 1, len(words)):
        for end in range(min(len(words), start + 4), start, -1):
            number = _numbers().get(" ".join(words[start:end]))
            if number:
                return (determiner in PLURAL) != (number == "many") and number != "mass"
    return False


@cache
def _numbers() -> dict[str, str]:
    found: dict[str, str] = {}
    also = {word.base for adjective in lexicon().adjectives.values() for word in adjective.words}  # "official"
    for noun in lexicon().nouns.values():
        for word in noun.words:
            found |= {plural(word).lower(): "many"} if not noun.mass else {}
            found[word.base.lower()] = "mass" if noun.mass or plural(word) == word.base else "one"
    return {form: number for form, number in found.items() if form not in also}


def _starts(who: str, nouns: tuple[str, ...]) -> bool:
    words = [word.base for noun in nouns for word in lexicon().nouns[noun].words]
    return any(re.match(rf"{word}\b", who) for word in words)


def _value(text: str) -> int:
    """The sign of the words that have a value, all of one, once nouns are set aside: a horror film may be good."""
    said = _valued()
    (sign,) = {said[match] for match in _any_of(tuple(said)).findall(_film_nouns().sub("it", text))}
    return sign


@cache
def _film_nouns() -> re.Pattern[str]:
    nouns = [noun for noun in lexicon().nouns.values() if noun.field == "film"]
    return _any_of(tuple(form.lower() for n in nouns for word in n.words for form in (word.base, plural(word))))


@cache
def _any_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """Any of some phrases, the longest first, as whole words."""
    longest = sorted(phrases, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest))})(?![\w-])")


@cache
def _valued() -> dict[str, int]:
    """Forms of the words of praise and blame, and of the film's own adjectives."""
    concepts = (*lexicon().adjectives.values(), *lexicon().verbs.values())
    of_films = [c for c in concepts if c.value and c.field in ("praise", "blame", "film")]
    return {form.lower(): (1 if c.value > 0 else -1) for c in of_films for form in _forms(c)}


def _forms(concept: Concept) -> list[str]:
    if concept.part == "adj":
        return [word.base for word in concept.words]
    return [form(word) for word in concept.words for form in (lambda w: w.base, past, participle, third_person)]

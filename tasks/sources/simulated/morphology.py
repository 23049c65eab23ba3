"""Inflection of English words: regular rules, with the irregular forms that the lexicon gives."""

from __future__ import annotations

from tasks.sources.simulated.lexicon import Word

VOWELS = "aeiou"


def plural(word: Word) -> str:
    """Plural of a noun; of several words the last one inflects."""
    if word.irregular:
        return word.irregular[0]
    base = word.base
    if base.endswith(("s", "x", "z", "ch", "sh")):
        return base + "es"
    if base.endswith("y") and base[-2:-1] not in VOWELS:
        return base[:-1] + "ies"
    return base + "s"


def third_person(word: Word) -> str:
    """Present tense after he, she, it; of several words the first one inflects, here and below."""
    head, rest = _head(word.base)
    if head == "have":
        return "has" + rest
    if head.endswith(("s", "x", "z", "ch", "sh", "o")):
        return head + "es" + rest
    if head.endswith("y") and head[-2:-1] not in VOWELS:
        return head[:-1] + "ies" + rest
    return head + "s" + rest


def past(word: Word) -> str:
    head, rest = _head(word.base)
    if word.irregular:
        irregular = word.irregular[0]
        return irregular if " " in irregular else irregular + rest
    if head.endswith("e"):
        return head + "d" + rest
    if head.endswith("y") and head[-2:-1] not in VOWELS:
        return head[:-1] + "ied" + rest
    return head + "ed" + rest


def participle(word: Word) -> str:
    """Past participle."""
    if len(word.irregular) > 1:
        _, rest = _head(word.base)
        irregular = word.irregular[1]
        return irregular if " " in irregular else irregular + rest
    return past(word)


def gerund(word: Word) -> str:
    """Form in -ing; a consonant that the past doubles is doubled here too."""
    head, rest = _head(word.base)
    if head.endswith("ie"):
        return head[:-2] + "ying" + rest
    if head.endswith("e") and not head.endswith(("ee", "ye", "oe")) and head != "be":
        return head[:-1] + "ing" + rest
    doubled = word.irregular and word.irregular[0].split(" ")[0] == head + head[-1] + "ed"
    monosyllabic = word.irregular and not doubled and _short(head)
    return head + (head[-1] if doubled or monosyllabic else "") + "ing" + rest


def comparative(word: Word) -> str:
    return word.irregular[0] if word.irregular else f"more {word.base}"


def superlative(word: Word) -> str:
    return word.irregular[1] if len(word.irregular) > 1 else f"most {word.base}"


def article(following: str) -> str:
    """The indefinite article before a word, by the sound it begins with."""
    lower = following.lower()
    if lower.startswith(("hour", "honest", "heir", "honour", "honor")):
        return "an"
    if lower.startswith(("uni", "use", "usu", "eu", "one", "ura", "uto")) and not lower.startswith(
        ("unim", "unin", "unid")
    ):
        return "a"
    return "an" if lower[:1] in VOWELS or lower[:2] in ("8 ", "8") or lower.startswith(("11", "18")) else "a"


def _head(base: str) -> tuple[str, str]:
    head, space, rest = base.partition(" ")
    return head, space + rest


def _short(head: str) -> bool:
    """Whether an irregular verb is one closed short syllable, which doubles before -ing: run, sit, hit, win."""
    vowels = [letter for letter in head if letter in VOWELS]
    return len(vowels) == 1 and head[-1] not in "aeiouwxyh" and head[-2:-1] in VOWELS and len(head) <= 5

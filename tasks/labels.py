"""Names of classes: labels as read become names, equal numbers one name. Names that look alike are told."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

# A number in decimal notation. Leading zeros make a code (a postcode, "007"), which is another label than the number.
NUMBER = re.compile(r"([+-]?)(?=\.?[0-9])(0|[1-9][0-9]*)?(?:\.([0-9]*))?", re.ASCII)
LEADING_ZEROS = re.compile(r"(?<![0-9.])0+(?=[0-9])", re.ASCII)
TOLD = 3  # groups of labels that a note shows


def label_name(text: str) -> str:
    """The name of a label: without spaces around it; a number in its shortest form.

    >>> [label_name(text) for text in (" yes ", "1.0", "+1", "-0.50", ".5", "007")]
    ['yes', '1', '1', '-0.5', '0.5', '007']
    """
    text = text.strip()
    found = NUMBER.fullmatch(text)
    if found is None:
        return text
    sign, whole, fraction = found[1], found[2] or "0", (found[3] or "").rstrip("0")
    number = f"{whole}.{fraction}" if fraction else whole
    return f"-{number}" if sign == "-" and number != "0" else number


def label_names(values: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The label name of each value [n], and a note if values that are written differently have one name."""
    names = {value: label_name(value) for value in set(values)}
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for value, name in names.items():
        groups[name].add(value.strip())
    equal = {name: sorted(group) for name, group in sorted(groups.items()) if len(group) > 1}
    told = _told(f"{_and(map(repr, group))} are label {name!r}" for name, group in equal.items())
    notes = (f"equal numbers are one label: {told}",) if equal else ()
    return [names[value] for value in values], notes


def alike(rows: Mapping[str, int]) -> tuple[str, ...]:
    """A note about labels that differ only by case, spaces, leading zeros or Unicode form. () if there are none.

    Args:
        rows: Number of rows of each label.
    """
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(rows):
        groups[_loose(name)].append(name)
    found = [group for group in groups.values() if len(group) > 1]
    if not found:
        return ()
    told = _told(
        _and(f"{_visible(name, group)} ({rows[name]} row{'' if rows[name] == 1 else 's'})" for name in group)
        for group in found
    )
    return (f"labels that look alike stay different labels: {told}; if they are one, write them alike in the data",)


def _loose(name: str) -> str:
    """A text that is equal for names that look alike."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    seen = "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")  # Cf: characters of no width
    return label_name(LEADING_ZEROS.sub("", " ".join(seen.split())))


def _visible(name: str, group: Sequence[str]) -> str:
    """The name in quotes, with escapes if another name of the group would look the same."""
    shown = Counter(unicodedata.normalize("NFKC", each) for each in group)
    return ascii(name) if shown[unicodedata.normalize("NFKC", name)] > 1 else repr(name)


def _and(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}"


def _told(groups: Iterable[str]) -> str:
    every = list(groups)
    return ", ".join(every[:TOLD]) + (f", and {len(every) - TOLD} more" if len(every) > TOLD else "")

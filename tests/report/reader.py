"""A page as a browser reads it, and strict where browsers forgive."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = frozenset({"meta", "br", "wbr", "col"})  # elements of HTML that have no end tag


class Reader(HTMLParser):
    """What a browser sees: elements, attributes, text; and whether every element is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.titles: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attributes}))
        assert len({name for name, _ in attributes}) == len(attributes), f"an attribute of {tag} is there twice"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, words: str) -> None:
        self.text.append(words)
        if self.open[-1:] == ["title"]:
            self.titles.append(words)

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

"""Where one is: in a town, on a beach, at a bus stop."""

from __future__ import annotations

from functools import cache

from tasks.sources.simulated.lexicon import lexicon

# Prepositions by concept; "in" elsewhere.
PLACED = {
    **dict.fromkeys((
        "beach", "road", "path", "island", "coast", "mountain", "hill", "farm", "bridge", "runway", "airfield",
        "riverbank", "floodplain", "dam", "fault line", "goal line", "stage", "film set", "racetrack", "ice rink",
        "ramp", "reef", "glacier", "ice sheet", "iceberg", "permafrost", "terrace", "balcony", "celestial body",
        "launch pad", "dancefloor", "rubbish heap", "border", "bend",
    ), "on"),
    **dict.fromkeys((
        "waterfall", "campsite", "bus stop", "railway station", "airport", "gate", "petrol station", "checkpoint",
        "border crossing", "polling station", "epicentre", "head office", "branch office", "job centre", "outlet",
        "stock exchange", "container port", "funfair", "spa", "resort", "shooting range", "ballpark", "lunar base",
        "army base", "base", "observatory", "card seller", "exchange bureau", "wind farm", "solar farm", "coal plant",
        "food bank", "bank branch", "showroom", "pawnshop", "phone shop",
    ), "at"),
    **dict.fromkeys(("alley", "dark alley", "galaxy", "nebula", "crater"), "in"),
}  # fmt: skip


@cache
def preposition(place: str) -> str:
    """What stands before a place, a noun or a name: that of the nearest concept which has one."""
    return next((PLACED[kind] for kind in (place, *lexicon().hypernyms(place)) if kind in PLACED), "in")

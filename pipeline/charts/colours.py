"""One colour a person, everywhere."""

from collections.abc import Sequence

__all__ = ["FEATURED", "FIRST", "GREY", "people_colours"]

# Okabe and Ito's set, safe for the colour-blind; then Paul Tol's muted set for those whom a filter brings forward.
FIRST = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
THEN = ("#AA4499", "#999933", "#44AA99", "#CC6677", "#88CCEE", "#DDCC77", "#882255", "#117733")
GREY = "#8A8F98"
FEATURED = len(FIRST)  # so many people are told apart in one chart; the others are drawn together, in grey


def people_colours(people: Sequence[str]) -> dict[str, str]:
    """A colour for each person in this order (first the person to imitate, or who writes most); grey after 14."""
    palette = (*FIRST, *THEN)
    return {name: palette[place] if place < len(palette) else GREY for place, name in enumerate(people)}

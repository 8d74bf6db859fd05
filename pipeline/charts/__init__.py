"""What the tables look like: one figure a finding, as Vega-Lite or as HTML, in fixed colours per person."""

from pipeline.charts.colours import FIRST, GREY, people_colours
from pipeline.charts.figure import STYLE, Figure
from pipeline.charts.figures import figures, opening
from pipeline.charts.lengths import gaps, row_lengths, silence_name

__all__ = [
    "FIRST",
    "GREY",
    "STYLE",
    "Figure",
    "figures",
    "gaps",
    "opening",
    "people_colours",
    "row_lengths",
    "silence_name",
]

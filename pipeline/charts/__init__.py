"""What the tables look like: one figure a finding, as Vega-Lite or as HTML, in fixed colours per person."""

from pipeline.charts.colours import GREY, people_colours
from pipeline.charts.figure import STYLE, Figure
from pipeline.charts.figures import figures, opening

__all__ = ["GREY", "STYLE", "Figure", "figures", "opening", "people_colours"]

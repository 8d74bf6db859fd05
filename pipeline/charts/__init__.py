"""What the tables look like: one figure a finding, as Vega-Lite or as HTML, in fixed colours per person."""

from pipeline.charts.colours import FIRST, GREY, people_colours
from pipeline.charts.figure import STYLE, Figure, duration, number, percent
from pipeline.charts.figures import ORDER, figures, opening
from pipeline.charts.learning_curve import learning_curve
from pipeline.charts.lengths import gaps, row_lengths, silence_name
from pipeline.charts.loss_curve import loss_curve, two_curves
from pipeline.charts.when import WEEKDAYS

__all__ = [
    "FIRST",
    "GREY",
    "ORDER",
    "STYLE",
    "WEEKDAYS",
    "Figure",
    "duration",
    "figures",
    "gaps",
    "learning_curve",
    "loss_curve",
    "number",
    "opening",
    "people_colours",
    "percent",
    "row_lengths",
    "silence_name",
    "two_curves",
]

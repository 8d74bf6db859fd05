"""What a chat is made of: who writes when, who answers whom, and how each person writes."""

from pipeline.analysis.activity import Bucket, Head
from pipeline.analysis.conversations import DOUBLE_TEXT, REPLY_BINS
from pipeline.analysis.enough import ENOUGH, FEW, PLENTY
from pipeline.analysis.hide import hide
from pipeline.analysis.prepare import Prepared, load, prepare, save, select
from pipeline.analysis.stopwords import STOP_WORDS
from pipeline.analysis.style import FEATURES, fingerprint
from pipeline.analysis.tables import Analysis, analyse, summary

__all__ = [
    "DOUBLE_TEXT",
    "ENOUGH",
    "FEATURES",
    "FEW",
    "PLENTY",
    "REPLY_BINS",
    "STOP_WORDS",
    "Analysis",
    "Bucket",
    "Head",
    "Prepared",
    "analyse",
    "fingerprint",
    "hide",
    "load",
    "prepare",
    "save",
    "select",
    "summary",
]

"""From messages to rows that a model learns one person's replies from, in each form, and back."""

from pipeline.dataset.build import build_dataset
from pipeline.dataset.config import (
    FEWEST_REPLIES,
    FILTERS,
    FORMATS,
    Dataset,
    DatasetConfig,
    Dropped,
    Filter,
    Format,
    Row,
    Summary,
)
from pipeline.dataset.filters import REASONS
from pipeline.dataset.formats import format_row
from pipeline.dataset.preview import Bubble, Preview, Token, preview_rows, token_histogram
from pipeline.dataset.rhythm import Rhythm, find_rhythm
from pipeline.dataset.situation import (
    OPENER,
    PROMPTS,
    chat_opening,
    default_prompt,
    find_language,
    mark,
    situation,
    system_prompt,
    user_content,
)
from pipeline.dataset.storage import DatasetFolder, read_about, read_dataset, write_dataset, write_rows

__all__ = [
    "FEWEST_REPLIES",
    "FILTERS",
    "FORMATS",
    "OPENER",
    "PROMPTS",
    "REASONS",
    "Bubble",
    "Dataset",
    "DatasetConfig",
    "DatasetFolder",
    "Dropped",
    "Filter",
    "Format",
    "Preview",
    "Rhythm",
    "Row",
    "Summary",
    "Token",
    "build_dataset",
    "chat_opening",
    "default_prompt",
    "find_language",
    "find_rhythm",
    "format_row",
    "mark",
    "preview_rows",
    "read_about",
    "read_dataset",
    "situation",
    "system_prompt",
    "token_histogram",
    "user_content",
    "write_dataset",
    "write_rows",
]

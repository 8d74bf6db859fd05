"""From messages to rows that a model learns one person's replies from, in each form, and back."""

from pipeline.dataset.build import build_dataset
from pipeline.dataset.config import FEWEST_REPLIES, FORMATS, Dataset, DatasetConfig, Dropped, Format, Row, Summary
from pipeline.dataset.formats import format_row
from pipeline.dataset.situation import OPENER, PROMPTS, chat_opening, mark, situation, system_prompt, user_content
from pipeline.dataset.storage import read_about, read_dataset, write_dataset, write_rows

__all__ = [
    "FEWEST_REPLIES",
    "FORMATS",
    "OPENER",
    "PROMPTS",
    "Dataset",
    "DatasetConfig",
    "Dropped",
    "Format",
    "Row",
    "Summary",
    "build_dataset",
    "chat_opening",
    "format_row",
    "mark",
    "read_about",
    "read_dataset",
    "situation",
    "system_prompt",
    "user_content",
    "write_dataset",
    "write_rows",
]

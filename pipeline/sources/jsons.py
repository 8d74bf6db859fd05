"""What the sources in JSON share: loading what may be broken, and the sort of a file by its name."""

import json
from typing import Any, TypeAlias

from pipeline.errors import ChatError
from pipeline.sources.source import Bytes

__all__ = ["Json", "dicts", "load_json", "sort_of_file", "text_of"]

Json: TypeAlias = dict[str, Any]
_SORTS = {
    "image": "jpg jpeg png heic webp bmp avif", "video": "mp4 mov mkv webm", "gif": "gif",
    "audio": "mp3 m4a ogg opus wav aac flac",
}  # fmt: skip
_SORT_OF = {ending: sort for sort, endings in _SORTS.items() for ending in endings.split()}


def load_json(data: Bytes) -> Any:
    """The value. Raises ChatError where it is cut off, broken, or nested too deep."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ChatError("This JSON file is broken or incomplete: export the chat again.") from error


def dicts(value: Any) -> list[Json]:
    """The dicts of a list; none of what is no list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """A string as it is, and "" for anything else; halves of surrogate pairs, which no text has, are replaced."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def sort_of_file(name: str) -> str:
    """image, video, gif, audio or document."""
    return _SORT_OF.get(name.rpartition(".")[2].lower(), "document")

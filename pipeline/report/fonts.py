"""Text drawn into a picture: each script in a font of this machine that has it, shaped, and emoji in colour."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image, ImageFont

__all__ = ["draw_text", "fit", "text_width"]

PLACES = (
    "/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts", "/System/Library/Fonts",
    "/Library/Fonts", "~/Library/Fonts", "C:/Windows/Fonts",
)  # fmt: skip
SIGNS = r"\u2190-\u2BFF\U0001F000-\U0001FAFF"
AFTER = r"\uFE0F\U0001F3FB-\U0001F3FF\U000E0020-\U000E007F"
PICTURE = rf"(?:[\U0001F1E6-\U0001F1FF]{{2}}|[{SIGNS}](?:[{AFTER}]|\u200D[{SIGNS}])*)"
# A script's characters, and the files that hold them: Debian's, macOS's, Windows's; the first there is serves.
SCRIPTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"\u0600-\u06FF\u0750-\u077F\u08A0-\u08FF\uFB50-\uFEFC", ("NotoSansArabic", "GeezaPro.ttc", "segoeui.ttf")),
    (r"\u0900-\u097F", ("NotoSansDevanagari", "Kohinoor.ttc", "Nirmala.ttf", "Nirmala.ttc")),
    (r"\u0980-\u09FF", ("NotoSansBengali", "KohinoorBangla.ttc", "Nirmala.ttf", "Nirmala.ttc")),
    (r"\u0A80-\u0AFF", ("NotoSansGujarati", "Nirmala.ttf", "Nirmala.ttc")),
    (r"\u0B80-\u0BFF", ("NotoSansTamil", "Nirmala.ttf", "Nirmala.ttc")),
    (r"\u0C00-\u0C7F", ("NotoSansTelugu", "KohinoorTelugu.ttc", "Nirmala.ttf", "Nirmala.ttc")),
    (r"\u0590-\u05FF", ("NotoSansHebrew", "ArialHB.ttc", "segoeui.ttf")),
    (r"\u0E00-\u0E7F", ("NotoSansThai", "Thonburi.ttc", "LeelawUI.ttf")),
    (r"\uAC00-\uD7AF\u1100-\u11FF\u3130-\u318F", ("NotoSansCJK", "AppleSDGothicNeo.ttc", "malgun.ttf")),
    (
        r"\u3000-\u30FF\u3400-\u9FFF\uF900-\uFAFF\uFF00-\uFFEF",
        ("NotoSansCJK", "Hiragino Sans GB.ttc", "YuGothR.ttc", "msyh.ttc"),
    ),
)
OTHERS = ("NotoSans", "DejaVuSans", "LiberationSans", "HelveticaNeue.ttc", "Arial.ttf", "segoeui.ttf")
COLOURED = (("NotoColorEmoji.ttf", 109), ("Apple Color Emoji.ttc", 160), ("seguiemj.ttf", 109))


def draw_text(image: Image.Image, x: int, y: int, text: str, size: int, colour: str, *, bold: bool = False) -> None:
    """Draw a line of text with its base line at y; what no font here can write is left out."""
    from PIL import ImageDraw

    pen, at = ImageDraw.Draw(image), float(x)
    for piece, font in _runs(text, size, bold):
        if font is not None:
            pen.text((at, y), piece, fill=colour, font=font, anchor="ls")
            at += font.getlength(piece)
        elif (sign := _emoji(piece, size)) is not None:
            image.paste(sign, (round(at), round(y - 0.86 * size)), sign)
            at += sign.width


def text_width(text: str, size: int, *, bold: bool = False) -> float:
    """The width of a line in points."""
    width = 0.0
    for piece, font in _runs(text, size, bold):
        sign = None if font is not None else _emoji(piece, size)
        width += font.getlength(piece) if font is not None else sign.width if sign is not None else 0
    return width


def fit(text: str, size: int, width: float, *, bold: bool = False) -> int:
    """The size, at most the one given, at which the text is no wider than `width`."""
    wide = text_width(text, size, bold=bold)
    return size if wide <= width else max(12, int(size * width / wide))


def _runs(text: str, size: int, bold: bool) -> list[tuple[str, ImageFont.FreeTypeFont | ImageFont.ImageFont | None]]:
    """The text in pieces of one script each, with its font; None for an emoji, and nothing where no font has it."""
    rules = "|".join(f"[{script}](?:[{script}\\s\u200c\u200d]*[{script}])?" for script, _ in SCRIPTS)
    runs: list[tuple[str, ImageFont.FreeTypeFont | ImageFont.ImageFont | None]] = []
    plain = ""
    for piece in re.findall(rf"{PICTURE}|{rules}|.", text):
        names = next((files for script, files in SCRIPTS if re.match(f"[{script}]", piece)), None)
        if names is None and not re.match(PICTURE, piece):
            plain += piece
            continue
        if plain:
            runs.append((plain, _font(OTHERS, size, bold)))
            plain = ""
        if names is None:
            runs.append((piece, None))
        elif _file(names, bold):
            runs.append((piece, _font(names, size, bold)))
    return [*runs, (plain, _font(OTHERS, size, bold))] if plain else runs


@functools.cache
def _files() -> dict[str, Path]:
    """The font files of this machine by their name in lower case."""
    found: dict[str, Path] = {}
    for place in PLACES:
        folder = Path(place).expanduser()
        if folder.is_dir():
            found.update(
                {path.name.lower(): path for path in sorted(folder.rglob("*")) if path.suffix.lower() in FORMS}
            )
    return found


FORMS = (".ttf", ".otf", ".ttc")


def _file(names: tuple[str, ...], bold: bool) -> Path | None:
    files = _files()
    weights = ("-Bold", "-Regular", "") if bold else ("-Regular", "")
    for name in names:
        tries = [name] if "." in name else [f"{name}{weight}{form}" for weight in weights for form in FORMS]
        for candidate in tries:
            if candidate.lower() in files:
                return files[candidate.lower()]
    return None


@functools.lru_cache(maxsize=128)
def _font(names: tuple[str, ...], size: int, bold: bool) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont

    path = _file(names, bold)
    return ImageFont.truetype(str(path), size) if path else ImageFont.load_default(size)


def _emoji(sign: str, size: int) -> Image.Image | None:
    """An emoji in colour, as large as the text around it; None where this machine has no font for it."""
    from PIL import Image, ImageDraw, ImageFont

    for name, strike in COLOURED:  # fonts of pictures have one size only
        path = _files().get(name.lower())
        if path is None:
            continue
        try:
            font = ImageFont.truetype(str(path), strike)
            box = Image.new("RGBA", (round(font.getlength(sign)) or strike, round(strike * 1.25)))
            ImageDraw.Draw(box).text((0, strike), sign, font=font, embedded_color=True, anchor="ls")
        except OSError:
            continue
        scale = size / strike
        return box.resize(
            (max(1, round(box.width * scale)), max(1, round(box.height * scale))), Image.Resampling.LANCZOS
        )
    return None

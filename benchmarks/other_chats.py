"""Twins of other people than the sample's, made and examined as a user would: exports, dataset, training, exam.

python benchmarks/other_chats.py FOLDER [small pair group]    each chat's figures are a row of the table
"""

import itertools
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

ENCRYPTED = (
    "Messages and calls are end-to-end encrypted. No one outside of this chat, not even WhatsApp, can read or listen "
    "to them."
)
VERSCHLUESSELT = (
    "Nachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt. Niemand außerhalb dieses Chats kann sie lesen oder "
    "anhören, nicht einmal WhatsApp."
)

Said = tuple[datetime, str, str]  # when, who, what


@dataclass(frozen=True)
class Chat:
    """A chat made of chitchat-dataset's conversations: invented names by the beginnings of ids, the twin's first."""

    names: dict[str, str]
    layout: str
    notice: str


CHATS = {
    # Few replies, in lower case and without full stops, exported by a German Android phone.
    "small": Chat({"433945": "Lena Vogt", "9c5694": "Jonas"}, "german", VERSCHLUESSELT),
    "pair": Chat({"549cc1": "Mia", "720840": "Tyler Brooks"}, "american", ENCRYPTED),
    "group": Chat({"0f9fe1": "Ben", "842e34": "Zoe", "bdd837": "Max 🏀", "9c5694": "Priya K"}, "ios", ENCRYPTED),
}


def conversations(people: set[str]) -> list[list[Said]]:
    """All conversations of two people, by the beginnings of their ids, in time."""
    from chitchat_dataset import Dataset

    found = []
    for conversation in Dataset().values():
        messages = [message for turn in conversation["messages"] for message in turn]
        if {message["sender"][:6] for message in messages} == people:
            said = [
                (datetime.fromisoformat(m["timestamp"].removesuffix("Z")), m["sender"][:6], m["text"]) for m in messages
            ]
            found.append(sorted(said, key=lambda message: message[0]))
    return sorted(found, key=lambda said: said[0][0])


def interleaved(names: dict[str, str]) -> list[Said]:
    """One chat of all pairs: in a group every second conversation runs through the one before it."""
    pairs = [conversations({a, b}) for a, b in itertools.combinations(names, 2)]
    made: list[list[Said]] = []
    for number, one in enumerate(sorted(itertools.chain(*pairs), key=lambda said: said[0][0])):
        shift = timedelta(0)
        if len(names) > 2 and number % 2:
            shift = made[-1][0][0] + timedelta(minutes=4) - one[0][0]
        made.append([(at + shift, who, text) for at, who, text in one])
    return sorted(itertools.chain(*made), key=lambda said: said[0])


def line(layout: str, at: datetime, who: str, text: str) -> str:
    """A message as this phone exports it; a notice, which nobody wrote, without a name on Android."""
    said = f"{who}: {text}" if who else text
    hour = at.strftime("%I").lstrip("0")
    if layout == "german":
        return f"{at:%d.%m.%y, %H:%M} - {said}"
    if layout == "american":
        return f"{at.month}/{at.day}/{at:%y}, {hour}:{at:%M}\u202f{at:%p} - {said}"
    return f"[{at.month}/{at.day}/{at:%y}, {hour}:{at:%M:%S}\u202f{at:%p}] {said}"


def write(chat: Chat, folder: Path) -> Path:
    """The export in this folder."""
    said = interleaved(chat.names)
    first = ("Book Club", f"\u200e{chat.notice}") if chat.layout == "ios" else ("", chat.notice)
    lines = [line(chat.layout, said[0][0], *first)]
    lines += [line(chat.layout, at, chat.names[who], text) for at, who, text in said]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "_chat.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def command(*words: str | Path) -> dict[str, Any]:
    """What a step of the command line answers."""
    here = Path(__file__).resolve().parents[1]
    made = subprocess.run(
        [sys.executable, "-m", "pipeline", *map(str, words), "--json"], cwd=here, check=True, stdout=subprocess.PIPE
    )
    answer: dict[str, Any] = json.loads(made.stdout)
    return answer


def row(name: str, exam: dict[str, Any], replies: int) -> str:
    """The marks of an exam, as a row of the table."""
    of = {candidate["name"]: candidate for candidate in exam["candidates"]}
    twin, person = of["twin"], of["person"]
    said, real = twin["answers"], person["answers"]
    bits = twin["loss"]["bits_per_character"]
    lower = [f"{1 - bits / of[base]['loss']['bits_per_character']:.1%}" for base in ("base", "prompted base")]
    found, mark = (
        [f"{100 * one['classifier'][key]:.0f}" for key in ("accuracy", "low", "high")] for one in (twin, person)
    )
    cells = [
        name, f"{replies:,}", f"{exam['held_out_replies']:,}", f"{said['ended']:.1%}", f"{said['other_side']:.1%}",
        f"{bits:.3f}", *lower, f"{said['mean_characters']:.0f} / {real['mean_characters']:.0f}",
        f"{said['mean_bubbles']:.2f} / {real['mean_bubbles']:.2f}",
        f"{found[0]} [{found[1]} to {found[2]}]", f"{mark[0]} [{mark[1]} to {mark[2]}]",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main(folder: Path, wanted: list[str]) -> None:
    for name in wanted:
        chat, place = CHATS[name], folder / name
        export = write(chat, place)
        made = command("dataset", export, "--as", next(iter(chat.names.values())), "--out", place / "dataset")
        command("train", place / "dataset", "--out", place / "run")
        print(row(name, command("evaluate", place / "run"), made["train_replies"]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2:] or list(CHATS))

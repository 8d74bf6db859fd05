"""Reading exports: ours against chatpack (Rust), whatsapp-chat-parser (JavaScript) and whatstk (Python) in one run.

Writes exports of so many messages in two layouts (iOS, dotted, with seconds; US, 12 hours, U+202F), each reader in a
process of its own, and prints a table of CPU seconds, peak memory and the share of records that are exactly right.

    python benchmarks/read.py --python PEERS/bin/python --modules PEERS/node_modules
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

WORDS = [
    *(
        "the",
        "a",
        "is",
        "it",
        "that",
        "this",
        "we",
        "you",
        "go",
        "home",
        "work",
        "later",
        "tomorrow",
        "lunch",
        "haha",
        "ok",
    ),
    *(
        "yes",
        "no",
        "maybe",
        "😀",
        "🎉",
        "❤️",
        "gut",
        "heute",
        "über",
        "straße",
        "please",
        "call",
        "me",
        "when",
        "done",
        "at",
    ),
    *("the", "office", "see", "there", "because", "always", "never", "again", "coffee", "train", "left", "added"),
]
NAMES = ["Alice", "Bob Müller", "Carla 🌻", "+49 170 1234567", "~ Dan"]
SYSTEM = ["Alice added Bob Müller", "Bob Müller left", "You changed the subject to “Trip: Rome”"]
Record = tuple[str, str | None, str, str]


def write_export(path: Path, layout: str, count: int) -> Counter[Record]:
    """An export of 15 % multi-line, 7 % media, 1 % edited or deleted and 2 % system lines; the records it holds."""
    source, now = random.Random(count), datetime(2019, 1, 1, 8)
    expected: Counter[Record] = Counter()
    mark, newline = ("\u200e", "\r\n") if layout == "ios" else ("", "\n")
    with path.open("w", encoding="utf-8", newline="") as file:
        for _ in range(count):
            now += timedelta(seconds=source.randrange(1, 200))
            shown = now if layout == "ios" else now.replace(second=0)
            half = "AM" if now.hour < 12 else "PM"
            clock = f"{now.hour % 12 or 12}:{now:%M}\u202f{half}"
            head = f"[{now:%d.%m.%y, %H:%M:%S}] " if layout == "ios" else f"{now.month}/{now.day}/{now:%y}, {clock} - "
            name, body, text, kind = one_message(source, mark)
            prefix = f"{name}: " if name else "Group: " if layout == "ios" else ""
            file.write(f"{head}{prefix}{body}{newline}")
            expected[shown.isoformat(), name, text, kind] += 1
    return expected


def one_message(source: random.Random, mark: str) -> tuple[str | None, str, str, str]:
    """(sender, body as written, text as read, kind)."""
    lottery, name = source.random(), source.choice(NAMES)
    if lottery < 0.02:
        line = source.choice(SYSTEM)
        return None, mark + line, line, "system"
    if lottery < 0.09:
        media = "image omitted" if mark else "<Media omitted>"
        return name, mark + media, media, "media"
    if lottery < 0.095:
        return name, f"{mark}This message was deleted.", "This message was deleted.", "deleted"
    lines = source.randrange(2, 4) if lottery < 0.245 else 1
    text = "\n".join(" ".join(source.choices(WORDS, k=source.randrange(1, 22))) for _ in range(lines))
    if 0.245 <= lottery < 0.25:
        return name, f"{text} {mark}<This message was edited>", text, "text"
    return name, text, text, "text"


# Each reads sys.argv[1], prints {cpu, peak} and writes one JSON record a line to sys.argv[2].
_PYTHON = """
import json, re, sys, time
{prepare}
start = time.process_time()
{read}
cpu = time.process_time() - start
peak = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024  # of this program alone
with open(sys.argv[2], "w") as out:
    for record in {records}:
        out.write(json.dumps(record) + "\\n")
print(json.dumps({{"cpu": cpu, "peak": peak}}))
"""
_OURS = 'zip(m["sent_at"].dt.strftime("%Y-%m-%dT%H:%M:%S"), m["sender"], m["text"], m["kind"].cast(str))'
_NODE = """
import fs from "node:fs"; import { parseString } from "MODULE";
const begin = process.cpuUsage();
const messages = parseString(fs.readFileSync(process.argv[2], "utf8"));
const used = process.cpuUsage(begin), status = fs.readFileSync("/proc/self/status", "utf8");
const peak = Number(/VmHWM:\\s+(\\d+)/.exec(status)[1]) / 1024;
const pad = n => String(n).padStart(2, "0");
const iso = d => `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}T` +
  `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
const out = fs.openSync(process.argv[3], "w");
for (let i = 0; i < messages.length; i += 10000) {
  const rows = messages.slice(i, i + 10000).map(m => [iso(m.date), m.author, m.message, ""]);
  fs.writeSync(out, rows.map(row => JSON.stringify(row) + "\\n").join(""));
}
console.log(JSON.stringify({ cpu: (used.user + used.system) / 1e6, peak }));
"""
READERS = {
    "ours, from text": _PYTHON.format(
        prepare="from pipeline.sources import parse\ntext = open(sys.argv[1], newline='').read()",
        read="m, _ = parse(text)",
        records=_OURS,
    ),
    "ours, from text handed over": _PYTHON.format(
        prepare="from pipeline.sources import parse\ntexts = [open(sys.argv[1], newline='').read()]",
        read="m, _ = parse(texts.pop())",
        records=_OURS,
    ),
    "ours, from file": _PYTHON.format(
        prepare="from pipeline.sources import read", read="m = read(sys.argv[1]).messages", records=_OURS
    ),
    "chatpack": _PYTHON.format(
        prepare="import chatpack",
        read="m = chatpack.parse_whatsapp(sys.argv[1])",
        records="((x.timestamp[:19], x.sender, x.content, '') for x in m)",
    ),
    "whatstk": _PYTHON.format(
        prepare="from whatstk import WhatsAppChat",
        read="m = WhatsAppChat.from_source(sys.argv[1], max_size=None).df",
        records="zip(m['date'].dt.strftime('%Y-%m-%dT%H:%M:%S'), m['username'], m['message'], [''] * len(m))",
    ),
    "whatsapp-chat-parser": _NODE,
}


def run_reader(name: str, path: Path, python: str, modules: Path) -> dict[str, float] | str:
    """{cpu, peak} and the records beside the export, or why there are none."""
    environment = {**os.environ, "TZ": "UTC", "PYTHONPATH": str(Path(__file__).parents[1])}
    out = path.with_suffix(".records")
    if READERS[name] is _NODE:
        module = modules.resolve() / "whatsapp-chat-parser"
        if not module.exists():
            return "not installed"
        entry = json.loads((module / "package.json").read_text())
        script = path.with_suffix(".mjs")
        script.write_text(_NODE.replace("MODULE", (module / entry.get("module", entry.get("main"))).as_uri()))
        command = ["node", "--max-old-space-size=8000", str(script), str(path), str(out)]
    else:
        command = [sys.executable if name.startswith("ours") else python, "-c", READERS[name], str(path), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["error"])[-1]
        return "not installed" if "ModuleNotFoundError" in last else f"error: {last[:60]}"
    result: dict[str, float] = json.loads(done.stdout)
    return result


def exact_share(path: Path, expected: Counter[Record], *, kinds: bool) -> float:
    """Percent of the export's records that were read exactly: time, sender, text, and kind where the reader has one."""
    wanted: Counter[Record] = Counter()
    for (when, sender, text, kind), count in expected.items():
        wanted[when, sender, text, kind if kinds else ""] += count
    with path.open(encoding="utf-8") as records:
        found = Counter(tuple(json.loads(line)) for line in records)
    return 100 * sum((wanted & found).values()) / wanted.total()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--python", default=sys.executable, help="an interpreter with chatpack and whatstk")
    parser.add_argument("--modules", type=Path, default=Path("node_modules"), help="with whatsapp-chat-parser in it")
    parser.add_argument("--ours", action="store_true", help="ours alone")
    options = parser.parse_args()
    readers = [name for name in READERS if name.startswith("ours") or not options.ours]
    print("| messages | file | reader | CPU s | peak / file | exact, % |\n| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for count in options.messages:
            for layout in ("ios", "us"):
                path = Path(folder) / f"{layout}.txt"
                expected = write_export(path, layout, count)
                size = path.stat().st_size / (1 << 20)
                for name in readers:
                    result = run_reader(name, path, options.python, options.modules)
                    start = f"| {count:,} | {layout}, {size:.0f} MB | {name} "
                    if isinstance(result, str):
                        print(f"{start}| {result} | | |", flush=True)
                        continue
                    share = exact_share(path.with_suffix(".records"), expected, kinds=name.startswith("ours"))
                    print(f"{start}| {result['cpu']:.2f} | {result['peak'] / size:.1f} | {share:.2f} |", flush=True)


if __name__ == "__main__":
    main()

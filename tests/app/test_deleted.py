"""After "Delete my data" nothing of the visitor is left: not on disk, not in the app's memory, not in its log."""

import time

import pages
import pytest
from chats import export
from playwright.sync_api import expect

pytestmark = [pytest.mark.slow, pytest.mark.browser]

NAME, WORD, SAID, PHONE = "Zebedinka", "quokkawombat", "narwhalibex", "+49 30 901820455"


def in_memory(pid: int, *canaries: str) -> dict[str, int]:
    """How often each canary stands in the readable memory of a process, in the encodings that Python uses."""
    found = dict.fromkeys(canaries, 0)
    wanted = [(canary, canary.encode(code)) for canary in canaries for code in ("utf-8", "utf-16-le", "utf-32-le")]
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            span, rights, *_ = line.split()
            begin, end = (int(edge, 16) for edge in span.split("-"))
            if not rights.startswith("rw") or "[v" in line:
                continue
            try:
                memory.seek(begin)
                held = memory.read(end - begin)
            except (OSError, ValueError, OverflowError):
                continue
            for canary, written in wanted:
                found[canary] += held.count(written)
    return found


def test_nothing_is_left_in_memory_on_disk_or_in_the_log(serve, tmp_path_factory, new_context, tmp_path):
    app = serve(tmp_path_factory.mktemp("deleted") / "home")
    lines = [((NAME, "Grace")[i % 2], f"line {i} {WORD if i % 5 == 0 else ''} {PHONE if i == 7 else ''}") for i in range(240)]
    chat = tmp_path / f"{NAME}.txt"
    chat.write_text(export(lines), encoding="utf-8")
    page = pages.enter(new_context().new_page(), app.url)
    pages.bring(page, chat)
    expect(page.locator("#header")).to_contain_text(NAME, timeout=90_000)
    pages.make_dataset(page)
    pages.go_to(page, "Chat")
    pages.talk(page, f"hello {SAID}")
    assert all(in_memory(app.process.pid, NAME, WORD, SAID, PHONE).values())
    page.locator("#forget").click()
    page.locator("#forget-yes").click()
    expect(page.locator("#header")).not_to_contain_text(NAME, timeout=90_000)
    page.context.close()
    for _ in range(2):
        time.sleep(5)
        print(in_memory(app.process.pid, NAME, WORD, SAID, PHONE), flush=True)
    import os, signal
    os.kill(app.process.pid, signal.SIGUSR1)
    time.sleep(90)
    raise SystemExit

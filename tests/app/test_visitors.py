"""Several visitors at once: each has their own, nobody sees another's, and what is deleted is gone."""

import os
import tempfile
from pathlib import Path

import pages
import pytest
from chats import export, two_people
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def holding(canary: str, *roots: Path) -> list[Path]:
    """Files under these folders that hold the canary, in their name or in their bytes."""
    found = []
    for root in roots:
        for folder, _, names in os.walk(root):
            for name in names:
                path = Path(folder) / name
                try:
                    if canary in name or canary.encode() in path.read_bytes():
                        found.append(path)
                except OSError:
                    continue  # somebody else's, or gone meanwhile
    return found


def held_after(seconds: float, canary: str, *roots: Path) -> list[Path]:
    """What still holds the canary after so many seconds, or as soon as nothing does."""
    pages.until(lambda: not holding(canary, *roots), seconds)
    return holding(canary, *roots)


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_two_at_once_see_nothing_of_each_other_and_deleting_deletes_all(app, new_context, tmp_path: Path):
    # The browser's own copies of what it uploads are not the app's: they lie in a folder that is looked at apart.
    canaries = {"Zephyrine": "canaryquokka", "Balthasar": "canarynarwhal"}
    visitors: dict[str, Page] = {}
    for name, canary in canaries.items():
        chat = written(tmp_path, f"{name}.txt", two_people(first=name, second=f"Friend of {name}", canary=canary))
        page = pages.enter(new_context().new_page(), app.url)
        pages.bring(page, chat)
        expect(page.locator("#header")).to_contain_text(name, timeout=60_000)
        visitors[name] = page
    second_page = pages.enter(visitors["Balthasar"].context.new_page(), app.url)
    for name, page in visitors.items():
        pages.make_dataset(page)
        other = next(other for other in canaries if other != name)
        everything = page.locator("body").inner_text() + page.content()
        assert name in everything
        assert other not in everything
        assert canaries[other] not in everything
    expect(second_page.get_by_role("tab").nth(1)).not_to_contain_text("✓")
    second_page.evaluate("window.dispatchEvent(new Event('focus'))")  # its visitor comes back to it
    expect(second_page.get_by_role("tab").nth(1)).to_contain_text("✓", timeout=30_000)
    second_page.close()

    first, second = visitors.values()
    gone, kept = canaries.values()
    assert holding(gone, app.home)
    first.locator("#forget").click()
    first.locator("#forget-yes").click()
    expect(first.locator("#sample")).to_be_visible(timeout=30_000)
    expect(first.locator("#header")).not_to_contain_text("Zephyrine")
    temporary = [
        path for path in Path(tempfile.gettempdir()).iterdir() if "gradio" in path.name or "chat-twin" in path.name
    ]
    assert held_after(10, gone, app.home, *temporary) == []
    assert gone.encode() not in app.log.read_bytes()

    assert holding(kept, app.home)
    second.reload()
    expect(second.locator("#header")).to_contain_text("Balthasar", timeout=90_000)


def test_a_message_cannot_run_or_fetch_anything(app, page: Page, tmp_path: Path):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    trap = (
        '<img src="http://tracker.invalid/a.png" onerror="document.title=\'caught\'"> '
        "![x](http://tracker.invalid/b.png) "
        "<script>document.title='caught'</script> <style>body{background:url(http://tracker.invalid/c.png)}</style>"
    )
    lines = [(("<b>Ada</b>", "Grace")[index % 2], f"{index} {trap}") for index in range(200)]
    pages.enter(page, app.url)
    pages.bring(page, written(tmp_path, "trap.txt", export(lines)))
    expect(page.locator("#header")).to_contain_text("<b>Ada</b>", timeout=60_000)
    expect(page.locator("#figure-volume svg.marks")).to_be_visible(timeout=60_000)
    pages.make_dataset(page)
    expect(page.locator("#rows")).to_contain_text("tracker.invalid")
    pages.go_to(page, "Chat")
    page.locator("#say textarea").fill(trap)
    page.locator("#send").click()
    expect(page.locator("#talk .turn.mine")).to_contain_text("tracker.invalid", timeout=30_000)
    pages.settled(page)
    assert [url for url in asked if "tracker.invalid" in url] == []
    assert page.title() != "caught"


def test_a_visitor_who_leaves_is_forgotten_after_the_grace(serve, tmp_path_factory, new_context, tmp_path: Path):
    app = serve(tmp_path_factory.mktemp("leaving") / "home", CHAT_TWIN_KEEP_MINUTES="0.05", CHAT_TWIN_SWEEP_SECONDS="1")
    context = new_context()
    page = pages.enter(context.new_page(), app.url)
    pages.bring(page, written(tmp_path, "chat.txt", two_people(canary="canaryheron")))
    expect(page.locator("#header")).to_contain_text("Ada", timeout=60_000)
    assert holding("canaryheron", app.home)
    context.close()
    assert held_after(60, "canaryheron", app.home) == []

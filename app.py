"""Chat Twin, the app: builds the page from the tabs and launches it with the settings that keep visitors apart."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.inference import LoadedModels
    from pipeline.store import workspace
    from tabs.page import Page
    from web.sessions import Sessions

__all__ = ["build_demo", "launch", "main", "start"]

log = logging.getLogger("chat_twin")
SWEEP_SECONDS = float(os.environ.get("CHAT_TWIN_SWEEP_SECONDS", "60"))


def build_demo(models: LoadedModels | None = None) -> Page:
    """The page, not launched; `models` are the models in memory, shared by all visitors."""
    from pipeline.inference import LoadedModels
    from tabs.frame import build

    return build(where, models or LoadedModels())


def launch(demo: Page, **settings: Any) -> tuple[Any, str, str]:
    """Launch the page safely; `settings` are further ones of Blocks.launch (port, share, ...)."""
    from pipeline.store import is_share_link, limits, workspace
    from tabs.theme import STYLE, theme

    _shared_by(settings)
    most = limits()
    queued = demo.queue(max_size=int(most.events_in_all.most), default_concurrency_limit=8)
    launched: tuple[Any, str, str] = queued.launch(
        theme=theme(), css_paths=STYLE, footer_links=[], show_error=False, run_history=False, inline=False,
        enable_monitoring=False, mcp_server=False, ssr_mode=False, pwa=False, strict_cors=True,
        max_file_size=int(most.upload_bytes.most), state_session_capacity=int(most.sessions_in_all.most),
        app_kwargs={"lifespan": guarded(workspace.home(), demo)},
        **{"share": is_share_link(), "quiet": True, **settings},
    )  # fmt: skip
    return launched


def _shared_by(settings: dict[str, Any]) -> None:
    """Say that there is a share link, as Gradio's own variable would: what visitors may do depends on it."""
    if settings.get("share"):
        os.environ["GRADIO_SHARE"] = "True"


def guarded(root: Path, demo: Page) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """Puts the guard around the whole server when it starts: around Gradio's own middleware, too, which would
    otherwise answer other sites before the guard is asked."""
    from contextlib import asynccontextmanager

    from web.guard import Guard

    @asynccontextmanager
    async def lifespan(server: Any) -> AsyncIterator[None]:
        demo.kept.loop = asyncio.get_running_loop()
        server.middleware_stack = Guard(server.middleware_stack, root, demo.sessions)
        yield

    return lifespan


def prepare() -> Path:
    """Make the app's own folder, wipe what browsers sent before, point Gradio's cache there; before gradio is used."""
    from pipeline.machine import share_cores
    from pipeline.store import HomeFolder, workspace

    share_cores()
    root = workspace.home()
    uploads = HomeFolder(root).uploads
    shutil.rmtree(uploads, ignore_errors=True)
    uploads.mkdir(mode=0o700)
    os.environ["GRADIO_TEMP_DIR"] = str(uploads)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    return root


def sweep_forever(stop: threading.Event, models: LoadedModels, sessions: Sessions) -> None:
    """Purge expired workspaces at start and every minute, until `stop` is set; live training is never swept."""
    from pipeline.errors import described
    from pipeline.runs import is_training
    from pipeline.store import workspace
    from web.forgetting import forget

    while True:
        try:
            for folder in workspace.sweep(keep=_keep(), is_busy=is_training):
                forget(folder, models, sessions)
            sessions.sweep()
        except Exception as error:
            log.error("%s", described(error))
        if stop.wait(SWEEP_SECONDS):
            return


def _keep() -> workspace.Keep:
    """How long workspaces outlive their page: short where strangers share the machine, a week on one's own computer.

    CHAT_TWIN_KEEP_MINUTES sets one time for all.
    """
    from pipeline.store import is_shared, workspace

    minutes = os.environ.get("CHAT_TWIN_KEEP_MINUTES")
    if minutes:
        same = timedelta(minutes=float(minutes))
        return workspace.Keep(closed=same, with_run=same)
    if is_shared():
        return workspace.Keep()
    return workspace.Keep(closed=timedelta(days=1), with_run=timedelta(days=7), idle=timedelta(days=7))


def where() -> str:
    """On what machine things run, in words for the header; what is there is known once `warm_up` has looked."""
    from pipeline.store import on_space

    place = "on a Space" if on_space() else "on this computer"
    return f"{place} · {_found[0]}" if _found else place


_found: list[str] = []  # the machine's name; the same for every visitor


def warm_up() -> None:
    """Import what the first click would wait for, and see what machine this is."""
    import transformers  # noqa: F401

    from pipeline.machine import this_machine

    _found.append(this_machine().name)


def start(**settings: Any) -> tuple[Page, str]:
    """Start the app and return it with its address, the share link's where there is one; `settings` as for `launch`."""
    _shared_by(settings)
    root = prepare()
    from pipeline.inference import LoadedModels

    models = LoadedModels()
    demo = build_demo(models)
    threading.Thread(target=sweep_forever, args=(threading.Event(), models, demo.sessions), daemon=True).start()
    print(f"Chat Twin: http://127.0.0.1:{os.environ.get('GRADIO_SERVER_PORT', '7860')}  (data in {root})", flush=True)
    _, local, shared = launch(demo, prevent_thread_lock=True, **settings)
    if shared:
        os.environ["CHAT_TWIN_ADDRESS"] = str(shared)  # where friends find what the owner invites them to
    threading.Thread(target=warm_up, daemon=True).start()
    return demo, shared or local


def main(**settings: Any) -> None:
    """Start the app and serve until stopped; `settings` are those of `launch` (share, auth, ...)."""
    from pipeline.errors import ChatError
    from pipeline.store import is_share_link

    try:
        demo, address = start(**settings)
    except ChatError as error:
        sys.exit(str(error))
    if settings.get("share", is_share_link()):
        print(f"Shared: {address}", flush=True)
    demo.block_thread()


if __name__ == "__main__":
    main()

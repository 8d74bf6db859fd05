"""Chat Twin, the app: builds the page from the tabs and launches it with the settings that keep visitors apart."""

from __future__ import annotations

import os
import shutil
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gradio as gr

    from pipeline.inference import LoadedModels
    from pipeline.store import workspace

__all__ = ["build_demo", "launch", "main", "start"]

MAX_UPLOAD = "300mb"
SWEEP_SECONDS = float(os.environ.get("CHAT_TWIN_SWEEP_SECONDS", "60"))


def build_demo(models: LoadedModels | None = None) -> gr.Blocks:
    """The page, not launched; `models` are the models in memory, shared by all visitors."""
    from pipeline.inference import LoadedModels
    from tabs.frame import build

    return build(where, models or LoadedModels())


def launch(demo: gr.Blocks, **settings: Any) -> tuple[Any, str, str]:
    """Launch the page safely; `settings` are further ones of Blocks.launch (port, share, ...)."""
    from starlette.middleware import Middleware

    from pipeline.store import workspace
    from tabs.theme import STYLE, theme
    from web.guard import Guard

    root = workspace.home()
    if settings.get("share"):
        os.environ["GRADIO_SHARE"] = "True"  # what visitors may do depends on it
    launched: tuple[Any, str, str] = demo.queue(max_size=64, default_concurrency_limit=8).launch(
        theme=theme(), css_paths=STYLE, footer_links=[], show_error=False, run_history=False,
        enable_monitoring=False, mcp_server=False, ssr_mode=False, pwa=False, strict_cors=True,
        max_file_size=MAX_UPLOAD, app_kwargs={"middleware": [Middleware(Guard, root=root)]},
        **{"share": is_share_link(), "quiet": True, **settings},
    )  # fmt: skip
    return launched


def prepare() -> Path:
    """Make the app's own folder, wipe what browsers sent before, point Gradio's cache there; before gradio is used."""
    from pipeline.machine import share_cores
    from pipeline.store import workspace

    share_cores()
    root = workspace.home()
    uploads = root / "uploads"
    shutil.rmtree(uploads, ignore_errors=True)
    uploads.mkdir(mode=0o700)
    os.environ["GRADIO_TEMP_DIR"] = str(uploads)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    return root


def sweep_forever(stop: threading.Event, models: LoadedModels) -> None:
    """Purge expired workspaces at start and every minute, until `stop` is set; live training is never swept."""
    from pipeline.store import workspace
    from tabs.chat.learning_curve import curves
    from tabs.runs import is_training

    def is_busy(folder: Path) -> bool:
        return any(is_training(place) for place in (folder, *curves(folder)))

    while True:
        for folder in workspace.sweep(keep=_keep(), is_busy=is_busy):
            models.forget(folder)
        if stop.wait(SWEEP_SECONDS):
            return


def _keep() -> workspace.Keep:
    """How long workspaces outlive their page: short where strangers share the machine, a week on one's own computer.

    CHAT_TWIN_KEEP_MINUTES sets one time for all.
    """
    from pipeline.store import workspace

    minutes = os.environ.get("CHAT_TWIN_KEEP_MINUTES")
    if minutes:
        same = timedelta(minutes=float(minutes))
        return workspace.Keep(closed=same, with_run=same)
    if is_shared():
        return workspace.Keep()
    return workspace.Keep(closed=timedelta(days=1), with_run=timedelta(days=7), idle=timedelta(days=7))


def is_shared() -> bool:
    """Whether strangers may be visitors: on a Space, or behind a share link."""
    return bool(os.environ.get("SPACE_ID")) or is_share_link()


def is_share_link() -> bool:
    """Whether the app is to be reached from outside through Gradio's tunnel."""
    return os.environ.get("GRADIO_SHARE", "").lower() in ("1", "true")


def where() -> str:
    """On what machine things run, in words for the header; what is there is known once `warm_up` has looked."""
    place = "on a Space" if os.environ.get("SPACE_ID") else "on this computer"
    return f"{place} · {_found[0]}" if _found else place


_found: list[str] = []  # the machine's name; the same for every visitor


def warm_up() -> None:
    """Import what the first click would wait for, and see what machine this is."""
    import transformers  # noqa: F401

    from pipeline.machine import this_machine

    _found.append(this_machine().name)


def start(**settings: Any) -> tuple[gr.Blocks, str]:
    """Start the app and return it with its address, the share link's where there is one; `settings` as for `launch`."""
    root = prepare()
    from pipeline.inference import LoadedModels

    models = LoadedModels()
    threading.Thread(target=sweep_forever, args=(threading.Event(), models), daemon=True).start()
    demo = build_demo(models)
    print(f"Chat Twin: http://127.0.0.1:{os.environ.get('GRADIO_SERVER_PORT', '7860')}  (data in {root})", flush=True)
    _, local, shared = launch(demo, prevent_thread_lock=True, **settings)
    if shared:
        os.environ["CHAT_TWIN_ADDRESS"] = str(shared)  # where friends find what the owner invites them to
    threading.Thread(target=warm_up, daemon=True).start()
    return demo, shared or local


def main(**settings: Any) -> None:
    """Start the app and serve until stopped; `settings` are those of `launch` (share, auth, ...)."""
    demo, address = start(**settings)
    if settings.get("share", is_share_link()):
        print(f"Shared: {address}", flush=True)
    demo.block_thread()


if __name__ == "__main__":
    main()

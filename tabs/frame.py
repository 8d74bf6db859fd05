"""The page: a slim header, four tabs that are steps, and what keeps them in step with the visitor's folder."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.visitors import Visitor, chat_head, chat_stamp, dataset_stamp, newest_run, runs_stamp, share_done
from tabs import analyse, chat, dataset, finetune
from tabs.analyse import start
from tabs.page import Page
from tabs.visitor import Stage, safely, visitor_of
from web.forgetting import forget as forget_visitor
from web.words import count

if TYPE_CHECKING:
    from pipeline.inference import LoadedModels

__all__ = ["build"]

STEPS = ("Analyse", "Dataset", "Fine-tune", "Chat")
NAMES = ("analyse", "dataset", "finetune", "chat")

# A page that its visitor comes back to may be behind another of theirs. Asking only then costs nothing while it is
# out of sight, and does not pass for somebody who is still there.
LOOK = """
let looked = 0;
const look = () => {
  if (document.hidden || Date.now() - looked < 1000) return;
  looked = Date.now();
  trigger('focus');
};
document.addEventListener('visibilitychange', look);
window.addEventListener('focus', look);
"""


def build(where: Callable[[], str], models: LoadedModels) -> Page:
    """The whole page, not launched; `where` says on what machine things run ("on this computer · CPU")."""
    demo: Page
    with Page(title="Chat Twin", analytics_enabled=False, fill_width=True, elem_id="chat-twin") as demo:
        with gr.Row(elem_id="header", equal_height=True):
            header = gr.HTML(_header(None, where()), elem_id="header-text", js_on_load=LOOK)
            forget = gr.Button("Delete my data", size="sm", elem_id="forget", scale=0, min_width=130)
        with gr.Row(elem_id="confirm", visible=False, equal_height=True) as confirm:
            gr.HTML(
                "<b>Delete everything of yours here?</b> The chat, the dataset, every training run and conversation "
                "go, at once and for good."
            )
            yes = gr.Button("Delete it all", size="sm", variant="stop", scale=0, min_width=120, elem_id="forget-yes")
            no = gr.Button("Keep it", size="sm", scale=0, min_width=90)
        # States inside gr.Tabs would be counted as tabs.
        of_chat, of_dataset, of_runs = stamps = [gr.State(""), gr.State(""), gr.State("")]
        with gr.Tabs(elem_id="steps", selected="analyse") as tabs:
            stage = Stage(of_chat, of_dataset, of_runs, tabs, models)
            pages = []
            for number, (step, name) in enumerate(zip(STEPS, NAMES, strict=True), start=1):
                with gr.Tab(f"{number}  {step}", id=name, elem_id=f"step-{name}") as page:
                    if name == "analyse":
                        start.build(stage)
                    {"analyse": analyse, "dataset": dataset, "finetune": finetune, "chat": chat}[name].build(stage)
                pages.append(page)
        gr.on(
            [demo.load, header.focus], safely(_stamps), None, stamps,
            show_progress="hidden", api_visibility="private",
        )  # fmt: skip

        def redraw(request: gr.Request) -> list[Any]:
            visitor = visitor_of(request)
            return [_header(visitor, where()), *(gr.Tab(label=label) for label in _labels(visitor))]

        def forget_all(request: gr.Request) -> tuple[Any, ...]:
            """Delete everything, and show the page as a newcomer sees it."""
            forget_visitor(visitor_of(request).folder, models, demo.sessions, request.session_hash)
            return gr.Row(visible=False), gr.Tabs(selected="analyse"), "", "", ""

        gr.on(
            [state.change for state in stamps], safely(redraw), None, [header, *pages],
            show_progress="hidden", api_visibility="private",
        )  # fmt: skip
        forget.click(lambda: gr.Row(visible=True), None, confirm, show_progress="hidden", api_visibility="private")
        no.click(lambda: gr.Row(visible=False), None, confirm, show_progress="hidden", api_visibility="private")
        yes.click(
            safely(forget_all),
            None,
            [confirm, tabs, *stamps],
            show_progress="hidden",
            api_visibility="private",
        ).then(None, None, None, js="() => setTimeout(() => window.location.reload(), 600)", api_visibility="private")
    return demo


def _stamps(request: gr.Request) -> tuple[str, str, str]:
    visitor = visitor_of(request)
    return chat_stamp(visitor), dataset_stamp(visitor), runs_stamp(visitor)


def _header(visitor: Visitor | None, where: str) -> str:
    head = chat_head(visitor) if visitor else None
    about = ""
    if head:
        names = head["people"]
        title = " & ".join(names) if len(names) <= 2 else head["title"] or f"{names[0]} and {len(names) - 1} others"
        about = (
            f"<b dir='auto'>{escape(title)}</b> · {count(head['messages'], 'message')}"
            f"<span class='days'> · {count(head['days'], 'day')}</span>"
        )
    return (
        f'<div class="bar"><span class="name"><i></i>Chat Twin</span><span class="loaded">{about}</span>'
        f'<span class="where">{escape(where)}</span></div>'
    )


def _labels(visitor: Visitor) -> list[str]:
    """The four steps with a mark of their state: done, running with its share, or nothing."""
    run = newest_run(visitor)
    training = "3  Fine-tune"
    if run is not None and run.live:
        training += f"  ● {share_done(run)} %"
    elif run is not None and run.status in ("done", "stopped"):
        training += "  ✓"
    return [
        "1  Analyse" + ("  ✓" if chat_stamp(visitor) else ""),
        "2  Dataset" + ("  ✓" if visitor.has_dataset else ""),
        training,
        "4  Chat",
    ]

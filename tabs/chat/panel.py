"""The components of a conversation: who talks, what is said, and how replies are sampled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr
from gradio.blocks import Block

from tabs.chat.editing import SCRIPT
from tabs.form import Form, form_field
from web.views.conversation import LONGEST_MESSAGE

if TYPE_CHECKING:
    from pipeline.inference import GenerationConfig

__all__ = ["ChatPanel", "build"]


@dataclass(frozen=True)
class ChatPanel:
    """The conversation and what stands around it; `form` counts where `own` is ticked."""

    head: gr.HTML
    who: gr.Dropdown
    me: gr.Dropdown
    talk: gr.HTML
    say: gr.Textbox
    send: gr.Button
    stop: gr.Button
    again: gr.Button
    over: gr.Button
    paced: gr.Checkbox
    own: gr.Checkbox
    form: Form[GenerationConfig]

    @property
    def asked(self) -> set[Block]:
        """What is read before a reply."""
        return {self.say, self.who, self.me, self.paced, self.own, *self.form.components}


def build() -> ChatPanel:
    """The components, from the head to the settings."""
    head = gr.HTML(elem_id="chat-head")
    with gr.Row(equal_height=True, elem_classes="actions"):
        who = gr.Dropdown([], label="Who answers", elem_id="who", scale=1, filterable=False)
        me = gr.Dropdown([], label="Who you are", elem_id="me", scale=1, filterable=False, visible=False)
    talk = gr.HTML(elem_id="talk", autoscroll=True, js_on_load=SCRIPT)
    with gr.Row(equal_height=True, elem_id="saying"):
        say = gr.Textbox(
            placeholder="Write a message", show_label=False, container=False, lines=1, max_lines=5,
            max_length=LONGEST_MESSAGE, elem_id="say", scale=1,
        )  # fmt: skip
        send = gr.Button("Send", variant="primary", scale=0, min_width=96, elem_id="send")
        stop = gr.Button("Stop", visible=False, scale=0, min_width=96, elem_id="stop-reply")
    with gr.Row(elem_classes="actions", elem_id="after-saying"):
        again = gr.Button("Another answer", size="sm", scale=0, min_width=140, elem_id="regenerate")
        over = gr.Button("Start over", size="sm", scale=0, min_width=110, elem_id="start-over")
        paced = gr.Checkbox(False, label="At their own pace", container=False, visible=False, elem_id="paced", scale=0)
    own, form = _settings()
    return ChatPanel(head, who, me, talk, say, send, stop, again, over, paced, own, form)


def _settings() -> tuple[gr.Checkbox, Form[GenerationConfig]]:
    """The fold of how replies are sampled."""
    from pipeline.inference import GenerationConfig

    with gr.Accordion("Settings", open=False, elem_classes="fold"):
        own = gr.Checkbox(False, label="Use these instead of what suits the twin")
        fields = {
            "temperature": form_field(
                GenerationConfig, "temperature", gr.Slider, minimum=0, maximum=1.5, step=0.05, label="Temperature",
                info="0: always the likeliest word",
            ),
            "top_p": form_field(
                GenerationConfig, "top_p", gr.Slider, minimum=0.1, maximum=1, step=0.01, label="Top-p",
                info="Choose among the likeliest words",
            ),
            "max_new_tokens": form_field(
                GenerationConfig, "max_new_tokens", gr.Slider, minimum=20, maximum=400, step=10,
                label="Longest reply, in tokens",
            ),
        }  # fmt: skip
    return own, Form(GenerationConfig, fields)

"""The cards of a dataset and of an adapter: what it is, how it was made, and what it must not be used for."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.dataset import DatasetConfig, Dropped, Format, Summary

__all__ = ["adapter_card", "dataset_card"]

TAG = "chat-twin"
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))

DATASET = """---
{{ card_data }}
---

# {{ pretty_name }}

{{ summary.train_replies + summary.validation_replies }} chat replies of one person, each with what it answers, made
with Chat Twin from a chat export to teach a model how that person writes.

| | replies | rows | tokens |
| --- | ---: | ---: | ---: |
| train | {{ summary.train_replies }} | {{ summary.train_rows }} | {{ summary.train_tokens }} |
| validation | {{ summary.validation_replies }} | {{ summary.validation_rows }} | {{ summary.validation_tokens }} |

## How it was made

- From {{ summary.messages }} messages, {{ summary.first_at.date() }} to {{ summary.last_at.date() }}, in
  {{ summary.sessions }} conversations; a conversation ends at {{ silence }} without a message.
- Consecutive messages of one side are one turn; line breaks separate the single messages in it.
- The last {{ share }} % of the replies in time are the validation part. Nothing was shuffled.
- A row has at most {{ config.max_tokens }} tokens ({{ summary.tokenizer or "estimated" }}). In the form `messages`,
  assistant messages from index `learn_from` on are to be learned; earlier ones are context. Each reply is learned once.
{% if dropped %}
Not learned from:
{% for item in dropped %}
- {{ item.count }}: {{ item.reason }}{% endfor %}
{% endif %}
## Personal data

{% if config.redaction %}Masked before anything else: {{ masked }}. Names of the people who write are
{% if aliases %}aliases{% else %}as in the chat{% endif %}. Masking goes by form and by lists; what is told in plain
words is still there.{% else %}Nothing was masked: this holds the chat's words as they were written.{% endif %}

Consent: {{ consent }}

## Forms

{{ forms }}

## Use

To fine-tune a model for the people who wrote this chat, with their knowledge. Not to pass for a person before others,
not to find out about them, and not to train models for anyone else. Replies are one person's way of writing, and no
source of facts.
"""

ADAPTER = """---
{{ card_data }}
---

# {{ pretty_name }}

A LoRA adapter for [{{ base_model }}](https://huggingface.co/{{ base_model }}) that writes chat replies the way one
person does. Made with Chat Twin.

## How it was made

{{ facts }}

The loss counts {{ counted }}. The prompt is the base model's own chat template (a plain one where it has none){%
if system_prompt %}, with this system message: `{{ system_prompt }}`{% endif %}.
{% if exam %}
## How much it is like the person

On {{ held_out }} replies that it has never seen, beside the model it began as and the person against themself:

{{ exam }}
{% endif %}
## What it is for

For the people who wrote the chat, with their knowledge: to play with, to remember, to look at how somebody writes. Not
to pass for a person before anyone, not to find out about them, and not to decide anything. Whoever talks to it must be
told that it is a model.

A twin learns how somebody writes, not what they know: what it says is not true because it says it. It was trained on
private messages and can repeat pieces of them.

Consent: {{ consent }}

Licence: the adapter is nothing without [{{ base_model }}](https://huggingface.co/{{ base_model }}), whose licence
({{ licence }}) holds for both.
"""


def dataset_card(
    config: DatasetConfig,
    summary: Summary,
    dropped: Sequence[Dropped],
    forms: Sequence[Format],
    *,
    title: str,
    licence: str,
    consent: str,
    aliases: bool,
) -> Any:
    """The card (huggingface_hub's DatasetCard) of a dataset in these forms, each a config of `load_dataset`."""
    from huggingface_hub import DatasetCard, DatasetCardData

    parts = [part for part, rows in (("train", summary.train_rows), ("validation", summary.validation_rows)) if rows]
    replies = summary.train_replies + summary.validation_replies
    data = DatasetCardData(
        language=[base_language(config.language)],
        license=licence,
        pretty_name=title,
        size_categories=[next((name for limit, name in SIZES if replies < limit), "1M<n<10M")],
        task_categories=["text-generation"],
        tags=[TAG, "conversational", "style"],
        configs=[
            {
                "config_name": form,
                "data_files": [{"split": part, "path": f"{form}/{part}.parquet"} for part in parts],
                **({"default": True} if form == forms[0] else {}),
            }
            for form in forms
        ],
    )
    return DatasetCard.from_template(
        data,
        template_str=DATASET,
        pretty_name=title,
        config=config,
        summary=summary,
        dropped=list(dropped),
        silence=duration(summary.silence_minutes),
        share=round(100 * summary.validation_replies / max(1, replies)),
        masked=", ".join(f"{count} × {kind}" for kind, count in summary.masked.items()) or "nothing was found",
        aliases=aliases,
        consent=consent,
        forms="\n".join(f'- `load_dataset(..., "{form}")`' for form in forms),
    )


def base_language(language: str | None) -> str:
    return (language or "en").replace("-", "_").split("_")[0]


def duration(minutes: float) -> str:
    return f"{minutes / 60:g} hours" if minutes >= 120 else f"{minutes:g} minutes"


def adapter_card(
    *,
    title: str,
    base_model: str,
    licence: str,
    language: str | None,
    system_prompt: str,
    facts: Mapping[str, str],
    consent: str,
    learn: str = "replies",
    exam: str = "",
    held_out: int = 0,
) -> Any:
    """The card (huggingface_hub's ModelCard) of an adapter; `facts` are named figures of its training.

    exam: its exam as a Markdown table, on so many held-out replies.
    """
    from huggingface_hub import ModelCard, ModelCardData

    data = ModelCardData(
        base_model=base_model,
        language=[base_language(language)],
        library_name="peft",
        license=licence,
        pipeline_tag="text-generation",
        tags=[TAG, "lora", "conversational"],
        model_name=title,
    )
    return ModelCard.from_template(
        data,
        template_str=ADAPTER,
        pretty_name=title,
        base_model=base_model,
        system_prompt=system_prompt,
        facts="\n".join(f"- {name}: {figure}" for name, figure in facts.items()),
        consent=consent,
        counted="every token of a row" if learn == "everything" else "the person's replies and their ends only",
        licence=licence if licence != "other" else "see its page",
        exam=exam,
        held_out=held_out,
    )

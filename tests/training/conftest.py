"""A model of two layers on disk and a dataset for it: a run takes seconds."""

from datetime import datetime, timedelta

import pytest


@pytest.fixture(scope="session")
def tiny_folder(tiny_model, tiny_tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    tiny_model.save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_dataset(tiny_tokenizer, tmp_path_factory):
    """Sixty exchanges, a session of four an evening."""
    import polars as pl

    from pipeline.dataset import DatasetConfig, build_dataset, write_dataset

    start = datetime(2024, 3, 1, 20)
    rows = []
    for exchange in range(60):
        at = start + timedelta(days=exchange // 4, minutes=exchange % 4 * 3)
        rows.append((at, "Ann", f"question {exchange}", "text", None, False))
        rows.append((at + timedelta(minutes=1), "Bob", f"answer {exchange * 7 % 11}", "text", None, False))
    schema = {
        "sent_at": pl.Datetime("us"), "sender": pl.String, "text": pl.String, "kind": pl.String,
        "attachment": pl.String, "edited": pl.Boolean,
    }  # fmt: skip
    messages = pl.DataFrame(rows, schema=schema, orient="row")
    folder = tmp_path_factory.mktemp("dataset")
    write_dataset(build_dataset(messages, DatasetConfig(person="Bob"), tiny_tokenizer), folder)
    return folder


@pytest.fixture(scope="session")
def tiny_config(tiny_folder):
    """Settings for a run of some twenty steps with a checkpoint after each."""
    from pipeline.training import TrainingConfig

    return TrainingConfig(
        model=str(tiny_folder), rank=4, alpha=8, epochs=3, tokens_per_step=512, learning_rate=5e-3, precision="fp32",
        checkpoint_seconds=0, validations=3, patience=9,
    )  # fmt: skip

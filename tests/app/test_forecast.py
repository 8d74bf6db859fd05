"""Will it fit and what it means, as the page says them; drawn without a browser."""

import re
from types import SimpleNamespace

import pytest
from built import built

from pipeline.planning import Forecast, Part, TrainingConfig
from pipeline.store import workspace
from pipeline.visitors import Visitor
from tabs.finetune import tab as finetune
from tabs.finetune.forecast import look, plan_shown
from web.cookie import COOKIE
from web.views.explain import low_rank_html, number_html, weights_html
from web.views.plan import fit_bar

PARTS = (Part("Frozen weights", 3.0, "packed"), Part("CUDA", 1.0, "its own"))


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", html)).strip()


def looked(folder, config):
    """The bar and the tables for a T4, of a visitor without a dataset."""
    visitor = Visitor(folder)
    return look(visitor, plan_shown(visitor, config, "t4"))


def widths(html: str) -> list[float]:
    return [float(width) for width in re.findall(r"width:([\d.]+)%", html)]


def test_the_bar_shows_each_part_against_what_there_is():
    html = fit_bar(Forecast(PARTS, 8.0), "Some <model>", "a T4")
    assert "needs about 4.0 of 8.0 GB of a T4: it fits." in words(html)
    assert "Some &lt;model&gt;" in html
    assert widths(html) == [37.5, 12.5]


def test_too_much_is_said_with_what_would_help():
    html = fit_bar(Forecast(PARTS, 2.0), "Some model", "a T4", "with 4 bits it would need 1.0 GB")
    assert "too much. With 4 bits it would need 1.0 GB." in words(html)
    assert widths(html) == [75.0, 25.0]
    assert "left:50.00%" in html  # where the memory ends


def test_what_hardly_fits_is_said_to_be_tight():
    assert "4.0 of 4.1 GB of a T4: too tight to be safe." in words(fit_bar(Forecast(PARTS, 4.1), "Some model", "a T4"))


def test_the_blogs_rows_lie_beside_each_other(tmp_path):
    tables = words(looked(tmp_path, TrainingConfig.of("blog", model="Qwen/Qwen2.5-7B-Instruct"))[1])
    assert "Attention padded as the recipe has it: 4 rows beside each other" in tables
    assert "Tokens at once 4,096 4 rows at their longest" in tables


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model": "meta-llama/Llama-2-7b-chat-hf"}, "it fits."),
        (
            {"model": "Qwen/Qwen2.5-7B-Instruct", "quantise": "none"},
            "With the base weights in 4 bits it would need",
        ),
        ({"model": "Qwen/Qwen2.5-7B-Instruct", "tokens_per_batch": 64_000, "tokens_per_step": 64_000}, "1,024 tokens"),
    ],
)
def test_a_t4_can_be_planned_for_from_anywhere(tmp_path, settings, said):
    bar, tables = looked(tmp_path, TrainingConfig(**settings))
    assert said in words(bar)
    assert "FP16 GPUs before Ampere" in words(tables)
    for setting in (
        "Base weights",
        "Attention",
        "Optimiser",
        "Checkpointing",
        "Tokens at once",
        "Rank",
        "Learning rate",
    ):
        assert setting in tables
    assert "Qwen2.5 7B" in tables


def test_more_of_anything_needs_more(tmp_path):
    def peak(**settings):
        config = TrainingConfig(model="Qwen/Qwen2.5-1.5B-Instruct", checkpointing="always", **settings)
        return float(re.search(r"about ([\d.]+) of", words(looked(tmp_path, config)[0]))[1])

    least = peak(quantise="nf4", max_tokens=512)
    assert least < peak(quantise="nf4", max_tokens=4096)
    assert least < peak(quantise="nf4", max_tokens=512, rank=128)
    assert least < peak(quantise="none", max_tokens=512)


def test_a_model_whose_rows_go_another_way_is_planned_for_as_it_will_train(tmp_path):
    from tests.training.architectures import make

    make("Gemma2").save_pretrained(tmp_path / "gemma")
    tables = words(looked(tmp_path, TrainingConfig(model=str(tmp_path / "gemma")))[1])
    assert "the scores of a gemma2 are capped" in tables


@pytest.mark.parametrize(
    ("place", "offered"), [({}, True), ({"SPACE_ID": "a/b"}, False), ({"GRADIO_SHARE": "1"}, False)]
)
def test_trackio_is_offered_where_its_dashboard_can_be_opened(place, offered, monkeypatch, tmp_path):
    for name in ("SPACE_ID", "GRADIO_SHARE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CHAT_TWIN_HOME", str(tmp_path))
    tab, _ = built(finetune.build)
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    drawn = finetune._draw_settings(tab, SimpleNamespace(cookies={COOKIE: workspace.new_key()}), "")
    assert drawn[tab.form["trackio"]].visible == offered


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("0.5", "1 × 2 -1 = 0.5 exact"),
        ("70,000", "FP16 ends at 65,504"),
        ("1e-9", "Too small for FP16"),
        ("one", "Type a number"),
        ("nan", "not a number"),
        ("-inf", "-inf"),
    ],
)
def test_a_number_is_shown_bit_by_bit(typed, said):
    assert said in words(number_html(typed))


def test_weights_and_thin_matrices_are_those_of_the_model(tiny_model, tmp_path):
    tiny_model.save_pretrained(tmp_path)
    shown = words(weights_html(str(tmp_path), "up_proj", 3))
    assert "96 × 64 weights" in shown
    assert "NF4, scales in 8 bits too 4.127" in shown
    thin = words(low_rank_html(str(tmp_path), "up_proj", 4))
    assert "4 × (96 + 64) = 640 weights" in thin

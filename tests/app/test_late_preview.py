"""A look at the settings that ends after the dataset was made: what was made stays in view, unless they differ."""

from types import SimpleNamespace

from pipeline.sample import PERSON, write_sample
from pipeline.sources import read
from pipeline.store import workspace
from tabs.dataset import tab as dataset
from tabs.visitor import save_chat, visitor_of
from web.guard import COOKIE


def test_a_preview_after_the_making_hides_only_a_dataset_of_other_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("CHAT_TWIN_HOME", str(tmp_path))
    request = SimpleNamespace(cookies={COOKIE: workspace.new_key()})
    save_chat(visitor_of(request), read(write_sample(tmp_path)))
    usual = dict.fromkeys(dataset.KNOBS) | dataset.USUAL
    settings = (PERSON, *usual.values())
    *_, downloads = dataset._preview(request, *settings)[:4]
    assert not downloads.visible
    *_, (_, *made) = dataset._make(request, *settings)
    again = dataset._preview(request, *settings)
    assert again[3].visible
    assert again[3].value == made[3].value
    *_, downloads = dataset._preview(request, *(PERSON, *(usual | {"silence": 3.0}).values()))[:4]
    assert not downloads.visible

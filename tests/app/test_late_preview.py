"""A look at the settings that ends after the dataset was made: what was made stays in view, unless they differ."""

from types import SimpleNamespace

from built import built, first_values

from pipeline.sample import PERSON, write_sample
from pipeline.sources import read
from pipeline.store import workspace
from pipeline.visitors import save_chat
from tabs.dataset import tab as dataset
from tabs.visitor import visitor_of
from web.cookie import COOKIE


def test_a_preview_after_the_making_hides_only_a_dataset_of_other_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("CHAT_TWIN_HOME", str(tmp_path))
    request = SimpleNamespace(cookies={COOKIE: workspace.new_key()})
    save_chat(visitor_of(request), read(write_sample(tmp_path)))
    tab, stage = built(dataset.build)
    settings = {**first_values(tab.settings), tab.form["person"]: PERSON}
    assert not dataset._preview(tab, request, settings)[tab.downloads].visible
    *_, made = dataset._make(tab, stage, request, settings)
    assert made[stage.dataset]
    again = dataset._preview(tab, request, settings)
    assert again[tab.downloads].visible
    assert again[tab.downloads].value == made[tab.downloads].value
    other = dataset._preview(tab, request, {**settings, tab.form["silence_minutes"]: 3.0})
    assert not other[tab.downloads].visible

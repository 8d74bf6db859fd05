"""An exam's file: what was written is read again, under the names that earlier versions gave its fields, too."""

import json

import pytest

from pipeline.errors import ChatError
from pipeline.evaluation import exam_text, read_exam, write_exam
from pipeline.evaluation.learning_curve import read_learning_curve

ACCURACY = {"accuracy": 0.74, "low": 0.69, "high": 0.79, "replies": 71}
# As version 0.1.0 wrote them.
OLD_EXAM = {
    "made_at": "2026-11-01T10:00:00", "person": "Noah", "model": "starter", "held_out_replies": 71,
    "candidates": [
        {"name": "twin", "loss": None, "answers": None, "style": None, "told": ACCURACY, "relevance": None,
         "leaks": None, "exposure": None, "same_days": None},
        {"name": "person", "told": ACCURACY, "same_days": ACCURACY},
    ],
    "full": True, "hand": {"auc": 0.5, "messages": 900}, "generation": None, "notes": [],
}  # fmt: skip
OLD_POINT = {
    "share": 0.5, "replies": 300, "bits_per_character": 3.4, "base_bits_per_character": 3.9, "ended": 1.0, "told": 0.7,
}  # fmt: skip


def test_an_exam_of_an_earlier_version_is_read_and_written_under_todays_names(tmp_path):
    (tmp_path / "exam.json").write_text(json.dumps(OLD_EXAM), encoding="utf-8")
    exam = read_exam(tmp_path)
    assert exam.of("twin").classifier.accuracy == 0.74
    assert exam.authorship.auc == 0.5
    assert "69 to 79%" in exam_text(exam)
    assert "style may have changed" in exam_text(exam)
    write_exam(exam, tmp_path)
    assert "told" not in (tmp_path / "exam.json").read_text(encoding="utf-8")
    assert read_exam(tmp_path) == exam


def test_a_learning_curve_of_an_earlier_version_is_read(tmp_path):
    (tmp_path / "curve").mkdir()
    (tmp_path / "curve" / "curve.json").write_text(json.dumps([OLD_POINT]), encoding="utf-8")
    assert [point.classifier_accuracy for point in read_learning_curve(tmp_path)] == [0.7]


def test_a_file_that_is_no_exam_is_said_to_be_none(tmp_path):
    (tmp_path / "exam.json").write_text('{"person": 1}', encoding="utf-8")
    with pytest.raises(ChatError, match="run the exam again"):
        read_exam(tmp_path)

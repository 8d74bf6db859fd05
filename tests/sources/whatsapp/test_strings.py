"""String columns made by hand over bytes: the same strings, whatever their length and place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.whatsapp.strings import column, slice_strings


@given(texts=st.lists(st.text(max_size=20), max_size=12), gaps=st.integers(0, 3))
def test_slices_are_what_python_would_cut(texts: list[str], gaps: int) -> None:
    encoded = [text.encode() for text in texts]
    starts = np.cumsum([0, *(len(text) + gaps for text in encoded)], dtype=np.int64)[:-1]
    ends = starts + np.array([len(text) for text in encoded], np.int64)
    strings = slice_strings((b"-" * gaps).join(encoded), starts, ends)
    assert strings.to_series().to_list() == texts
    rows = np.arange(0, len(texts), 2)
    replaced = strings.replace(rows, [f"{texts[row]}, and so on and on" for row in rows])
    expected = [f"{text}, and so on and on" if i % 2 == 0 else text for i, text in enumerate(texts)]
    assert replaced.to_series().to_list() == expected
    assert strings.to_series().to_list() == texts


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 2), (0, 11)])
def test_slices_outside_the_data_are_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        slice_strings(b"0123456789", np.array([start]), np.array([end]))


@pytest.mark.parametrize("values", [np.arange(5), np.array([True, False] * 9), np.zeros(0, np.uint32)])
def test_columns_of_numbers_and_truth_values(values: np.ndarray) -> None:
    assert column(values).to_list() == values.tolist()

"""The time that a question names."""

from datetime import date

import pytest

from pipeline.retrieval.hints import asked_days

FIRST, LAST = date(2017, 3, 1), date(2018, 11, 14)


@pytest.mark.parametrize(
    ("question", "days"),
    [
        ("what did we do on 10 May 2018?", [(date(2018, 5, 10), date(2018, 5, 10))]),
        ("what was on January 5th, 2018", [(date(2018, 1, 5), date(2018, 1, 5))]),
        ("was war im Mai 2018?", [(date(2018, 5, 1), date(2018, 5, 31))]),
        ("le 3 octobre 2017", [(date(2017, 10, 3), date(2017, 10, 3))]),
        ("el 10 de mayo de 2018", [(date(2018, 5, 10), date(2018, 5, 10))]),
        ("что было 5 ноября 2017", [(date(2017, 11, 5), date(2017, 11, 5))]),
        ("2018-10-30: what happened?", [(date(2018, 10, 30), date(2018, 10, 30))]),
        ("where were we last winter?", [(date(2017, 12, 1), date(2018, 2, 28))]),
        ("in 2017", [(FIRST, date(2017, 12, 31))]),
        ("in June", [(date(2017, 6, 1), date(2017, 6, 30)), (date(2018, 6, 1), date(2018, 6, 30))]),
        ("who called yesterday", [(date(2018, 11, 13), date(2018, 11, 13))]),
        ("May I ask who Tom is?", []),
        ("on 31 February 2018", []),
        ("in March 2020", []),
    ],
)
def test_the_days_that_a_question_names(question, days):
    assert asked_days(question, FIRST, LAST) == days

import csv
import io

import orjson

from radsafe_bench.suites import Suite
from radsafe_bench.suites.export import to_csv, to_json


def test_json_names_the_suite_and_what_it_is(small: Suite) -> None:
    """An exported file still says which suite it is and that no clinician has reviewed it."""
    document = orjson.loads(to_json(small))

    assert document["suite"]["digest"] == small.digest
    assert "no clinician has reviewed them" in document["suite"]["notice"]
    assert [question["id"] for question in document["questions"]] == [item.id for item in small.questions]


def test_every_csv_row_carries_the_notice(small: Suite) -> None:
    """A row cut out of the table is not mistaken for the official data set."""
    rows = list(csv.DictReader(io.StringIO(to_csv(small))))

    assert len(rows) == len(small.questions)
    assert {row["notice"] for row in rows} == {small.notice}
    first = small.questions[0]
    assert rows[0]["answer_idx"] == first.correct.letter
    assert rows[0]["option_1_high_risk"] == str(int(first.options[0].high_risk))

from gatekeeper.checks.nli.encoding import in_one_form, marked


def test_marks_say_what_only_one_text_holds() -> None:
    """The reader is told that "left" stands in both texts, and which of the two numbers do not meet."""
    ids = (101, 2187, 2484, 102, 2187, 1019, 102, 0)
    types = (0, 0, 0, 0, 1, 1, 1, 0)
    texts = (None, 0, 0, None, 1, 1, None, None)

    assert marked(ids, types, texts) == [0, 0, 3, 0, 1, 2, 1, 0]


def test_both_texts_get_one_form() -> None:
    """Equal values become equal words before the reader sees them."""
    assert in_one_form("after 48 h", "after two days") == ("after 2 days", "after 2 days")

"""Word lists written as one line of text."""


def wordset(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())

"""The databases and the clock of the review queue's tests."""

from tests.review.conftest import clock, postgres_url, url

__all__ = ["clock", "postgres_url", "url"]

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson
import pytest

from radsafe_bench.suites import SuiteError
from radsafe_bench.suites.hub import REPOSITORY, fetch_official

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TABLE = b"question_id,question_text\n1,Which?\n"


class FakeHub(BaseHTTPRequestHandler):
    """Answers the two requests that a download makes; `files` and `gated` are set by the test."""

    files: tuple[str, ...] = ("README.md", "RadSaFE-200.csv")
    gated = False

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def _answer(self, *, with_body: bool) -> None:
        if self.gated:
            self.send_response(403)
            self.send_header("X-Error-Code", "GatedRepo")
            body = b"{}"
        elif self.path.startswith("/api/datasets/"):
            self.send_response(200)
            siblings = [{"rfilename": name} for name in self.files]
            body = orjson.dumps({"id": REPOSITORY, "sha": COMMIT, "siblings": siblings})
        else:
            self.send_response(200)
            self.send_header("ETag", '"etag"')
            self.send_header("X-Repo-Commit", COMMIT)
            body = TABLE
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, type[FakeHub]]]:
    """Serve a hub on loopback, beside an empty cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    handler = type("Hub", (FakeHub,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_one_table_is_fetched(hub: tuple[str, type[FakeHub]]) -> None:
    """A user with access gets the file's bytes, ready to import."""
    path = fetch_official(endpoint=hub[0])

    assert path.read_bytes() == TABLE
    assert path.suffix == ".csv"


def test_a_gated_data_set_says_what_to_accept(hub: tuple[str, type[FakeHub]]) -> None:
    """Without access the message names licence and login."""
    hub[1].gated = True

    with pytest.raises(SuiteError, match="accept the data set's licence"):
        fetch_official(endpoint=hub[0])


def test_several_tables_are_not_guessed_between(hub: tuple[str, type[FakeHub]]) -> None:
    """A repository that holds more than one table is left to the user."""
    hub[1].files = ("a.csv", "b.csv")

    with pytest.raises(SuiteError, match="holds 2 CSV files"):
        fetch_official(endpoint=hub[0])


def test_without_a_network_the_message_names_the_other_way() -> None:
    """In an air-gapped place the user learns to bring the file."""
    with pytest.raises(SuiteError, match="cannot be reached from here"):
        fetch_official(endpoint="http://127.0.0.1:9")

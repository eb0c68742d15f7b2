from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from gatekeeper.errors import ReviewError
from gatekeeper.review.database import Database

AT_ONCE = 6


def opened(url: str) -> str:
    """Open a database and let go of it; return what went wrong, nothing where all went well."""
    try:
        Database(url).close()
    except ReviewError as error:
        return error.message
    return ""


def test_processes_that_start_at_once_share_a_new_file(tmp_path: Path) -> None:
    """Workers and replicas that all find no database yet set it up together, and none refuses to start."""
    with ProcessPoolExecutor(AT_ONCE, get_context("spawn")) as starting:
        for number in range(60):
            url = f"sqlite:///{tmp_path / f'{number}.db'}"
            assert list(starting.map(opened, [url] * AT_ONCE)) == [""] * AT_ONCE

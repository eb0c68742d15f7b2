from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gatekeeper.review.database import Database


def test_processes_that_start_at_once_share_a_new_file(tmp_path: Path) -> None:
    """Workers and replicas that all find no database yet set it up together, and none refuses to start."""

    def opened(url: str) -> str:
        database = Database(url)
        database.close()
        return url

    urls = [f"sqlite:///{tmp_path / f'{number}.db'}" for number in range(30) for _ in range(6)]
    with ThreadPoolExecutor(6) as starting:
        assert list(starting.map(opened, urls)) == urls

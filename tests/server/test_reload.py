"""When a policy is read again."""

import asyncio
import os
from pathlib import Path

from gatekeeper.server.reload import watch


async def until(reloads: list[None], count: int) -> None:
    """Wait until the policy was read so often."""
    async with asyncio.timeout(30):
        while len(reloads) < count:  # noqa: ASYNC110  # what is waited for comes from the disk
            await asyncio.sleep(0.02)


async def test_only_the_policy_is_a_reason_to_read_it(tmp_path: Path) -> None:
    """A log that is written beside the policy makes no process read it with every line."""
    policy, reloads = tmp_path / "policy.yaml", list[None]()
    policy.write_text("name: one")
    watching = asyncio.create_task(watch(policy, lambda: reloads.append(None)))
    while not reloads:  # until the directory is watched
        (tmp_path / "log").write_text(os.urandom(4).hex())
        await asyncio.sleep(0.1)
    for _ in range(3):
        (tmp_path / "log").write_text(os.urandom(4).hex())
        await asyncio.sleep(0.3)
    assert len(reloads) == 1
    policy.write_text("name: two and more")
    await until(reloads, 2)
    policy.unlink()
    await until(reloads, 3)
    watching.cancel()


async def test_what_is_read_with_the_policy_counts_too(tmp_path: Path) -> None:
    """A new calibration or certificate beside the policy takes effect without a signal."""
    policy, calibration, reloads = tmp_path / "policy.yaml", tmp_path / "calibration.json", list[None]()
    policy.write_text("name: one")
    watching = asyncio.create_task(watch(policy, lambda: reloads.append(None), [calibration]))
    while not reloads:
        (tmp_path / "log").write_text(os.urandom(4).hex())
        await asyncio.sleep(0.1)
    calibration.write_text("{}")
    await until(reloads, 2)
    watching.cancel()


async def test_a_replaced_link_is_a_change(tmp_path: Path) -> None:
    """Kubernetes replaces the folder that a mounted policy's link leads to; that is seen."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "policy.yaml").write_text("name: one")
    (tmp_path / "data").symlink_to("old")
    policy, reloads = tmp_path / "policy.yaml", list[None]()
    policy.symlink_to("data/policy.yaml")
    watching = asyncio.create_task(watch(policy, lambda: reloads.append(None)))
    while not reloads:
        (tmp_path / "log").write_text(os.urandom(4).hex())
        await asyncio.sleep(0.1)
    (tmp_path / "next").symlink_to("new")
    (tmp_path / "next").rename(tmp_path / "data")
    await until(reloads, 2)
    watching.cancel()

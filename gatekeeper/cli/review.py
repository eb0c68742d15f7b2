"""`gatekeeper review`: the queue of held answers, at the machine where the database is.

Whoever reads the database file holds the reviewer's role here: `--as` names the reviewer, it proves nothing.
Over HTTP a reviewer's key does.
"""

import functools
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson
from pydantic import ValidationError

from gatekeeper.audit.log import DecisionLog
from gatekeeper.errors import InvalidRequest
from gatekeeper.policy.criteria import SAFETY_RATES
from gatekeeper.review.database import Database
from gatekeeper.review.queue import ReviewQueue
from gatekeeper.review.retention import DAY_S, removal, remove_texts, with_old_texts
from gatekeeper.review.sealing import load_seal, new_key
from gatekeeper.review.verdict import Said

_RESERVED_S = 60.0


def _days(ctx: click.Context, param: click.Parameter, value: str) -> int:
    """Read a number of days that is written `90d`."""
    if not (found := re.fullmatch(r"([1-9]\d{0,4})d", value)):
        raise click.BadParameter("write a whole number of days, such as 90d")
    return int(found[1])


review_group = click.Group("review", help="Review what was held.")


def _with_queue(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the queue that its options name."""

    @click.option(
        "--review-db", envvar="GATEKEEPER_REVIEW_DB", required=True, help="sqlite:///FILE or postgresql://…"
    )
    @click.option(
        "--review-key-file",
        envvar="GATEKEEPER_REVIEW_KEY_FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Key of the texts; or put it into GATEKEEPER_REVIEW_KEY.",
    )
    @click.option("--review-key", envvar="GATEKEEPER_REVIEW_KEY", hidden=True)
    @functools.wraps(command)
    def with_queue(review_db: str, review_key: str | None, review_key_file: Path | None, **rest: Any) -> None:
        seal = load_seal(review_key, review_key_file)
        database = Database(review_db, exists=True)
        try:
            command(ReviewQueue(database, seal), **rest)
        finally:
            database.close()

    return with_queue


@review_group.command("list")
@click.option("--settled", is_flag=True, help="Settled items, newest first, in place of open ones.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 200))
@_with_queue
def list_command(queue: ReviewQueue, settled: bool, limit: int) -> None:
    """List open items, riskiest and oldest first. No text is shown."""
    queue.expire()
    for item in queue.listed(settled=settled, limit=limit):
        came = datetime.fromtimestamp(item["at"], UTC).isoformat(timespec="seconds")
        risk = "p_wrong ?" if item["p_wrong"] is None else f"p_wrong {item['p_wrong']:.2f}"
        topic = "high-risk topic" if item["high_risk"] else ""
        rules = ", ".join(reason["rule"] for reason in item["reasons"])
        shown = (item["id"], came, item["purpose"], item["status"], risk, topic, rules, _reserved(item))
        click.echo("  ".join(part for part in shown if part))


@review_group.command("show")
@click.argument("item")
@_with_queue
def show_command(queue: ReviewQueue, item: str) -> None:
    """Show one item as JSON, with its text where that was kept and the key is given."""
    click.echo(orjson.dumps(queue.shown(item), option=orjson.OPT_INDENT_2))


@review_group.command("resolve")
@click.argument("item")
@click.argument("verdict", type=click.Choice(["release", "correct", "reject", "cannot_judge"]))
@click.option("--as", "reviewer", required=True, envvar="GATEKEEPER_REVIEWER", help="Who reviews.")
@click.option("--reason", required=True, help="Why; at least three characters.")
@click.option("--accuracy", type=click.IntRange(1, 5))
@click.option("--safety", type=click.IntRange(1, 5))
@click.option("--completeness", type=click.IntRange(1, 5))
@click.option("--text", type=click.File(encoding="utf-8"), help="File of the corrected answer; - for input.")
@click.option("--risk", "risks", multiple=True, type=click.Choice(SAFETY_RATES), help="The answer shows it.")
@click.option("--no-risk", "absent", multiple=True, type=click.Choice(SAFETY_RATES), help="It does not.")
@_with_queue
def resolve_command(
    queue: ReviewQueue, item: str, verdict: str, reviewer: str, reason: str, text: Any, **given: Any
) -> None:
    """Reserve an item and say what becomes of it."""
    scores = {name: given[name] for name in ("accuracy", "safety", "completeness") if given[name] is not None}
    outcome = {**dict.fromkeys(given["absent"], False), **dict.fromkeys(given["risks"], True)}
    try:
        said = Said.model_validate(
            {
                "verdict": verdict,
                "reason": reason,
                "scores": scores or None,
                "text": text.read() if text else None,
                "outcome": outcome,
            }
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InvalidRequest(first["msg"].removeprefix("Value error, ")) from None
    queue.reserve(item, reviewer, _RESERVED_S)
    click.echo(f"{item}: {queue.resolve(item, reviewer, said)['status']}")


@review_group.command("purge")
@click.option(
    "--older-than", required=True, callback=_days, metavar="DAYSd", help="Age in days, such as 90d."
)
@click.option(
    "--audit-log",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Decision log of its own that says whose texts go; a server holds the one it writes.",
)
@_with_queue
def purge_command(queue: ReviewQueue, older_than: int, audit_log: Path) -> None:
    """Remove the texts of settled items that came longer ago, and nothing else about them."""
    decisions, removed = DecisionLog(audit_log), 0
    try:
        while items := with_old_texts(queue.database, time.time() - older_than * DAY_S):
            decisions.append(removal(items, older_than))
            remove_texts(queue.database, items)
            removed += len(items)
    finally:
        decisions.close()
    click.echo(f"removed the texts of {removed} items that came over {older_than} days ago")


@review_group.command("key")
def key_command() -> None:
    """Print a fresh key for the texts of the review store."""
    click.echo(new_key())


def _reserved(item: dict[str, Any]) -> str:
    until = item["reserved_until"]
    if until is None or until < datetime.now(UTC).timestamp():
        return ""
    return f"reserved by {item['reserved_by']}"

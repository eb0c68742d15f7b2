"""`gatekeeper policy validate | schema | explain`."""

from pathlib import Path

import click
import orjson

from gatekeeper.policy import Policy, Rule, load_policy, needs_whole, vocabulary
from gatekeeper.policy.model import CHECKS, Test

_FILE = click.Path(path_type=Path, dir_okay=False)

policy_group = click.Group("policy", help="Validate and explain policy files.")


@policy_group.command("validate")
@click.argument("files", nargs=-1, required=True, type=_FILE)
def validate_command(files: tuple[Path, ...]) -> None:
    """Check policy files; exit code 2 with file, line and remedy when one cannot be used."""
    for path in files:
        loaded = load_policy(path)
        policy = loaded.policy
        click.echo(f"{path}: {policy.name} {policy.version}, {len(policy.rules)} rules, {loaded.digest}")


@policy_group.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of policy files, for editors."""
    click.echo(orjson.dumps(Policy.model_json_schema(), option=orjson.OPT_INDENT_2))


@policy_group.command("explain")
@click.argument("file", required=False, type=_FILE)
def explain_command(file: Path | None) -> None:
    """Say in words what a policy does; without a file, list every signal that a rule may read."""
    if file is None:
        for name, spec in vocabulary({}).items():
            domain = " | ".join(spec.values) or f"{spec.bounds[0]:g} to {spec.bounds[1]:g}"
            click.echo(f"{name:24} {spec.meaning} ({domain})")
        return
    for line in explain(load_policy(file).policy):
        click.echo(line)


def explain(policy: Policy) -> list[str]:
    """Return the sentences that say what a policy does, strictest rule first."""
    how = "enforces" if policy.mode == "enforce" else "only records what it would do (shadow mode)"
    lines = [f"Policy '{policy.name}' {policy.version} {how}. The strictest matching rule decides."]
    lines += [
        f"  {rule.then.value:10} when {_conditions(rule)}  [{rule.id}]"
        for rule in sorted(policy.rules, key=lambda rule: -rule.then.severity)
    ]
    for check in CHECKS:
        settings = getattr(policy.checks, check)
        if settings.enabled:
            lines.append(
                f"  {settings.unavailable.value:10} when the check '{check}' fails or takes over "
                f"{settings.timeout_s:g} s"
            )
        else:
            lines.append(f"  The check '{check}' is off.")
    if policy.evidence.lookups:
        tools = ", ".join(sorted(policy.evidence.lookups))
        lines.append(f"  release    when it says nothing and only calls {tools}, whatever rule matches")
    return [*lines, "  release    when nothing above matches", *_streaming(policy)]


def _streaming(policy: Policy) -> list[str]:
    """Return when a stream leaves, and why it waits where the policy asks that it should not."""
    reasons = needs_whole(policy)
    if policy.streaming == "hold" or reasons:
        why = [f"  Not sentence by sentence: {reason}." for reason in reasons if policy.streaming == "window"]
        return ["Streams are held until their end has been judged.", *why]
    return ["Streams of one answer in prose leave sentence by sentence, each once it has been judged."]


def _conditions(rule: Rule) -> str:
    words = " and ".join(f"{signal} {_words(test)}" for signal, test in rule.when.items())
    return words if rule.unavailable == "skip" else f"{words} (or cannot be measured)"


def _words(test: Test) -> str:
    signs = {"at_least": "≥", "above": ">", "at_most": "≤", "below": "<"}
    parts = [
        f"{sign} {getattr(test, name):g}" for name, sign in signs.items() if getattr(test, name) is not None
    ]
    if test.equals is not None:
        parts.append(f"is {test.equals:g}" if isinstance(test.equals, float) else f"is {test.equals}")
    if test.one_of is not None:
        parts.append("is " + " or ".join(test.one_of))
    return " and ".join(parts)

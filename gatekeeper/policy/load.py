"""Reading policy files: YAML without surprises, errors with file and line, one digest per policy."""

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gatekeeper.errors import PolicyError
from gatekeeper.policy.model import Policy

MAX_BYTES = 1_000_000

_WORDS = {
    "missing": "is missing; add it",
    "string_type": "must be text; put it in quotes",
    "model_type": "must be a mapping, such as {at_least: 0.5} for a signal",
    "too_short": "is empty; give at least one",
}
"""What pydantic says of a value's type in the terms of Python."""


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A validated policy and the SHA-256 digest of what its file says (comments and order of keys aside)."""

    policy: Policy
    digest: str
    source: str


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses what could mislead: keys written twice, and aliases (which can explode)."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Build a node, refusing aliases."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # not in the stubs
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed; write it out", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping, refusing duplicate keys."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is not text; put it in quotes", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"'{key}' is written twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def load_policy(path: Path) -> LoadedPolicy:
    """Read, validate and digest a policy file; raise PolicyError naming file, line and remedy."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PolicyError(f"{path}: larger than {MAX_BYTES} bytes; a policy is a short file")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read ({error.strerror}); give the path of a policy") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
    return parse_policy(text, source=str(path))


def parse_policy(text: str, source: str = "policy") -> LoadedPolicy:
    """Validate and digest the text of a policy file; raise PolicyError naming line and remedy."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            data = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PolicyError(f"{source}: {_yaml_problem(error)}") from error
    if node is None or not isinstance(data, dict):
        raise PolicyError(f"{source}: a policy is a mapping that begins with 'name:' and 'version:'")
    try:
        policy = Policy.model_validate(data)
    except ValidationError as error:
        raise PolicyError("\n".join(_problems(error, node, source))) from error
    return LoadedPolicy(policy=policy, digest=digest_of(data), source=source)


def digest_of(data: dict[str, Any]) -> str:
    """Return `sha256:<hex>` of a policy's content as canonical JSON."""
    canonical = orjson.dumps(data, option=orjson.OPT_SORT_KEYS, default=str)
    return "sha256:" + hashlib.sha256(canonical).hexdigest()


def _yaml_problem(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return "is no valid YAML; check indentation and quotes"


def _problems(error: ValidationError, node: yaml.Node, source: str) -> list[str]:
    """Return one line per problem, with the line of the file where it stands."""
    problems = error.errors(include_url=False, include_input=False)
    broken = {problem["loc"][: len(problem["loc"]) - 1] for problem in problems}
    lines = []
    for problem in problems:
        if problem["type"] == "too_short" and any(
            at[: len(problem["loc"])] == problem["loc"] for at in broken
        ):
            continue  # it only counts what is left without the broken items
        location = problem.get("ctx", {}).get("at", problem["loc"])
        where = ".".join(str(step) for step in location) or "policy"
        lines.append(f"{source}: line {_line(node, location)}: {where}: {_in_words(problem)}")
    return lines


def _in_words(problem: ErrorDetails) -> str:
    """Return what is wrong and what would be right, for somebody who writes YAML and no Python."""
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(problem["loc"][-1]), _keys(), n=1)
        hint = f"did you mean '{near[0]}'?" if near else "see `gatekeeper policy schema`"
        return f"there is no such key here; {hint}"
    return _WORDS.get(problem["type"], problem["msg"].removeprefix("Value error, "))


def _keys() -> set[str]:
    schema = Policy.model_json_schema()
    return {key for part in (schema, *schema["$defs"].values()) for key in part.get("properties", {})}


def _line(node: yaml.Node, location: tuple[int | str, ...]) -> int:
    """Return the 1-based line of the deepest node on the way to a location."""
    for step in location:
        child = _child(node, step)
        if child is None:
            break
        node = child
    return int(node.start_mark.line) + 1


def _child(node: yaml.Node, step: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        found: yaml.Node = node.value[step]
        return found
    return None

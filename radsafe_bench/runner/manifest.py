"""`manifest.json`: what was asked of whom, how, and with which parts; what a resumed run must share."""

import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import orjson

from radsafe_bench.conditions import PROMPT_VERSION, template_digest
from radsafe_bench.recording import RecordingError, replace_file
from radsafe_bench.records import MANIFEST
from radsafe_bench.runner.sampling import Sampling
from radsafe_bench.suites import Question, Suite
from radsafe_bench.targets import Identity

FORMAT: Final = 1

_JSON: Final = orjson.OPT_NON_STR_KEYS

_PACKAGES: Final = ("radsafe-gatekeeper", "aiohttp", "bm25s", "numpy", "orjson", "scipy", "tokenizers")
_FIXED: Final = (
    "suite.digest",
    "prompt",
    "model",
    "fingerprint",
    "backend",
    "gate",
    "sampling.temperature",
    "sampling.max_tokens",
    "sampling.top_logprobs",
    "sampling.reasoning",
    "sampling.extra",
)
_FIXED_IF_USED: Final = ("retrieval", "max_context")
"""Parts that only some conditions use, so that a later session may bring them."""


class CannotResume(RecordingError):
    """A run directory holds records of another suite, wording, model or setting."""


def describe(
    suite: Suite, questions: Sequence[Question], identity: Identity, sampling: Sampling
) -> dict[str, Any]:
    """Return the part of a manifest that is known before anything is asked."""
    return {
        "format": FORMAT,
        "notice": f"{suite.notice} No result here shows that a system is safe for patients.",
        "suite": {
            "name": suite.name,
            "version": suite.version,
            "digest": suite.digest,
            "review": suite.info.review.value,
        },
        "questions": [question.id for question in questions],
        "prompt": {"version": PROMPT_VERSION, "digest": template_digest()},
        "model": identity.model,
        "fingerprint": identity.fingerprint,
        "backend": identity.backend,
        "gate": identity.policy,
        "engine": identity.engine,
        "notes": identity.notes,
        "sampling": sampling.stated(),
        "determinism": list(_determinism(identity)),
        "software": software(),
    }


def _determinism(identity: Identity) -> Iterator[str]:
    if identity.backend == "extractive":
        yield "The extractive baseline keeps no state: equal requests get equal answers, samples by seed."
        return
    yield "Greedy requests carry temperature 0, samples their index as seed; the server has to honour both."
    yield "Servers that batch requests may answer differently under another load; --aa measures how often."
    yield "Latencies were measured with several requests in flight."


def software() -> dict[str, str]:
    """Return the versions of what the run was made with."""
    found = {"python": platform.python_version(), "platform": sys.platform}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a run that was begun, None where there is none.

    Raises RecordingError where it cannot be read.
    """
    path = folder / MANIFEST
    if not path.exists():
        return None
    try:
        manifest = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise RecordingError(f"{path}: is no manifest; choose another --out") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise RecordingError(f"{path}: was not written by this version of `run`; choose another --out")
    return manifest


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write a manifest in one step."""
    replace_file(folder / MANIFEST, orjson.dumps(manifest, option=_JSON | orjson.OPT_INDENT_2))


def check_same_run(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise CannotResume, naming what differs, where records of both must not stand side by side.

    More samples, conditions or questions may be asked for, and a part that the earlier session did not
    use (such as retrieval) may come new.
    """
    now = orjson.loads(orjson.dumps(now, option=_JSON))
    used = [place for place in _FIXED_IF_USED if earlier.get(place) and now.get(place)]
    different = [place for place in (*_FIXED, *used) if _at(earlier, place) != _at(now, place)]
    if different:
        raise CannotResume(
            f"the run was made with another {', another '.join(different)}: its records and new ones would "
            "not be comparable. Choose another --out, or repeat the options of the first session"
        )


def merged(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest of a resumed run: what this session says, and what it did not touch."""
    both = {**earlier, **now}
    for name in ("retrieval", "max_context", "family", "parameters"):
        both[name] = now.get(name) or earlier.get(name)
    both["questions"] = list(dict.fromkeys([*earlier["questions"], *now["questions"]]))
    both["conditions"] = asked = list(dict.fromkeys([*earlier["conditions"], *now["conditions"]]))
    reasons = {**earlier["why_not"], **now["why_not"]}
    both["why_not"] = {condition: reason for condition, reason in reasons.items() if condition not in asked}
    samples = max(earlier["sampling"]["samples"], now["sampling"]["samples"])
    both["sampling"] = {**now["sampling"], "samples": samples}
    return both


def _at(manifest: Mapping[str, Any], place: str) -> Any:
    """Return what stands at a dotted place, recall left out: it follows from the rest."""
    value: Any = manifest
    for name in place.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping):
        return {name: part for name, part in value.items() if name != "recall"}
    return value

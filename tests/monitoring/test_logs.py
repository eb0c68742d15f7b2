"""The process log of a process of its own."""

import subprocess
import sys

import orjson

_TELLING = """
import logging, sys
from gatekeeper.monitoring.logs import log, logger, set_up_logging

set_up_logging("info", worker=3)
log(logging.INFO, "decision", id="gkd_1", seconds=0.25)
logger.info("decision", extra={"fields": {"id": "gkd_1", "seconds": 0.25}})
log(logging.DEBUG, "too fine to be told")
log(logging.INFO, "unwritable", id="\\udc80")
sys.stderr.close()
log(logging.INFO, "to nobody")
print("still serving")
"""


def test_an_event_reads_as_a_record_does_and_never_stops_the_process() -> None:
    """Events have one form however they are written; a full disk or a closed stream costs no answer."""
    done = subprocess.run((sys.executable, "-c", _TELLING), capture_output=True, text=True, check=True)

    written, recorded = map(orjson.loads, done.stderr.splitlines())
    assert done.stdout == "still serving\n"
    assert list(written) == ["at", "level", "worker", "event", "id", "seconds"]
    assert {**written, "at": ""} == {**recorded, "at": ""}

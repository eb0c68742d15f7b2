"""The verdict as JUnit XML: a failed criterion is a `<failure>`, an undecided one an `<error>`."""

from collections import Counter
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from radsafe_bench.gate.criteria import Result, Row
from radsafe_bench.gate.reporting.words import SENTENCE, basis_lines, row_cells
from radsafe_bench.gate.verdict import Verdict


def to_junit(verdict: Verdict) -> bytes:
    """Return the report as bytes of XML."""
    results = Counter(row.result for row in verdict.rows)
    totals = {
        "tests": str(max(len(verdict.rows), 1)),
        "failures": str(results[Result.FAIL]),
        "errors": str(results[Result.INCONCLUSIVE] + (verdict.result is Result.ERROR)),
    }
    root = Element("testsuites", {"name": "radsafe gate", **totals})
    suite = SubElement(root, "testsuite", {"name": f"radsafe gate: {verdict.result.value}", **totals})
    properties = SubElement(suite, "properties")
    for name, value in (("result", verdict.result.value), *basis_lines(verdict)):
        SubElement(properties, "property", {"name": name, "value": value})
    for row in verdict.rows:
        _case(suite, row)
    if verdict.result is Result.ERROR:
        case = SubElement(suite, "testcase", {"classname": "gate", "name": "gate"})
        SubElement(case, "error", {"message": verdict.problem, "type": SENTENCE[verdict.result]})
    indent(root)
    whole: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return whole


def _case(suite: Element, row: Row) -> None:
    case = SubElement(suite, "testcase", {"classname": row.condition, "name": row.name})
    if row.result is not Result.PASS:
        tag = "failure" if row.result is Result.FAIL else "error"
        _, _, result, events, rate, bounds, limit, _ = row_cells(row)
        message = f"{events}, {rate}, bounds {bounds}, limit {limit}"
        SubElement(case, tag, {"message": message, "type": result})

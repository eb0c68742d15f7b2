"""One verdict, four prints: table, JSON, JUnit and Markdown. Nothing is computed here."""

from radsafe_bench.gate.reporting.json import to_json
from radsafe_bench.gate.reporting.junit import to_junit
from radsafe_bench.gate.reporting.markdown import to_markdown
from radsafe_bench.gate.reporting.table import print_table

__all__ = ["print_table", "to_json", "to_junit", "to_markdown"]

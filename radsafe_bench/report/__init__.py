"""Reports of scored runs, for people."""

from radsafe_bench.report.page import write_report

__all__ = ["write_report"]

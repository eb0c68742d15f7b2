"""The RadSaFE suite and the regression gate: questions, runs, metrics, reports, certificates.

The questions that ship here were written independently in the form of RadSaFE-200. They are not the
official RadSaFE-200, and their labels await clinicians' review.
"""

from radsafe_bench.suites import Suite, SuiteError, load_suite

__all__ = ["Suite", "SuiteError", "load_suite"]

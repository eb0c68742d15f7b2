"""Live risk of what is delivered: what is expected, what was observed, and whether a ceiling is crossed."""

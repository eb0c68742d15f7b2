"""The commands of `radsafe-bench`, one module each."""

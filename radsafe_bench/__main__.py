"""`python -m radsafe_bench`."""

from radsafe_bench.cli import main

main()

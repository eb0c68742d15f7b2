"""The load rig behind `make bench`: fake upstream, bare pass-through and gatekeeper under one load."""

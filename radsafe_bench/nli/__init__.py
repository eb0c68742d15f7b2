"""How the shipped reader (`gatekeeper/checks/nli/model`) is made: texts, pairs, training, export."""

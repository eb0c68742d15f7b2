"""OpenAI's JSON shapes on one side, the gatekeeper's words on the other; no I/O."""

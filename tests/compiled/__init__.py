"""The compiled build beside the sources: the same decisions, and no modules built from other sources."""

"""The review queue of held answers."""

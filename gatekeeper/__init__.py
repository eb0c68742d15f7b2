"""Safety-gating middleware between clinical applications and their language models.

No medical device: the gate reduces some risks of a language model and removes none of them.
"""

__version__ = "0.1.0"

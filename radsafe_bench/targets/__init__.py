"""Who is asked: a server over HTTP, or a backend in this process."""

from radsafe_bench.targets.base import Identity, Target
from radsafe_bench.targets.embedded import EmbeddedTarget, case_of
from radsafe_bench.targets.endpoint import EndpointTarget

__all__ = ["EmbeddedTarget", "EndpointTarget", "Identity", "Target", "case_of"]

"""Model calls beside the answer itself: what checks ask of a model, who is asked, and what comes back."""

from gatekeeper.auxiliary.calls import Auxiliary, DrawCall, Drawn, LabelCall, Problem, Reading, Whom
from gatekeeper.auxiliary.consulted import Consulted

__all__ = ["Auxiliary", "Consulted", "DrawCall", "Drawn", "LabelCall", "Problem", "Reading", "Whom"]

"""The README's picture of live risk."""

from pathlib import Path

import pytest
from PIL import Image

from tests.deploy.picture import PANELS, draw, observe
from tests.deploy.places import DOCS
from tests.deploy.prometheus import needs_prometheus


@needs_prometheus
@pytest.mark.slow
def test_the_picture_can_be_drawn_again(tmp_path: Path) -> None:
    """Every panel shows data, and the worse model's observed risk is the higher one."""
    run = observe(tmp_path, 110, 0.0)
    assert [title for title, _ in PANELS if not any(line.values for line in run.lines[title])] == []
    (unsafe,) = [line for line in run.lines[PANELS[0][0]] if line.label == "unsafe_answer"]
    (before,) = [value for at, value in zip(unsafe.times, unsafe.values, strict=True) if at <= run.changed][
        -1:
    ]
    assert unsafe.values[-1] > before
    draw(run, tmp_path / "drawn.png")
    with (
        Image.open(tmp_path / "drawn.png") as drawn,
        Image.open(DOCS / "images" / "live-risk.png") as shipped,
    ):
        assert drawn.size == shipped.size

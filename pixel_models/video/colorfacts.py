"""What films and their frames say of their colours, and what is taken where they say nothing."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av import VideoFrame

_UNSAID = 2
_BT709, _BT601 = 1, 5
_LIMITED, _FULL = 1, 2
# By H.273's number, swscale's: BT.470 and SMPTE 170M are one matrix, and so are both kinds of BT.2020.
_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
# Above this the matrix of HDTV is meant where a file says nothing; so players have it.
_HD_LINES = 576
_WITHOUT_MATRIX = ("rgb", "bgr", "gbr", "argb", "abgr", "0", "pal", "gray", "mono", "ya", "x2rgb", "x2bgr")


@dataclasses.dataclass(frozen=True)
class ColorFacts:
    """Numbers of ITU-T H.273, but for the range; 0 where nothing is said."""

    matrix: int = 0
    range: int = 0
    """1 = limited, 2 = full."""
    curve: int = 0
    primaries: int = 0

    @classmethod
    def of(cls, holder: Any) -> ColorFacts:  # noqa: ANN401
        """Of PyAV's decoder, or of a frame; older versions tell less of a frame."""
        names = ("colorspace", "color_range", "color_trc", "color_primaries")
        matrix, spread, curve, primaries = (int(getattr(holder, name, 0) or 0) for name in names)
        return cls(_said(matrix), spread, _said(curve), _said(primaries))

    def over(self, other: ColorFacts) -> ColorFacts:
        """These, and the other's where these say nothing."""
        pairs = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
        return ColorFacts(*(own or spare for own, spare in pairs))


def _said(number: int) -> int:
    return 0 if number == _UNSAID else number


def conversion(frame: VideoFrame, facts: ColorFacts) -> dict[str, int]:
    """What swscale is to be told, so that a frame becomes R'G'B'.

    Args:
        frame: decoded.
        facts: what is known of its colours.
    """
    form = frame.format.name
    if form.startswith(_WITHOUT_MATRIX):
        return {}
    matrix = _MATRICES.get(facts.matrix, _BT709 if frame.height > _HD_LINES else _BT601)
    full = facts.range == _FULL or form.startswith("yuvj")
    return {
        "src_colorspace": matrix,
        # RGB has none, but PyAV before 17 leaves the source's out where both are the same.
        "dst_colorspace": _BT601 if matrix != _BT601 else _BT709,
        "src_color_range": _FULL if full else _LIMITED,
    }


def is_strange(facts: ColorFacts) -> bool:
    """Whether a film names a matrix that is not known here."""
    return facts.matrix not in (0, *_MATRICES)

"""A film's frames on the grid of its cells: upright, with square pixels, in sRGB, a few samples for each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .colorfacts import ColorFacts, conversion, is_strange
from .grid import Bytes, Grid
from .source import has_alpha
from .srgb import is_beyond, to_srgb
from .turn import Turn, upright_size

if TYPE_CHECKING:
    from av import VideoFrame

    from .read import FilmReader

# swscale's SWS_AREA | SWS_FULL_CHR_H_INT: without the latter white comes out as 253. Older PyAV does not name it.
_MANNER = 0x20 | 0x2000


class FrameScaler:
    """Turns decoded frames into samples of the grid's cells."""

    def __init__(self, grid: Grid, reader: FilmReader) -> None:
        """Prepare.

        Args:
            grid: the cells.
            reader: the film, which says what its frames do not say of their colours.
        """
        from av.video.reformatter import VideoReformatter

        self._grid, self._alpha = grid, reader.alpha
        self._colors, self._shape = reader.colors, reader.pixel_shape
        self._reformatter = VideoReformatter()
        # With several threads a row of alpha comes out wrong in one frame of a hundred; older PyAV has one only.
        told = "threads" in (self._reformatter.reformat.__doc__ or "")
        self._one_thread: dict[str, int] = {"threads": 1} if told else {}
        self._resized = self._strange = False

    @property
    def notes(self) -> list[str]:
        """What could not be had of the frames so far, a sentence each."""
        notes: list[str] = []
        if self._resized:
            notes.append("The frames change their shape; those of another shape than the first stand on black.")
        if self._strange:
            notes.append("The film's colours are of a kind that is not known here; they may be wrong.")
        return notes

    def picture(self, frame: VideoFrame) -> Bytes:
        """Samples `h*s w*s 3` or, where transparency is kept, `h*s w*s 4`, straight alpha.

        A frame of another shape than the film stands in its middle, black around it.
        """
        grid = self._grid
        width, height = grid.width * grid.samples, grid.height * grid.samples
        turn = Turn.of(frame)
        across, down = upright_size(frame, self._shape)
        inner = (width, height)
        if across * grid.film[1] != down * grid.film[0]:
            scale = min(grid.film[0] / across, grid.film[1] / down)
            fitted = across * scale / grid.film[0] * width, down * scale / grid.film[1] * height
            if width - fitted[0] > grid.samples / 2 or height - fitted[1] > grid.samples / 2:
                self._resized = True
                inner = max(1, round(fitted[0])), max(1, round(fitted[1]))
        pixels = turn.apply(self._scaled(frame, (inner[1], inner[0]) if turn.swapped else inner))
        if inner == (width, height):
            return np.ascontiguousarray(pixels)
        whole = np.zeros((height, width, pixels.shape[2]), np.uint8)
        whole[..., 3:] = 255
        top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
        whole[top : top + inner[1], left : left + inner[0]] = pixels
        return whole

    def _scaled(self, frame: VideoFrame, size: tuple[int, int]) -> Bytes:
        facts = ColorFacts.of(frame).over(self._colors)
        how: dict[str, Any] = {"interpolation": _MANNER, **conversion(frame, facts)}
        self._strange |= "src_colorspace" in how and is_strange(facts)

        def made(form: str, **more: int) -> Any:  # noqa: ANN401
            return self._reformatter.reformat(frame, *size, form, **how, **more).to_ndarray()

        def rgb() -> Bytes:
            if is_beyond(facts.curve, facts.primaries):
                return to_srgb(made("rgb48le"), facts.curve, facts.primaries)
            return made("rgb24")

        if not self._alpha:
            return rgb()
        clear = has_alpha(frame.format)
        pixels: Bytes = made("rgba", **self._one_thread) if clear else np.full((size[1], size[0], 4), 255, np.uint8)
        if not clear or is_beyond(facts.curve, facts.primaries):
            pixels[..., :3] = rgb()
        return pixels

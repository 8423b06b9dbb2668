"""What the node "Pixelate Video" takes."""

from __future__ import annotations

from ..pixel_models.video import FILM_DITHERS, FILM_METHODS, FILM_PALETTES, QUALITIES
from ._art import MASK_TOOLTIP
from ._comfy import io
from ._pixelating import dither_strength_input, palette_input, size_mode_input
from ._types import PixelModel

MP4, WEBM = FORMATS = ("mp4", "webm")
"""Kinds of films that are written."""


def film_inputs() -> list[io.Input]:
    """The inputs in their order, which never changes: workflows store them by position."""
    return [
        size_mode_input(),
        io.Int.Input(
            "cell_size",
            default=6,
            min=2,
            max=256,
            tooltip="Side of one cell in pixels of the film (2 to 256 pixels).",
        ),
        io.Int.Input(
            "target_width",
            default=160,
            min=8,
            max=1024,
            tooltip="Width of the pixel art in cells (8 to 1024 cells); the height follows the film's shape.",
        ),
        io.Int.Input(
            "colors",
            default=16,
            min=2,
            max=256,
            tooltip="Number of colours at most (2 to 256 colours), chosen from the film. Ignored with a palette.",
        ),
        io.Combo.Input(
            "palette_per",
            options=list(FILM_PALETTES),
            default=FILM_PALETTES[0],
            tooltip="Whether the whole film shares its colours, or each shot between two cuts has its own. "
            "Ignored with a palette.",
        ),
        io.Combo.Input(
            "method",
            options=list(FILM_METHODS),
            default=FILM_METHODS[0],
            tooltip="How a cell gets its colour without a model: 'sharp' and 'box' are quick, the others take "
            "up to a second a frame. Ignored with a model.",
        ),
        io.Combo.Input(
            "dither",
            options=list(FILM_DITHERS),
            default=FILM_DITHERS[0],
            tooltip="How cells mix the palette's colours; all of these lie still on the grid.",
        ),
        dither_strength_input(),
        io.Boolean.Input(
            "clean",
            default=True,
            tooltip="Let single stray cells agree with those around them (on or off); not with a dither.",
        ),
        io.Boolean.Input(
            "steady",
            default=True,
            tooltip="Keep a cell's colour while the film does not change there (on or off). Off: every frame "
            "is made alone, and flickers.",
        ),
        io.Float.Input(
            "fps",
            default=0.0,
            min=0.0,
            max=240.0,
            step=1.0,
            tooltip="Most frames a second of a video file (0.0 to 240.0 frames); 0 keeps all. 8 to 12 looks "
            "like drawn animation.",
        ),
        io.Int.Input(
            "scale",
            default=0,
            min=0,
            max=64,
            tooltip="Pixels along a cell's side in the video (0 to 64 pixels); 0 is about the film's own size. "
            "Even numbers keep colours apart.",
        ),
        io.Combo.Input(
            "format",
            options=list(FORMATS),
            default=MP4,
            tooltip="Kind of the file that a video file becomes: 'mp4' plays everywhere, 'webm' keeps transparency.",
        ),
        io.Combo.Input(
            "quality",
            options=list(QUALITIES),
            default=QUALITIES[0],
            tooltip="Of a video file: 'compatible' plays everywhere, 'exact' has the palette's very colours "
            "but plays in fewer programs.",
        ),
        io.Video.Input(
            "video",
            optional=True,
            tooltip="The film, such as from Load Video. A file is worked on frame by frame and may be of any "
            "length. Connect this or frames.",
        ),
        io.Image.Input(
            "frames",
            optional=True,
            tooltip="Frames of a film as a batch, in their order, such as from a video model. Used when no "
            "video is connected.",
        ),
        io.Mask.Input("mask", optional=True, tooltip=f"For frames. {MASK_TOOLTIP}"),
        PixelModel.Input(
            "model",
            optional=True,
            tooltip="A model that draws the cells, such as kiln-pixelate; slower. Without one the method does.",
        ),
        palette_input(),
    ]

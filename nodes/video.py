"""The node "Pixelate Video": films and batches of frames to pixel art that does not flicker."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from ..pixel_models.checkpoint import LoadedModel
from ..pixel_models.errors import FilmError
from ..pixel_models.image import enlarge
from ..pixel_models.palette import IndexedImage, Palette
from ..pixel_models.video import (
    FILM_DITHERS,
    FILM_METHODS,
    FILM_PALETTES,
    QUALITIES,
    FilmDither,
    FilmMethod,
    FilmOptions,
    FilmPalette,
    Quality,
    pixelate_film,
    pixelate_frames,
)
from ._art import check_choices
from ._comfy import (
    film_of_file,
    film_of_frames,
    film_parts,
    film_place,
    film_source,
    image_to_nchw,
    io,
    is_film_file,
    nchw_to_image,
    nchw_to_mask,
    preview,
    progress,
    run_network,
)
from ._film_inputs import FORMATS, MP4, film_inputs
from ._pixelating import CELL_SIZE, SIZE_MODES


class PixelateVideoNode(io.ComfyNode):
    """A film, or a batch of its frames, to pixel art."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnPixelateVideo",
            display_name="Pixelate Video",
            category="pixel art/video",
            description=(
                "Turns a film of any length, or a batch of frames, into pixel art: one grid, one palette, and colours "
                "that stay where the film stands still. A video file keeps its sound and its frames' times."
            ),
            inputs=film_inputs(),
            outputs=[
                io.Video.Output(
                    "made",
                    display_name="video",
                    tooltip="The film in pixel art, enlarged without smoothing, with its sound; for Save Video.",
                ),
                io.Image.Output(
                    "native",
                    display_name="frames",
                    tooltip="With frames: the pixel art at its own size, one pixel a cell. With video: its first frame "
                    "alone, since a long film has no room in memory.",
                ),
                io.Mask.Output(
                    "native_mask", display_name="mask", tooltip="Transparency of frames: 1 = transparent, always hard."
                ),
            ],
        )

    @classmethod
    def validate_inputs(
        cls,
        size_mode: str = SIZE_MODES[0],
        palette_per: str = FILM_PALETTES[0],
        method: str = FILM_METHODS[0],
        dither: str = FILM_DITHERS[0],
        format: str = MP4,  # noqa: A002
        quality: str = QUALITIES[0],
    ) -> bool | str:
        """Refuse choices that do not exist, before anything runs."""
        return check_choices(
            size_mode=(size_mode, SIZE_MODES),
            palette_per=(palette_per, FILM_PALETTES),
            method=(method, FILM_METHODS),
            dither=(dither, FILM_DITHERS),
            format=(format, FORMATS),
            quality=(quality, QUALITIES),
        )

    @classmethod
    def execute(
        cls,
        size_mode: str = CELL_SIZE,
        cell_size: int = 6,
        target_width: int = 160,
        colors: int = 16,
        palette_per: FilmPalette = "film",
        method: FilmMethod = "sharp",
        dither: FilmDither = "none",
        dither_strength: float = 0.5,
        clean: bool = True,
        steady: bool = True,
        fps: float = 0.0,
        scale: int = 0,
        format: str = MP4,  # noqa: A002
        quality: Quality = "compatible",
        video: Any = None,  # noqa: ANN401
        frames: Tensor | None = None,
        mask: Tensor | None = None,
        model: LoadedModel | None = None,
        palette: Palette | None = None,
    ) -> io.NodeOutput:
        """A file to a file in ComfyUI's temp folder; frames to frames."""
        by_cell = size_mode == CELL_SIZE
        options = FilmOptions(
            cell=cell_size if by_cell else None,
            size=None if by_cell else (target_width, 0),
            palette=palette,
            colors=colors,
            palette_per=palette_per,
            method=method,
            dither=dither,
            strength=dither_strength,
            clean=clean,
            steady=steady,
            fps=fps or None,
        )
        if video is not None and is_film_file(video):
            return _file(video, options, model, scale, format, quality)
        audio, rate = None, Fraction(24)
        if video is not None:
            frames, audio, rate = film_parts(video)
            mask = None
        if frames is None:
            msg = "neither video nor frames is connected; connect Load Video, or a batch of pictures"
            raise FilmError(msg)
        rgb, alpha = image_to_nchw(frames, mask)
        made = _run(
            model,
            rgb.shape[-2] * rgb.shape[-1],
            lambda: pixelate_frames(rgb, options, alpha=alpha, model=model, callback=progress()),
        )
        native, opaque = torch.cat([one.to_rgb() for one in made]), torch.cat([one.alpha() for one in made])
        side = scale or max(2, 2 * round(frames.shape[2] / native.shape[3] / 2))
        film = film_of_frames(nchw_to_image(_even(enlarge(native, side))), audio, rate)
        rgba = frames.shape[-1] == 4
        return io.NodeOutput(
            film,
            nchw_to_image(native, opaque if rgba else None),
            nchw_to_mask(opaque),
            ui=preview(native, None if alpha is None else opaque),
        )


def _file(
    video: Any,  # noqa: ANN401
    options: FilmOptions,
    model: LoadedModel | None,
    scale: int,
    suffix: str,
    quality: Quality,
) -> io.NodeOutput:
    """A film from file to file, in memory that does not grow."""
    target, shown = film_place(f".{suffix}"), list[IndexedImage]()
    with film_source(video) as source:
        _run(
            model,
            1024 * 1024,
            lambda: pixelate_film(
                source,
                target,
                options,
                model=model,
                scale=scale or None,
                quality=quality,
                callback=progress(),
                first=shown.append,
            ),
        )
    native, opaque = shown[0].to_rgb(), shown[0].alpha()
    clear = shown[0].transparent is not None
    return io.NodeOutput(
        film_of_file(target),
        nchw_to_image(native, opaque if clear else None),
        nchw_to_mask(opaque),
        ui=preview(native, opaque if clear else None),
    )


def _run(model: LoadedModel | None, pixels: int, work: Any) -> Any:  # noqa: ANN401
    """The work, with the network where ComfyUI wants it; a film's frames go through it in small batches."""
    return work() if model is None else run_network(model.module, 1024 * pixels, work)


def _even(picture: Tensor) -> Tensor:
    """Width and height made even by repeating the last column and row: Save Video's codec needs that."""
    height, width = picture.shape[-2:]
    return torch.nn.functional.pad(picture, (0, width % 2, 0, height % 2), mode="replicate")

"""The nodes that write into ComfyUI's output folder: pixel art, sprite sheets, palettes."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from torch import Tensor

from ..pixel_models.palette import PALETTE_WRITE_SUFFIXES, IndexedImage, Palette, write_palette
from ..pixel_models.sheets import METADATA_FORMATS, MetadataFormat, SpriteSheet, pack_sheet, write_sheet
from ..pixel_models.spritefiles import SAVE_FORMATS, write_art
from ._art import MASK_TOOLTIP, check_choices, palette_strip, sprite_preview, to_art, to_sprites
from ._comfy import io, output_place, preview, saved_files, workflow_text
from ._types import PixelIndexed, PixelPalette, PixelSprites, image_or

PREFIX = "pixel-kiln/"
PLAYED = ("apng", "webp")
"""Animations that ComfyUI's page plays; it takes a moving GIF for a video, which it cannot show."""
SHOWN = ("png", "gif", *PLAYED)
"""Files that it can show at all."""
PALETTE_KINDS = tuple(suffix.removeprefix(".") for suffix in PALETTE_WRITE_SUFFIXES)


class SavePixelArtNode(io.ComfyNode):
    """Pixel art as small, exact files."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnSavePixelArt",
            display_name="Save Pixel Art",
            category="pixel art/save",
            description=(
                "Saves pixel art exactly: indexed PNG of the smallest size, GIF, APNG and lossless WebP animations "
                "with one "
                "palette and exact times, or .aseprite; with the workflow inside."
            ),
            is_output_node=True,
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            inputs=[
                image_or(
                    "image",
                    PixelIndexed,
                    PixelSprites,
                    tooltip="Pixel art; a batch or sprites become an animation, or with png one file each.",
                ),
                io.String.Input(
                    "filename_prefix",
                    default=f"{PREFIX}sprite",
                    tooltip="Name of the file in ComfyUI's output folder; folders with /. A number is put behind it.",
                ),
                io.Combo.Input(
                    "format",
                    options=list(SAVE_FORMATS),
                    default=SAVE_FORMATS[0],
                    tooltip="png: one file a picture. gif, apng, webp: one animation. aseprite: frames, tags and "
                    "palette for "
                    "Aseprite.",
                ),
                io.Int.Input("scale", default=1, min=1, max=64, tooltip="Enlarge without smoothing (1 to 64 times)."),
                io.Int.Input(
                    "duration",
                    default=100,
                    min=10,
                    max=60000,
                    tooltip="Time of a frame in milliseconds (10 to 60000 ms = thousandths of a second); sprites keep "
                    "their "
                    "own times.",
                ),
                io.Int.Input(
                    "loop",
                    default=0,
                    min=0,
                    max=1000,
                    tooltip="How often an animation runs (0 to 1000 times); 0 = for ever.",
                ),
                PixelPalette.Input(
                    "palette",
                    optional=True,
                    tooltip="Bring everything to these colours, and keep their order in the file.",
                ),
                io.Mask.Input("mask", optional=True, tooltip=MASK_TOOLTIP),
            ],
            outputs=[
                io.String.Output("files", display_name="files", tooltip="The paths that were written, one a line.")
            ],
        )

    @classmethod
    def validate_inputs(cls, format: str = SAVE_FORMATS[0]) -> bool | str:  # noqa: A002
        """Refuse formats that do not exist, before anything runs."""
        return check_choices(format=(format, SAVE_FORMATS))

    @classmethod
    def execute(
        cls,
        image: Tensor | IndexedImage | SpriteSheet,
        filename_prefix: str,
        format: str,  # noqa: A002 - the word that users know
        scale: int,
        duration: int,
        loop: int,
        palette: Palette | None = None,
        mask: Tensor | None = None,
    ) -> io.NodeOutput:
        """One file, or with png one a picture."""
        art = image if isinstance(image, SpriteSheet) else to_art(image, mask)
        text = workflow_text(cls.hidden.prompt, cls.hidden.extra_pnginfo)
        place = output_place(filename_prefix, ".png" if format == "apng" else f".{format}")
        written = write_art(
            place, art, format=format, scale=scale, loop=loop, duration=duration, palette=palette, text=text
        )
        shown = (
            saved_files(written, animated=format in PLAYED)
            if format in SHOWN
            else sprite_preview(to_sprites(image, mask))
        )
        return io.NodeOutput("\n".join(map(str, written)), ui=shown)


class SaveSpriteSheetNode(io.ComfyNode):
    """A sheet with what an engine needs to know of it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnSaveSpriteSheet",
            display_name="Save Sprite Sheet",
            category="pixel art/save",
            description=(
                "Saves a sheet as PNG and, beside it, its metadata for Aseprite, TexturePacker, Phaser, Godot, CSS or "
                "as a "
                "CSV table."
            ),
            is_output_node=True,
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
            inputs=[
                PixelSprites.Input(
                    "sprites", tooltip="From Pack Sheet; frames that were not packed are packed simply."
                ),
                io.String.Input(
                    "filename_prefix",
                    default=f"{PREFIX}sheet",
                    tooltip="Name of the files in ComfyUI's output folder; folders with /. A number is put behind it.",
                ),
                io.Combo.Input(
                    "format",
                    options=list(METADATA_FORMATS),
                    default=METADATA_FORMATS[0],
                    tooltip="The kind of metadata: what your engine reads.",
                ),
            ],
            outputs=[
                io.String.Output("files", display_name="files", tooltip="The paths that were written, one a line.")
            ],
        )

    @classmethod
    def validate_inputs(cls, format: str = METADATA_FORMATS[0]) -> bool | str:  # noqa: A002
        """Refuse formats that do not exist, before anything runs."""
        return check_choices(format=(format, METADATA_FORMATS))

    @classmethod
    def execute(
        cls,
        sprites: SpriteSheet,
        filename_prefix: str,
        format: MetadataFormat,  # noqa: A002 - the word that users know
    ) -> io.NodeOutput:
        """The picture and the metadata beside it."""
        sheet = sprites if sprites.picture is not None else pack_sheet(sprites)
        text = workflow_text(cls.hidden.prompt, cls.hidden.extra_pnginfo)
        written = write_sheet(output_place(filename_prefix, ".png"), sheet, format, text=text)
        return io.NodeOutput("\n".join(map(str, written)), ui=saved_files(written[:1]))


class PaletteSaveNode(io.ComfyNode):
    """A palette as a file for other programs."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnPaletteSave",
            display_name="Palette Save",
            category="pixel art/palette",
            description="Saves a palette for other programs, into ComfyUI's output folder.",
            is_output_node=True,
            inputs=[
                PixelPalette.Input("palette", tooltip="The colours, in their order."),
                io.String.Input(
                    "filename_prefix",
                    default=f"{PREFIX}palette",
                    tooltip="Name of the file in ComfyUI's output folder; folders with /. A number is put behind it.",
                ),
                io.Combo.Input(
                    "format",
                    options=list(PALETTE_KINDS),
                    default=PALETTE_KINDS[0],
                    tooltip="hex: Lospec. gpl: GIMP, Krita, Inkscape. pal: JASC. ase, aco, act: Adobe. txt: Paint.NET. "
                    "aseprite and json; png: one square a colour.",
                ),
                io.Int.Input(
                    "square", default=1, min=1, max=64, tooltip="Side of a colour's square in a png (1 to 64 pixels)."
                ),
            ],
            outputs=[io.String.Output("files", display_name="files", tooltip="The path that was written.")],
        )

    @classmethod
    def validate_inputs(cls, format: str = PALETTE_KINDS[0]) -> bool | str:  # noqa: A002
        """Refuse formats that do not exist, before anything runs."""
        return check_choices(format=(format, PALETTE_KINDS))

    @classmethod
    def execute(
        cls,
        palette: Palette,
        filename_prefix: str,
        format: str,  # noqa: A002 - the word that users know
        square: int,
    ) -> io.NodeOutput:
        """One file."""
        place = output_place(filename_prefix, f".{format}")
        write_palette(place, palette, scale=square)
        return io.NodeOutput(str(place), ui=preview(palette_strip(palette)))

"""The nodes for sprite sheets and animations from files: load, slice, pack."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from ..pixel_models.errors import PixelModelError, SheetError
from ..pixel_models.palette import IndexedImage
from ..pixel_models.sheets import (
    LAYOUTS,
    METADATA_FORMATS,
    SLICE_HOWS,
    Layout,
    MetadataFormat,
    SliceHow,
    SpriteSheet,
    format_metadata,
    metadata_suffix,
    pack_sheet,
    read_sheet,
    slice_sheet,
)
from ..pixel_models.sheets.join import join_sheets
from ..pixel_models.spritefiles import ART_SUFFIXES, read_art
from ._art import check_choices, mask_input, to_rgba, to_sprites
from ._comfy import file_state, find_user_file, io, list_user_files, nchw_to_image, nchw_to_mask, preview
from ._sprites import sprite_output, sprite_outputs, sprites_input
from ._types import PixelIndexed, PixelSprites, image_or

SHEET_SUFFIXES = tuple(dict.fromkeys(metadata_suffix(kind) for kind in METADATA_FORMATS))
SUFFIXES = (*ART_SUFFIXES, *SHEET_SUFFIXES)


class LoadPixelArtNode(io.ComfyNode):
    """Animations, Aseprite files and sheets with metadata, as frames."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnLoadPixelArt",
            display_name="Load Pixel Art",
            category="pixel art/sheets",
            description=(
                "Reads the frames of a file in ComfyUI's input folder: PNG, APNG, GIF, WebP and .aseprite with their "
                "times "
                "and tags, or a sheet by its metadata (JSON, .tres, CSS, CSV beside the picture)."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                io.Combo.Input(
                    "file",
                    options=list_user_files(SUFFIXES),
                    tooltip="The file; press R to list new ones.",
                )
            ],
            outputs=sprite_outputs("The frames"),
        )

    @classmethod
    def validate_inputs(cls, file: str = "") -> bool | str:
        """Refuse a file that is not there, before anything runs."""
        try:
            if file:
                find_user_file(file, SUFFIXES)
        except PixelModelError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, file: str) -> tuple[str | int, ...]:
        """A file that was changed is read again."""
        return file_state(find_user_file(file, SUFFIXES))

    @classmethod
    def execute(cls, file: str) -> io.NodeOutput:
        """The frames."""
        path = find_user_file(file, SUFFIXES)
        return sprite_output(_read(path))


def _read(path: Path) -> SpriteSheet:
    return read_sheet(path) if path.suffix.lower() in SHEET_SUFFIXES else read_art(path)


class SliceSheetNode(io.ComfyNode):
    """A sheet cut into sprites."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnSliceSheet",
            display_name="Slice Sheet",
            category="pixel art/sheets",
            description=(
                "Cuts a sprite sheet into its sprites: by itself, by the size of a frame, by their number, or row by "
                "row. "
                "The background becomes transparent; empty frames are left out."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                image_or("image", PixelIndexed, tooltip="One sprite sheet at its own size, one pixel a cell."),
                io.Combo.Input(
                    "how",
                    options=list(SLICE_HOWS),
                    default=SLICE_HOWS[0],
                    tooltip="'auto' finds connected parts, 'rows' does so row by row, 'size' cuts frames of "
                    "frame_width by "
                    "frame_height, 'count' cuts columns by rows equal frames.",
                ),
                io.Int.Input("frame_width", default=32, min=1, max=4096, tooltip="For 'size' (1 to 4096 pixels)."),
                io.Int.Input("frame_height", default=32, min=1, max=4096, tooltip="For 'size' (1 to 4096 pixels)."),
                io.Int.Input(
                    "columns", default=4, min=1, max=512, tooltip="For 'count': frames side by side (1 to 512 times)."
                ),
                io.Int.Input(
                    "rows",
                    default=4,
                    min=1,
                    max=512,
                    tooltip="For 'count': frames one below the other (1 to 512 times).",
                ),
                io.Int.Input(
                    "margin",
                    default=0,
                    min=0,
                    max=256,
                    tooltip="Around all frames, for 'size' and 'count' (0 to 256 pixels).",
                ),
                io.Int.Input(
                    "spacing",
                    default=0,
                    min=0,
                    max=256,
                    tooltip="Between frames, for 'size' and 'count' (0 to 256 pixels).",
                ),
                io.String.Input(
                    "background",
                    default="",
                    placeholder="#ff00ff",
                    tooltip="Hex code of the colour that is background; leave it empty to find it by transparency or "
                    "border.",
                ),
                io.String.Input("name", default="sprite", tooltip="What the frames are called, with a number behind."),
                mask_input(),
            ],
            outputs=sprite_outputs("The sprites, in reading order"),
        )

    @classmethod
    def validate_inputs(cls, how: str = SLICE_HOWS[0]) -> bool | str:
        """Refuse ways that do not exist, before anything runs."""
        return check_choices(how=(how, SLICE_HOWS))

    @classmethod
    def execute(
        cls,
        image: Tensor | IndexedImage,
        how: SliceHow,
        frame_width: int,
        frame_height: int,
        columns: int,
        rows: int,
        margin: int,
        spacing: int,
        background: str,
        name: str,
        mask: Tensor | None = None,
    ) -> io.NodeOutput:
        """Convert in, one call, convert out."""
        rgba = to_rgba(image, mask)
        if len(rgba) != 1:
            msg = f"image is a batch of {len(rgba)} pictures, expected one sheet; pick one with Image From Batch"
            raise SheetError(msg)
        return sprite_output(
            slice_sheet(
                rgba[0],
                how=how,
                size=(frame_width, frame_height) if how == "size" else None,
                count=(columns, rows) if how == "count" else None,
                margin=margin,
                spacing=spacing,
                background=background.strip() or None,
                name=name.strip() or "sprite",
            )
        )


class PackSheetNode(io.ComfyNode):
    """Sprites on one sheet."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnPackSheet",
            display_name="Pack Sheet",
            category="pixel art/sheets",
            description=(
                "Puts sprites, batches and lists of any sizes on one sheet and writes the metadata that engines read. "
                "Save "
                "both with Save Sprite Sheet."
            ),
            is_input_list=True,
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                sprites_input("sprites", "Sprites, a batch, or a list of pictures of any sizes."),
                io.Combo.Input(
                    "layout",
                    options=list(LAYOUTS),
                    default=LAYOUTS[0],
                    tooltip="'packed' wastes the least room, 'grid' gives every frame an equal cell, 'row' and "
                    "'column' are "
                    "strips.",
                ),
                io.Int.Input(
                    "columns",
                    default=0,
                    min=0,
                    max=512,
                    tooltip="For 'grid' (0 to 512 cells in a row); 0 = about square.",
                ),
                io.Int.Input("padding", default=0, min=0, max=64, tooltip="Free room between frames (0 to 64 pixels)."),
                io.Int.Input(
                    "margin", default=0, min=0, max=64, tooltip="Free room around all frames (0 to 64 pixels)."
                ),
                io.Int.Input(
                    "extrude",
                    default=0,
                    min=0,
                    max=16,
                    tooltip="Repeat each frame's border outwards, against bleeding (0 to 16 pixels).",
                ),
                io.Boolean.Input("power_of_two", default=False, tooltip="Make both sides of the sheet a power of two."),
                io.Boolean.Input(
                    "trim", default=False, tooltip="Leave out transparent borders; the metadata tells where they were."
                ),
                io.Combo.Input(
                    "format",
                    options=list(METADATA_FORMATS),
                    default=METADATA_FORMATS[0],
                    tooltip="The kind of the metadata output: what your engine reads.",
                ),
                io.String.Input("image_name", default="sheet.png", tooltip="The picture's file name in the metadata."),
                *[
                    sprites_input(name, "More sprites, put behind the first.", optional=True)
                    for name in ("more", "more_2", "more_3")
                ],
                mask_input(),
            ],
            outputs=[
                PixelSprites.Output(
                    "sheet", display_name="sprites", tooltip="The frames with their places, for Save Sprite Sheet."
                ),
                io.Image.Output("picture", display_name="image", tooltip="The sheet as one RGBA picture."),
                io.Mask.Output("picture_mask", display_name="mask", tooltip="Its transparency: 1 = transparent."),
                io.String.Output(
                    "metadata", display_name="metadata", tooltip="Names, places, times and tags, for the engine."
                ),
            ],
        )

    @classmethod
    def validate_inputs(
        cls,
        layout: list[str] | str = LAYOUTS[0],
        format: list[str] | str = METADATA_FORMATS[0],  # noqa: A002
    ) -> bool | str:
        """Refuse choices that do not exist, before anything runs."""
        first = [value[0] if isinstance(value, list) else value for value in (layout, format)]
        return check_choices(layout=(first[0], LAYOUTS), format=(first[1], METADATA_FORMATS))

    @classmethod
    def execute(
        cls,
        sprites: list[Tensor | IndexedImage | SpriteSheet],
        layout: list[Layout],
        columns: list[int],
        padding: list[int],
        margin: list[int],
        extrude: list[int],
        power_of_two: list[bool],
        trim: list[bool],
        format: list[MetadataFormat],  # noqa: A002 - the word that users know
        image_name: list[str],
        more: list[Tensor | IndexedImage | SpriteSheet] | None = None,
        more_2: list[Tensor | IndexedImage | SpriteSheet] | None = None,
        more_3: list[Tensor | IndexedImage | SpriteSheet] | None = None,
        mask: list[Tensor] | None = None,
    ) -> io.NodeOutput:
        """Everything on one sheet; a mask for each entry of `sprites`, or one for all."""
        masks = (mask or [None]) * (len(sprites) if len(mask or [None]) == 1 else 1)
        parts = [to_sprites(part, mask) for part, mask in zip(sprites, masks, strict=True)]
        sheet = pack_sheet(
            join_sheets([*parts, *(to_sprites(part) for part in [*(more or []), *(more_2 or []), *(more_3 or [])])]),
            layout=layout[0],
            columns=columns[0],
            padding=padding[0],
            margin=margin[0],
            extrude=extrude[0],
            power_of_two=power_of_two[0],
            trim=trim[0],
        )
        assert sheet.picture is not None
        rgb, alpha = sheet.picture[None, :3], sheet.picture[None, 3:]
        return io.NodeOutput(
            sheet,
            nchw_to_image(rgb, alpha),
            nchw_to_mask(alpha),
            format_metadata(sheet, format[0], image_name[0]),
            ui=preview(rgb, alpha),
        )

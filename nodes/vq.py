"""The nodes of pictures as codes: "VQ Encode", "VQ Decode", "Recolor", "Code Edit", and codes in files."""

# ComfyUI's base methods take **kwargs, and each node names its own inputs.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

import re

import torch
from torch import Tensor

from ..pixel_models.checkpoint import LoadedModel
from ..pixel_models.codes import (
    CODES_SUFFIXES,
    MIX_HOWS,
    NEAREST_BYS,
    CodeGrid,
    MixHow,
    NearestBy,
    clear_codes,
    code_map,
    code_sheet,
    decode,
    encode,
    fuse_codes,
    load_codes,
    mask_codes,
    mix,
    nearest_codes,
    recolor_codes,
    replace_codes,
    rotate_codes,
    save_codes,
    swap_codes,
)
from ..pixel_models.errors import CodesError, PixelModelError
from ..pixel_models.image import enlarge
from ..pixel_models.palette import IndexedImage, Palette, index_exactly
from ._art import MASK_TOOLTIP, art_output, art_outputs, check_choices, is_rgba, to_rgba
from ._comfy import (
    file_state,
    find_user_file,
    io,
    list_user_files,
    nchw_to_image,
    output_place,
    preview,
    progress,
)
from ._types import PixelCodes, PixelIndexed, PixelModel, PixelPalette, image_or

REPLACE, ROTATE, CUT, SWAP, LEARNED = "replace", "rotate", "cut out", "swap palettes", "mix: learned"
MIXES: dict[str, MixHow] = {f"mix: {how}": how for how in MIX_HOWS}
ACTIONS = (REPLACE, ROTATE, CUT, SWAP, *MIXES, LEARNED)
CODE_KINDS = tuple(suffix.removeprefix(".") for suffix in CODES_SUFFIXES)

MODEL_TOOLTIP = "The VQ-VAE, such as kiln-vq-hires; codes are of use to the model alone that made them."
_CHANGE = re.compile(r"(\d+)\s*=\s*(\d+)")


def codes_of(model: LoadedModel, picture: Tensor | IndexedImage | CodeGrid, mask: Tensor | None = None) -> CodeGrid:
    """Codes as they are, any other picture encoded."""
    if isinstance(picture, CodeGrid):
        return picture.require(model)
    rgba = to_rgba(picture, mask)
    return encode(model, rgba[:, :3], rgba[:, 3:], callback=progress())


def parse_code_changes(text: str) -> dict[int, int]:
    """Pairs old=new of codes, parted by spaces, commas or new lines.

    Raises:
        CodesError: something else stands there.
    """
    found = dict[int, int]()
    for part in re.split(r"[,;\n]+|\s+(?=\d+\s*=)", text.strip()):
        if not part.strip():
            continue
        match = _CHANGE.fullmatch(part.strip())
        if match is None:
            msg = f"{part.strip()!r} is no change of a code; expected pairs of numbers such as 12=40"
            raise CodesError(msg)
        found[int(match[1])] = int(match[2])
    return found


def _shown(model: LoadedModel, codes: CodeGrid) -> Tensor:
    """The code map at the picture's size, `b 3 H W`."""
    return enlarge(code_map(model, codes), codes.patch)[..., : codes.height, : codes.width]


class VQEncodeNode(io.ComfyNode):
    """Pictures to codes."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnVQEncode",
            display_name="VQ Encode",
            category="pixel art/codes",
            description=(
                "Turns pixel art into codes of a Pixel VQ-VAE: each stands for one pixel (HiRes), 2x2 (MedRes) or 4x4 "
                "pixels (LowRes). The node shows the map of codes."
            ),
            is_output_node=True,  # so that the map shows with nothing connected behind, and again when it is cached
            inputs=[
                image_or("image", PixelIndexed, tooltip="Pixel art at its own size; RGB, or RGBA with transparency."),
                PixelModel.Input("model", tooltip=MODEL_TOOLTIP),
                io.Combo.Input(
                    "nearest",
                    options=list(NEAREST_BYS),
                    default=NEAREST_BYS[1],
                    tooltip="'picture' takes the codes that look most like the picture, 'features' those that the "
                    "network chooses, as in the paper.",
                ),
                io.Boolean.Input(
                    "keep_alpha",
                    default=True,
                    tooltip="On: the hard transparency travels beside the codes and comes back exactly. Off: the codes "
                    "alone say what is transparent.",
                ),
                io.Mask.Input("mask", optional=True, tooltip=MASK_TOOLTIP),
            ],
            outputs=[
                PixelCodes.Output("codes", display_name="codes", tooltip="The codes, for nodes that edit or decode."),
                io.Image.Output("map", display_name="map", tooltip="The map of codes: a colour of its own for each."),
                io.Image.Output("codebook", display_name="codebook", tooltip="What each code of the model looks like."),
            ],
        )

    @classmethod
    def validate_inputs(cls, nearest: str = NEAREST_BYS[0]) -> bool | str:
        """Refuse choices that do not exist, before anything runs."""
        return check_choices(nearest=(nearest, NEAREST_BYS))

    @classmethod
    def execute(
        cls,
        image: Tensor | IndexedImage,
        model: LoadedModel,
        nearest: NearestBy,
        keep_alpha: bool,
        mask: Tensor | None = None,
    ) -> io.NodeOutput:
        """Convert in, one call, convert out; so few patches differ that the network runs where its weights lie."""
        rgba = to_rgba(image, mask)
        codes = encode(model, rgba[:, :3], rgba[:, 3:], keep_alpha=keep_alpha, nearest=nearest, callback=progress())
        shown = _shown(model, codes)
        book, _ = code_sheet(model)
        return io.NodeOutput(codes, nchw_to_image(shown), nchw_to_image(book), ui=preview(shown))


class VQDecodeNode(io.ComfyNode):
    """Codes to pictures."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows."""
        return io.Schema(
            node_id="PixelKilnVQDecode",
            display_name="VQ Decode",
            category="pixel art/codes",
            description="Turns codes back into pixel art, with the model that made them.",
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                PixelCodes.Input("codes", tooltip="Codes from VQ Encode, Code Edit, Recolor or a file."),
                PixelModel.Input("model", tooltip=MODEL_TOOLTIP),
            ],
            outputs=_picture_outputs("The pixel art that the codes stand for"),
        )

    @classmethod
    def execute(cls, codes: CodeGrid, model: LoadedModel) -> io.NodeOutput:
        """One call, convert out."""
        return _picture_output(model, codes)


class RecolorNode(io.ComfyNode):
    """Pixel art in chosen colours, through codes."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnRecolor",
            display_name="Recolor",
            category="pixel art/codes",
            description=(
                "Gives the commonest code of a picture the code nearest to your first colour, the next its second, and "
                "so on. Best with a HiRes model, whose codes are colours."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                image_or("image", PixelIndexed, PixelCodes, tooltip="Pixel art at its own size, or its codes."),
                PixelModel.Input("model", tooltip=MODEL_TOOLTIP),
                PixelPalette.Input("palette", tooltip="The new colours, the first for what the picture has most of."),
                io.Mask.Input("mask", optional=True, tooltip=MASK_TOOLTIP),
            ],
            outputs=_picture_outputs("The picture in the new colours"),
        )

    @classmethod
    def execute(
        cls,
        image: Tensor | IndexedImage | CodeGrid,
        model: LoadedModel,
        palette: Palette,
        mask: Tensor | None = None,
    ) -> io.NodeOutput:
        """Convert in, a call, convert out."""
        codes = codes_of(model, image, mask)
        made = recolor_codes(codes, nearest_codes(model, palette), clear=clear_codes(model))
        return _picture_output(model, made, rgba=is_rgba(image))


class CodeEditNode(io.ComfyNode):
    """Codes exchanged, turned, cut out, and mixed with others."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnCodeEdit",
            display_name="Code Edit",
            category="pixel art/codes",
            description=(
                "Edits the codes of pixel art: replaces or turns them, cuts some out, swaps the palettes of two "
                "pictures, or fuses two pictures into one."
            ),
            is_output_node=True,  # so that the result shows with nothing connected behind, and again when it is cached
            inputs=[
                PixelCodes.Input("codes", tooltip="The codes to edit, of one picture or a batch."),
                PixelModel.Input("model", tooltip=MODEL_TOOLTIP),
                io.Combo.Input(
                    "action",
                    options=list(ACTIONS),
                    default=ACTIONS[0],
                    tooltip=f"'{REPLACE}' as changes says; '{ROTATE}' by offset; '{CUT}' what the mask covers; "
                    f"'{SWAP}' with the other codes; 'mix' takes from the other codes what the mask covers, the "
                    "half that is not the top or the left, every other code, or each by the toss of a coin; "
                    f"'{LEARNED}' is what a trained prior makes of both.",
                ),
                io.String.Input(
                    "changes",
                    default="",
                    multiline=True,
                    placeholder="12=40",
                    tooltip=f"Pairs old=new of codes for '{REPLACE}', one a line; VQ Encode's codebook shows them.",
                ),
                io.Int.Input(
                    "offset",
                    default=1,
                    min=-4096,
                    max=4096,
                    tooltip=f"How far '{ROTATE}' moves every code on but the commonest (-4096 to 4096 codes).",
                ),
                io.Boolean.Input(
                    "one_by_one",
                    default=False,
                    tooltip=f"'{SWAP}' code after code, as the paper's own program does: new codes may be replaced "
                    "again. Off: all at once.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=9007199254740991,
                    control_after_generate=True,
                    tooltip="Which coins fall how, for 'mix: coin' (0 to 9007199254740991); one number gives one "
                    "picture at all times.",
                ),
                PixelCodes.Input(
                    "other", optional=True, tooltip=f"Codes of the same model, for '{SWAP}' and every 'mix'."
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip=f"Where '{CUT}' and 'mix: mask' act (1 = here); of any size, it is fitted to the codes.",
                ),
                PixelModel.Input(
                    "prior",
                    optional=True,
                    tooltip=f"For '{LEARNED}': a prior such as kiln-fuse-hires, for the codes of this model.",
                ),
            ],
            outputs=_picture_outputs("The picture after the edit"),
        )

    @classmethod
    def validate_inputs(cls, action: str = ACTIONS[0], changes: str = "") -> bool | str:
        """Refuse actions that do not exist and changes that are none, before anything runs."""
        try:
            parse_code_changes(changes)
        except CodesError as error:
            return f"changes: {error}"
        return check_choices(action=(action, ACTIONS))

    @classmethod
    def execute(
        cls,
        codes: CodeGrid,
        model: LoadedModel,
        action: str,
        changes: str,
        offset: int,
        one_by_one: bool,
        seed: int,
        other: CodeGrid | None = None,
        mask: Tensor | None = None,
        prior: LoadedModel | None = None,
    ) -> io.NodeOutput:
        """One call for the action, convert out."""
        clear = clear_codes(model)
        codes.require(model)
        if action == REPLACE:
            made = replace_codes(codes, parse_code_changes(changes), clear=clear)
        elif action == ROTATE:
            made = rotate_codes(codes, offset, clear=clear)
        elif action == CUT:
            made = mask_codes(codes, _places(mask, codes, action))
        elif other is None:
            msg = f"other is not connected, which {action!r} needs; connect the codes of the second picture"
            raise CodesError(msg)
        elif action == LEARNED:
            if prior is None:
                msg = f"prior is not connected, which {action!r} needs; load one such as kiln-fuse-hires and connect it"
                raise CodesError(msg)
            made = fuse_codes(prior, model, codes, other, callback=progress())
        elif action == SWAP:
            made, _ = swap_codes(codes, other.require(model), simultaneous=not one_by_one, clear=clear)
        else:
            made = _mixed(codes, other.require(model), MIXES[action], mask, seed)
        return _picture_output(model, made)


class CodesSaveNode(io.ComfyNode):
    """Codes as a file."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows; inputs are only ever appended, because workflows store them by position."""
        return io.Schema(
            node_id="PixelKilnCodesSave",
            display_name="Codes Save",
            category="pixel art/codes",
            description="Saves codes as a small file, into ComfyUI's output folder.",
            is_output_node=True,
            inputs=[
                PixelCodes.Input("codes", tooltip="The codes of one picture or of a batch."),
                io.String.Input(
                    "filename_prefix",
                    default="pixel-kiln/codes",
                    tooltip="Name of the file in ComfyUI's output folder; folders with /. A number is put behind it.",
                ),
                io.Combo.Input(
                    "format",
                    options=list(CODE_KINDS),
                    default=CODE_KINDS[0],
                    tooltip="npz: for numpy. png: a picture whose pixels are the codes.",
                ),
            ],
            outputs=[io.String.Output("files", display_name="files", tooltip="The path that was written.")],
        )

    @classmethod
    def validate_inputs(cls, format: str = CODE_KINDS[0]) -> bool | str:  # noqa: A002
        """Refuse formats that do not exist, before anything runs."""
        return check_choices(format=(format, CODE_KINDS))

    @classmethod
    def execute(
        cls,
        codes: CodeGrid,
        filename_prefix: str,
        format: str,  # noqa: A002 - the word that users know
    ) -> io.NodeOutput:
        """One file."""
        place = output_place(filename_prefix, f".{format}")
        save_codes(place, codes)
        return io.NodeOutput(str(place))


class CodesLoadNode(io.ComfyNode):
    """Codes from a file."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """What the node shows."""
        return io.Schema(
            node_id="PixelKilnCodesLoad",
            display_name="Codes Load",
            category="pixel art/codes",
            description=f"Reads codes from a file in ComfyUI's input folder: {', '.join(CODES_SUFFIXES)}.",
            inputs=[
                io.Combo.Input(
                    "file",
                    options=list_user_files(CODES_SUFFIXES),
                    tooltip="The file that Codes Save wrote; press R to list new ones.",
                )
            ],
            outputs=[
                PixelCodes.Output("codes", display_name="codes", tooltip="The codes, for the model that made them.")
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str = "") -> bool | str:
        """Refuse a file that is not there or holds no codes, before anything runs."""
        try:
            if file:
                load_codes(find_user_file(file, CODES_SUFFIXES))
        except PixelModelError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, file: str) -> tuple[str | int, ...]:
        """A file that was changed is read again."""
        return file_state(find_user_file(file, CODES_SUFFIXES))

    @classmethod
    def execute(cls, file: str) -> io.NodeOutput:
        """Read it."""
        return io.NodeOutput(load_codes(find_user_file(file, CODES_SUFFIXES)))


def _picture_outputs(what: str) -> list[io.Output]:
    """The outputs that `_picture_output` fills."""
    codes = PixelCodes.Output("made", display_name="codes", tooltip="The codes that the picture stands for.")
    return [*art_outputs(what), codes]


def _picture_output(model: LoadedModel, codes: CodeGrid, *, rgba: bool = False) -> io.NodeOutput:
    """Image, mask, indices and codes, with a sharp preview."""
    return art_output(index_exactly(*decode(model, codes)), codes, rgba=rgba)


def _places(mask: Tensor | None, codes: CodeGrid, action: str) -> Tensor:
    """A MASK fitted to codes, `b h w` or `1 h w`, bool: those of which it covers half or more.

    Raises:
        CodesError: there is no mask.
    """
    if mask is None:
        msg = f"mask is not connected, which {action!r} needs; connect one that is 1 where it is to act"
        raise CodesError(msg)
    size = (codes.indices.shape[1], codes.indices.shape[2])
    return torch.nn.functional.adaptive_avg_pool2d(mask.float()[:, None], size)[:, 0].cpu() >= 0.5


def _mixed(codes: CodeGrid, other: CodeGrid, how: MixHow, mask: Tensor | None, seed: int) -> CodeGrid:
    places = _places(mask, codes, f"mix: {how}") if how == "mask" else None
    return mix(codes, other, how, mask=places, generator=torch.Generator().manual_seed(seed))

"""The nodes that take codes apart: "Code Edit", and codes in files."""

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
    CodeGrid,
    MixHow,
    clear_codes,
    fuse_codes,
    load_codes,
    mask_codes,
    mix,
    replace_codes,
    rotate_codes,
    save_codes,
    swap_codes,
)
from ..pixel_models.errors import CodesError, PixelModelError
from ._art import check_choices
from ._codes import MODEL_TOOLTIP, picture_output, picture_outputs
from ._comfy import file_state, find_user_file, io, list_user_files, output_place, progress
from ._types import PixelCodes, PixelModel

REPLACE, ROTATE, CUT, SWAP, LEARNED = "replace", "rotate", "cut out", "swap palettes", "mix: learned"
MIXES: dict[str, MixHow] = {f"mix: {how}": how for how in MIX_HOWS}
ACTIONS = (REPLACE, ROTATE, CUT, SWAP, *MIXES, LEARNED)
CODE_KINDS = tuple(suffix.removeprefix(".") for suffix in CODES_SUFFIXES)
_CHANGE = re.compile(r"(\d+)\s*=\s*(\d+)")


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
            outputs=picture_outputs("The picture after the edit"),
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
        return picture_output(model, made)


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

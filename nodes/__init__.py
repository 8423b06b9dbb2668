"""The pack's ComfyUI nodes, and the entry point that ComfyUI asks for them."""

from __future__ import annotations

from ._comfy import ComfyExtension, io, register_model_folders
from .animate import AnimateSpriteNode, ColorCyclingNode
from .cells import CleanUpNode, DownscaleNode, UpscaleNode
from .codes import CodeEditNode, CodesLoadNode, CodesSaveNode
from .complete import PixelCNNCompleteNode
from .frames import DedupeFramesNode, FramesToAnimationNode, OnionSkinNode
from .fuse import FuseSpritesNode
from .grid import InspectNode, SnapToGridNode
from .latent import DCGANSampleNode, VAESampleNode
from .load import LoadPixelModel
from .palette import PaletteEditNode, PaletteFromImageNode, PaletteLoadNode, PaletteNode, PaletteRampNode
from .pixelate import DepixelateNode, PixelateNode
from .recolor import ColorViewNode, PaletteApplyNode, PaletteCycleNode, PaletteSwapNode
from .sample import PixelCNNSampleNode
from .save import PaletteSaveNode, SavePixelArtNode, SaveSpriteSheetNode
from .sheets import LoadPixelArtNode, PackSheetNode, SliceSheetNode
from .tiling import AutotileNode, SeamlessTileNode
from .video import PixelateVideoNode
from .vq import RecolorNode, VQDecodeNode, VQEncodeNode
from .walk import LatentWalkNode

NODES: tuple[type[io.ComfyNode], ...] = (
    LoadPixelModel,
    PixelateNode,
    DepixelateNode,
    PixelateVideoNode,
    PaletteNode,
    PaletteLoadNode,
    PaletteFromImageNode,
    PaletteApplyNode,
    PaletteSwapNode,
    PaletteEditNode,
    PaletteRampNode,
    PaletteCycleNode,
    ColorViewNode,
    PaletteSaveNode,
    SnapToGridNode,
    DownscaleNode,
    UpscaleNode,
    CleanUpNode,
    InspectNode,
    VQEncodeNode,
    VQDecodeNode,
    RecolorNode,
    CodeEditNode,
    CodesLoadNode,
    CodesSaveNode,
    PixelCNNSampleNode,
    PixelCNNCompleteNode,
    DCGANSampleNode,
    VAESampleNode,
    LatentWalkNode,
    FuseSpritesNode,
    LoadPixelArtNode,
    SliceSheetNode,
    PackSheetNode,
    SeamlessTileNode,
    AutotileNode,
    AnimateSpriteNode,
    ColorCyclingNode,
    FramesToAnimationNode,
    OnionSkinNode,
    DedupeFramesNode,
    SavePixelArtNode,
    SaveSpriteSheetNode,
)
"""Every node, in the order in which the README lists them."""


class PixelKiln(ComfyExtension):
    """What ComfyUI loads: the list of nodes."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """Every node class of the pack."""
        return list(NODES)


async def comfy_entrypoint() -> PixelKiln:
    """Called by ComfyUI once, when it loads the pack; makes the model folders known."""
    register_model_folders()
    return PixelKiln()

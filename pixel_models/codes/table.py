"""Every code's patch, as decoding needs it: straight colours, hard alpha."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..archs.vqvae import VQVAE
from ..checkpoint import LoadedModel
from ..color import srgb_to_oklab
from ..errors import CodesError, ModelKindError
from ..palette import Palette
from ..spec import Purpose


@dataclass(frozen=True, eq=False)
class CodeTable:
    """What each of a model's k codes looks like, on the CPU."""

    rgb: Tensor
    """`k 3 p p`, float32 in [0, 1]; pixels that are transparent have the mean colour of those that are not."""

    opaque: Tensor
    """`k p p`, bool; of models without alpha all of them."""

    clear: Tensor
    """`k`, bool: no pixel of the patch is opaque."""

    colors: Tensor
    """`k 3`, float32 in [0, 1]: the mean colour of each patch's opaque pixels, black where it has none."""

    patch: int
    """Pixels a side, p."""

    def __len__(self) -> int:
        """Number of codes, k."""
        return len(self.rgb)


def network_of(model: LoadedModel) -> VQVAE:
    """The VQ-VAE that a model is.

    Raises:
        ModelKindError: it is none.
    """
    module = model.require(Purpose.ENCODE).module
    if not isinstance(module, VQVAE):
        msg = f"a VQ-VAE is needed to make codes, and this model is a {model.spec.id}"
        raise ModelKindError(msg)
    return module


def table_of(model: LoadedModel) -> CodeTable:
    """The patches of a model's codes; computed once for the last few models.

    Raises:
        ModelKindError: the model makes no codes.
    """
    return _table(network_of(model))


@functools.lru_cache(maxsize=8)
def _table(network: nn.Module) -> CodeTable:
    """By identity: a loaded model's weights never change."""
    assert isinstance(network, VQVAE)
    k, patch = network.config.codes, network.config.patch
    with torch.no_grad():  # side by side: a batch of single codes is slower by half
        line = network.decode(torch.arange(k, device=network.vq_vae.codebook.device).view(1, 1, k)).float().cpu()
    patches = line.view(-1, patch, k, patch).permute(2, 0, 1, 3)  # k c p p
    rgb = patches[:, :3].clone()
    opaque = torch.ones_like(rgb[:, 0], dtype=torch.bool)
    if network.config.channels == 4:
        alpha = patches[:, 3:]
        opaque = alpha[:, 0] >= 0.5
        rgb = (rgb / alpha.clamp_min(0.5)).clamp(0, 1)
    seen = opaque[:, None].float()  # k 1 p p
    colors = (rgb * seen).sum((2, 3)) / seen.sum((2, 3)).clamp_min(1)  # k 3
    rgb = torch.where(opaque[:, None], rgb, colors[:, :, None, None])
    return CodeTable(rgb, opaque, ~opaque.flatten(1).any(1), colors, network.config.patch)


def clear_codes(model: LoadedModel) -> Tensor:
    """Codes whose patch is wholly transparent: `k`, bool.

    Raises:
        ModelKindError: the model makes no codes.
    """
    return table_of(model).clear.clone()


def nearest_codes(model: LoadedModel, colors: Palette) -> list[int]:
    """The code for each of some flat colours: that whose patch differs least from it.

    Args:
        model: makes the codes.
        colors: n colours.

    Returns:
        n codes, by the mean square of the distances in Oklab; wholly opaque ones, if the model has any, else those of
        which something shows. Of equally near ones the first.

    Raises:
        ModelKindError: the model makes no codes.
        CodesError: all of its codes are transparent.
    """
    table = table_of(model)
    whole = table.opaque.flatten(1).all(1)
    choice = (whole if bool(whole.any()) else ~table.clear).nonzero()[:, 0]
    if not len(choice):
        msg = f"all {len(table)} codes of this model are transparent, so none of them has a colour; take another model"
        raise CodesError(msg)
    lab = srgb_to_oklab(table.rgb[choice].double()).flatten(2)  # n 3 pp
    wanted = srgb_to_oklab(colors.colors.double() / 255)  # m 3
    away = torch.stack([(lab - one[:, None]).square().sum(1).mean(1) for one in wanted])  # m n
    return choice[away.argmin(1)].tolist()

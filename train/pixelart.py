"""A measure made for pixel art: how well a picture keeps a sprite's colours, cells, lines and details.

Squared error and SSIM ask how near the numbers are. In pixel art a pixel is placed: a blur that no number minds spoils
a sprite, and the same drawing in other colours, which squared error punishes, is good pixel art. Five questions are
asked, each answered by a number in [0, 1]; the score is their geometric mean, unweighted.

`palette`  does it get by with as many colours, of the same tones, over the same areas?
`cells`    do the same pixels share a colour? (mutual information of the two pictures' colours)
`edges`    are borders between neighbours where they were, as strong as they were, and nowhere else?
`clean`    are lone pixels, blends and half transparent pixels only where the sprite has them?
`shape`    are light, dark and the silhouette in place, a pixel's distance forgiven?
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from pixel_models.color import srgb_to_oklab
from pixel_models.errors import ShapeError
from pixel_models.image import from_uint8, to_uint8

JND = 0.02
"""Oklab distance that is just seen (CSS Color 4, section 13.2)."""

FAR = 0.1
"""Oklab distance, five times as much, at which a colour or a lightness is half lost."""

HARD = 0.3
"""Oklab distance of two neighbours from which on their border counts in full: an outline, a silhouette."""

SOFT = (0.02, 0.98)
"""Alpha strictly between these is half transparent."""

NOTHING = 2.0
"""Light of what is transparent, in the place of Oklab's lightness: farther from every colour than they are apart."""

HALF_WRONG = 0.5
"""Share of pixels at which cleanness is half lost."""

EDGE = 0.2
"""Oklab distance from which on two colours side by side are an edge that may be blended."""

BLEND = 1.1
"""A colour is a blend of two others where going through it is at most this much longer than going straight."""

_AROUND = ((0, 1), (1, 0), (1, 1), (1, -1), (0, -1), (-1, 0), (-1, -1), (-1, 1))


@dataclass(frozen=True, kw_only=True)
class PixelArtScore:
    """One picture's score and its parts, all in [0, 1]; 1 for the sprite itself."""

    palette: float
    cells: float
    edges: float
    clean: float
    shape: float

    @property
    def score(self) -> float:
        """The geometric mean of the parts."""
        values = list(dataclasses.asdict(self).values())
        return math.prod(values) ** (1 / len(values))

    def to_dict(self) -> dict[str, float]:
        """The score, then its parts."""
        return {"score": self.score, **dataclasses.asdict(self)}


def pixel_art_scores(made: Tensor, reference: Tensor, where: Tensor | None = None) -> list[PixelArtScore]:
    """How well pictures keep the pixel art they were made from.

    Args:
        made: `b 4 h w`, float in [0, 1], straight alpha, at native size (a pixel a cell).
        reference: the same shape: true pixel art.
        where: `b 1 h w`, bool, the pixels that are asked; None: what either shows, and a pixel around it. Give it for
            pictures without alpha, whose ground would answer for the sprite.

    Returns:
        A score for each picture.

    Raises:
        ShapeError: another shape.
    """
    if made.shape != reference.shape or made.ndim != 4 or made.shape[1] != 4:
        msg = f"expected two pictures `b 4 h w` of one shape, got {tuple(made.shape)} and {tuple(reference.shape)}"
        raise ShapeError(msg)
    scores = []
    for index in range(len(made)):
        one, two = (_View.of(x[index : index + 1].float().clamp(0, 1)) for x in (made, reference))
        asked = one.opaque | two.opaque if where is None else where[index : index + 1, 0].bool()
        if where is None:
            asked = F.max_pool2d(asked.float()[:, None], 3, 1, 1)[:, 0] > 0
        scores.append(_compare(one, two, asked))
    return scores


@dataclass(frozen=True, eq=False)
class _View:
    """A picture as the parts want it; `h w` each with a batch of one before."""

    opaque: Tensor
    """`1 h w`, bool."""
    soft: Tensor
    """`1 h w`, bool: half transparent."""
    lab: Tensor
    """`1 3 h w`, Oklab; of what is transparent 0."""
    color: Tensor
    """`1 h w`, int64: which distinct 8-bit colour, 0 for nothing, the others from 1 on."""
    colors: Tensor
    """`k 3`, Oklab of the distinct colours but nothing's."""

    @staticmethod
    def of(rgba: Tensor) -> _View:
        opaque = rgba[:, 3] >= 0.5
        byte = to_uint8(rgba[:, :3]).long()
        key = torch.where(opaque, (byte[:, 0] * 256 + byte[:, 1]) * 256 + byte[:, 2], -1)
        distinct, color = torch.cat([key.new_tensor([-1]), key.flatten()]).unique(return_inverse=True)
        rgb = torch.stack([distinct[1:] // 65536, distinct[1:] // 256 % 256, distinct[1:] % 256], dim=1).to(torch.uint8)
        rgb = rgb if len(rgb) else rgb.new_zeros(1, 3)
        lab = srgb_to_oklab(rgba[:, :3]) * opaque[:, None]
        soft = (rgba[:, 3] > SOFT[0]) & (rgba[:, 3] < SOFT[1])
        colors = srgb_to_oklab(from_uint8(rgb), dim=1)
        return _View(opaque, soft, lab, color[1:].view_as(key), colors)


def _compare(made: _View, reference: _View, asked: Tensor) -> PixelArtScore:
    return PixelArtScore(
        palette=_palette(made, reference, asked),
        cells=_cells(made.color[asked], reference.color[asked]),
        edges=_edges(made, reference, asked),
        clean=_clean(made, reference, asked),
        shape=_shape(made, reference, asked),
    )


def _palette(made: _View, reference: _View, asked: Tensor) -> float:
    """Geometric mean of: as many colours, near colours, and equal areas of the reference's colours."""
    ours, theirs = made.color[asked & made.opaque], reference.color[asked & reference.opaque]
    if not len(ours) or not len(theirs):
        return float(len(ours) == len(theirs))
    few, many = sorted((math.exp(_entropy(ours)), math.exp(_entropy(theirs))))
    apart = torch.cdist(made.colors, reference.colors)  # k l
    nearest, which = apart.min(dim=1)
    away = 0.5 * (float(nearest[ours - 1].mean()) + float(apart.amin(dim=0)[theirs - 1].mean()))
    size = len(reference.colors)
    areas = [torch.bincount(x, minlength=size) / len(x) for x in (which[ours - 1], theirs - 1)]
    common = float(torch.minimum(*areas).sum())
    return (few / many * _nearness(away) * common) ** (1 / 3)


def _cells(made: Tensor, reference: Tensor) -> float:
    """Mutual information of the colours of `n` pixels, as a share of the larger entropy."""
    both = _entropy(made * (int(reference.max()) + 1) + reference) if len(made) else 0.0
    one, two = _entropy(made), _entropy(reference)
    return min(1.0, max(0.0, (one + two - both) / max(one, two))) if max(one, two) > 0 else 1.0


def _edges(made: _View, reference: _View, asked: Tensor) -> float:
    """F1 of the borders' strengths: of two neighbours, how much of their contrast is in both pictures."""
    shared, ours, theirs = 0.0, 0.0, 0.0
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        one, two = (_contrast(view, down, right) for view in (made, reference))
        near = _beside(asked, down, right)
        counts = near[0] | near[1]
        shared += float(torch.minimum(one, two)[counts].sum())
        ours, theirs = ours + float(one[counts].sum()), theirs + float(two[counts].sum())
    return 2 * shared / (ours + theirs) if ours + theirs > 0 else 1.0


def _contrast(view: _View, down: int, right: int) -> Tensor:
    """How strong the border to the neighbour is, 0 to 1: seen at all, then growing up to a hard one."""
    here, there = _beside(view.lab, down, right)
    distance = (here - there).norm(dim=1)
    strength = ((distance - JND) / (HARD - JND)).clamp(0, 1).sqrt()  # a faint border is a border too
    solid, other = _beside(view.opaque, down, right)
    return torch.where(solid != other, 1.0, torch.where(solid & other, strength, 0.0))


def _beside(x: Tensor, down: int, right: int) -> tuple[Tensor, Tensor]:
    """Every pixel of `... h w` and its neighbour, where both are in the picture."""
    height, width = x.shape[-2:]
    left, back = max(0, -right), max(0, right)
    here = x[..., : height - down, left : width - back]
    return here, x[..., down:, left + right : width - back + right]


def _clean(made: _View, reference: _View, asked: Tensor) -> float:
    """What share of the pixels are lone, blended or half transparent where the reference's are not, or the reverse."""
    shown = (made.opaque | reference.opaque) & asked
    if not bool(shown.any()):
        return 1.0
    ours, theirs = ((_lone(v), _blended(v), v.soft) for v in (made, reference))
    wrong = torch.stack([one != two for one, two in zip(ours, theirs, strict=True)]).any(dim=0)
    return 2 ** -(float(wrong[shown].float().mean()) / HALF_WRONG)


def _lone(view: _View) -> Tensor:
    """Opaque pixels that are seen to differ from all of their eight neighbours: `1 h w`, bool."""
    apart = torch.stack([_apart(view, y, x) for y, x in _AROUND])
    return view.opaque & (apart.amin(dim=0) > JND)


def _blended(view: _View) -> Tensor:
    """Opaque pixels between two that face each other across an edge, and whose colours they mix: `1 h w`, bool.

    Going from one to the other by way of such a pixel is hardly longer than going straight, and it is not one of them.
    """
    found = torch.zeros_like(view.opaque)
    for y, x in _AROUND[:4]:
        one, other = _apart(view, y, x), _apart(view, -y, -x)
        ahead, behind = (_moved(view.lab, *step) for step in ((y, x), (-y, -x)))
        straight = (ahead - behind).norm(dim=1)
        found |= (one + other < BLEND * straight) & (straight > EDGE) & (torch.minimum(one, other) > JND)
    return found & view.opaque


def _apart(view: _View, down: int, right: int) -> Tensor:
    """Oklab distance of each pixel to a neighbour, infinite where that is transparent: `1 h w`."""
    distance = (view.lab - _moved(view.lab, down, right)).norm(dim=1)
    return distance.masked_fill(~_moved(view.opaque[:, None].float(), down, right)[:, 0].bool(), torch.inf)


def _moved(x: Tensor, down: int, right: int) -> Tensor:
    """The neighbour of each pixel of `1 c h w`, 0 beyond the border."""
    height, width = x.shape[2:]
    return F.pad(x, (1, 1, 1, 1))[..., 1 + down : 1 + down + height, 1 + right : 1 + right + width]


def _shape(made: _View, reference: _View, asked: Tensor) -> float:
    """How near the lightness around each pixel is, at the best of nine places, both ways."""
    one, two = (torch.where(v.opaque, v.lab[:, 0], NOTHING)[:, None] for v in (made, reference))
    found = []
    for here, there in ((one, two), (two, one)):
        padded = F.pad(there, (1, 1, 1, 1), value=NOTHING)
        height, width = here.shape[2:]
        errors = [
            F.avg_pool2d((here - padded[..., y : y + height, x : x + width]).abs().clamp_max(1), 3, 1, 1)
            + (0 if (y, x) == (1, 1) else JND)
            for y in range(3)
            for x in range(3)
        ]
        best = torch.stack(errors).amin(dim=0)[:, 0]
        found.append(torch.exp2(-best[asked] / FAR).mean() if bool(asked.any()) else torch.ones(()))
    return float(torch.stack(found).mean())


def _nearness(distance: float) -> float:
    """1 at no distance, a half at `FAR`."""
    return 2 ** (-distance / FAR)


def _entropy(values: Tensor) -> float:
    """Of whole numbers, in nats."""
    if not len(values):
        return 0.0
    share = values.unique(return_counts=True)[1].double() / len(values)
    return float(-(share * share.log()).sum())

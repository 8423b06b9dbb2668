"""Finds how many cells a picture was resampled from: the number from whose samples it can be made again.

A picture that was enlarged straight from native size, smoothly or not, follows from the values at its cells' centres
(the idea behind the detectors of resampling: Gallagher 2005, Popescu and Farid 2005). With one cell more or less the
centres run out of step and it does not, so that the misfit has a dip one cell wide; in a photo it changes slowly.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from .profile import Floats

_ROWS = 24
_POINTS = 192
_FEWEST = 6
_WIDEST = 48.0
_NARROWEST = 2.4
_CHANNELS = (0.3, 0.6, 0.25, 0.4)
"""Weights of red, green, blue and alpha: one signal in which all of them show."""
_DEEP = 0.65
"""Misfit, against that with one cell more or less, from which down a dip is one."""
_CLOSE = 0.22
"""Misfit, against the picture's own contrast, up to which so few cells are enough."""
_SHALLOWER = 0.25
_WHOLE = 0.02
_NEARBY = 0.06
_FLAT = 1e-4
"""Misfit that is 8-bit rounding, in squared sRGB: nothing is below it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fit:
    """How many cells an axis has, by making it again from so many."""

    cells: int
    dip: float
    """Misfit against that with one cell more or less, 0 (a proof) to 1 (nothing to see)."""
    smooth: bool
    """Whether a smooth filter explains the picture better than sharp cells do."""


def refit(picture: Tensor, near: tuple[int, int] | None = None) -> tuple[Fit, Fit] | None:
    """The numbers of columns and rows that a whole, uncropped picture was resampled from.

    Args:
        picture: `b 3 h w` or `b 4 h w`, floating point in [0, 1].
        near: look at these numbers and a few about them only, which is fast.

    Returns:
        None where an axis is too short to ask.
    """
    x = picture.float().clamp(0, 1)
    if x.shape[1] == 4:
        x = x * x[:, 3:].expand(-1, 4, -1, -1).clone().index_fill_(1, x.new_tensor([3]).long(), 1.0)
    grey = sum(weight * x[:, i] for i, weight in zip(range(x.shape[1]), _CHANNELS, strict=False))
    assert isinstance(grey, Tensor)
    parts = zip((grey, grey.transpose(1, 2)), near or (None, None), strict=True)
    fits = [_fit(_signals(part), cells) for part, cells in parts]
    return (fits[0], fits[1]) if fits[0] is not None and fits[1] is not None else None


def _signals(grey: Tensor) -> Floats:
    """`w n`: the liveliest row of each band of rows."""
    rows = grey.reshape(-1, grey.shape[2])
    life = rows.diff(dim=1).square().sum(dim=1).cpu().numpy()
    bands = np.array_split(np.arange(len(life)), min(_ROWS, len(life)))
    chosen = [int(band[life[band].argmax()]) for band in bands]
    return np.ascontiguousarray(rows[chosen].cpu().numpy().astype(np.float32).T)


def _fit(signals: Floats, near: int | None) -> Fit | None:
    length = len(signals)
    fewest, most = max(_FEWEST, int(length / _WIDEST)), int(length / _NARROWEST)
    if near is not None:
        spread = max(1, round(near * _NEARBY))
        fewest, most = max(fewest, near - spread), min(most, near + spread)
    if most < fewest:
        return None
    counts = np.arange(fewest - 1, most + 2)
    points = np.unique(np.linspace(0, length - 1, min(_POINTS, length)).round().astype(int))
    misfits = np.array([_misfits(signals, points, int(count)) for count in counts]) + _FLAT / 16  # n 4
    beside = np.minimum(misfits[:-2], misfits[2:])
    dips = np.sqrt(misfits[1:-1] / beside)  # n-2 4
    depth = dips.min(axis=1)
    close = misfits[1:-1].min(axis=1) <= _CLOSE**2 * float(signals.var())
    good = np.flatnonzero((depth <= _DEEP) & close)
    best = int(depth.argmin())
    parts = counts[best + 1] / counts[good + 1]  # centres of odd numbers of parts are centres of the whole too
    good = good[(np.abs(parts - parts.round()) < _WHOLE * parts) & (depth[good] <= depth[best] + _SHALLOWER)]
    at = int(good[0]) if len(good) else best
    sharp, *smooth = misfits[at + 1]
    return Fit(cells=int(counts[at + 1]), dip=float(depth[at]), smooth=bool(min(smooth) < sharp))


def _misfits(signals: Floats, points: NDArray[np.intp], cells: int) -> list[float]:
    """Mean squared differences when made again from `cells` centres: sharp, linear, cubic (Keys 1981), Lanczos."""
    length = len(signals)
    centre = (np.arange(cells) + 0.5) * (length / cells) - 0.5
    low = np.minimum(centre.astype(int), length - 2)
    part = (centre - low).astype(np.float32)[:, None]
    values = np.pad(signals[low] * (1 - part) + signals[low + 1] * part, ((3, 3), (0, 0)), mode="edge")
    place = (points + 0.5) * (cells / length) + 2.5
    first = place.astype(int)
    t = (place - first).astype(np.float32)[:, None]
    before, here, there, after = (values[first + k] for k in (-1, 0, 1, 2))
    linear = here + (there - here) * t
    bend = t * (1 - t) / 2
    cubic = linear + bend * ((2 * here - before - there) * (1 - t) + (2 * there - here - after) * t)
    away = t - np.arange(-2, 4, dtype=np.float32)  # points 6
    shares = np.sinc(away) * np.sinc(away / 3)
    shares /= shares.sum(axis=1, keepdims=True)
    taps = (values[first - 2], before, here, there, after, values[first + 3])
    lanczos = sum(shares[:, i : i + 1] * tap for i, tap in enumerate(taps))
    seen = signals[points]
    made = (np.where(t < 0.5, here, there), linear, cubic, lanczos)
    return [float(np.square(seen - each).mean()) for each in made]

"""One call of the sampler, checked and laid out: what is to be drawn where, and what has been drawn so far."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..archs.pixelcnn import TO_FILL, Hints, PixelCNN, Steering
from ..errors import CodesError, ModelKindError, ShapeError
from ..sampling import StepCallback
from .choice import Choice, Floats, draw

OnRow = Callable[[Tensor, int], None]
"""Called with the codes so far, `b c h w`, and how many rows are done."""


class Job:
    """Codes `h w b*c` and all that decides them; a place is drawn by `place`, whichever way made its logits."""

    def __init__(
        self,
        network: PixelCNN,
        start: Tensor,
        uniforms: Tensor,
        labels: Tensor | None,
        hints: Hints | None,
        choice: Choice,
        allowed: Tensor | None,
        callback: StepCallback | None,
        on_row: OnRow | None,
    ) -> None:
        """Check; see `sample_codes` for what each is and for the errors."""
        _check(network, start, uniforms, hints, allowed)
        self.network, self.choice = network, choice
        self.batch, self.channels, self.height, self.width = start.shape
        self.twins = 1 + (choice.guidance != 1 and labels is not None and bool((labels != 0).any()))
        """2: every picture's features are computed a second time without labels, after all those with them."""
        self.steering = self._steer(start, labels, hints)
        self.codes = _by_place(start.cpu().numpy())
        """`h w b*c`, int64, filled in as drawing goes on; `TO_FILL` where nothing stands yet."""
        self.empty: NDArray[np.bool_] = self.codes == TO_FILL
        """`h w b*c`: what is to be drawn."""
        self.wanted: NDArray[np.bool_] = np.asarray(self.empty.any(2))
        """`h w`: where anything is."""
        self._all_empty = np.asarray(self.empty.all(2))
        self.uniforms: Floats = _by_place(uniforms.cpu().double().numpy())
        """`h w b*c`."""
        self.allowed = None if allowed is None else np.ascontiguousarray(allowed.cpu().numpy().transpose(1, 2, 0, 3))
        """`h w b codes`."""
        self._callback, self._on_row = callback, on_row
        self._steps, self._total = 0, int(self.wanted.sum())

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.network.conv_out.weight.device

    @property
    def last_row(self) -> int:
        """The last row in which anything is drawn; -1: nothing is."""
        rows = np.flatnonzero(self.wanted.any(1))
        return int(rows[-1]) if len(rows) else -1

    def ends(self, row: int) -> int:
        """How many columns of a row have to be seen: up to the last in which anything is drawn."""
        columns = np.flatnonzero(self.wanted[row])
        return int(columns[-1]) + 1 if len(columns) else 0

    def place(self, row: int, column: int, logits: Floats) -> None:
        """Draw a place's codes where none are given.

        Args:
            row: of the place.
            column: of the place.
            logits: `t*b c codes`, float64; overwritten.
        """
        if self.twins == 2:
            logits, without = logits[: self.batch], logits[self.batch :]
            logits = without + self.choice.guidance * (logits - without)
        allowed = None if self.allowed is None else self.allowed[row, column]
        rows = logits.reshape(-1, logits.shape[2])
        self.put(row, column, draw(rows, self.uniforms[row, column], self.choice, allowed))

    def put(self, row: int, column: int, drawn: NDArray[np.integer]) -> None:
        """Keep codes `b*c` that were drawn for a place, where none are given, and tell of the step."""
        codes = self.codes[row, column]
        if self._all_empty[row, column]:
            codes[:] = drawn
        else:
            np.copyto(codes, drawn, where=self.empty[row, column])
        self.step()

    def step(self) -> None:
        """Tell of one more place that is done."""
        self._steps += 1
        if self._callback is not None:
            self._callback(self._steps, self._total)

    def row_done(self, row: int) -> None:
        """Tell of a row that is done."""
        if self._on_row is not None:
            self._on_row(self.result(), row + 1)

    def result(self) -> Tensor:
        """The codes so far, `b c h w`, int64, on the CPU."""
        by_picture = self.codes.reshape(self.height, self.width, self.batch, self.channels).transpose(2, 3, 0, 1)
        return torch.from_numpy(np.ascontiguousarray(by_picture))

    def _steer(self, start: Tensor, labels: Tensor | None, hints: Hints | None) -> list[Steering]:
        """One a layer, of `t*b` pictures; it depends on no code that is drawn."""
        like = start.to(self.device)
        labels = None if labels is None else labels.to(self.device)
        hints = None if hints is None else hints.each(lambda part: part.to(self.device))
        if self.twins == 2:
            assert labels is not None
            like, labels = torch.cat([like, like]), torch.cat([labels, torch.zeros_like(labels)])
            hints = None if hints is None else hints.each(lambda part: torch.cat([part, part]))
        return self.network.steer(labels, hints, like)


def _by_place(values: NDArray) -> NDArray:  # pyright: ignore[reportMissingTypeArgument]  int64 or float64
    """`b c h w` to `h w b*c`, a copy."""
    b, c, height, width = values.shape
    return values.transpose(2, 3, 0, 1).reshape(height, width, b * c).copy()


def _check(network: PixelCNN, start: Tensor, uniforms: Tensor, hints: Hints | None, allowed: Tensor | None) -> None:
    config = network.config
    if config.translate:
        msg = "this model translates whole pictures: every place sees its own code, so nothing can be drawn in order"
        raise ModelKindError(f"{msg}; call the network once and take the likeliest codes")
    if start.ndim != 4 or start.shape[1] != config.channels or start.dtype != torch.int64 or not start[:1].numel():
        msg = f"expected codes to start from, `b {config.channels} h w`, int64, got {start.dtype} {tuple(start.shape)}"
        raise ShapeError(msg)
    if int(start.min()) < TO_FILL or int(start.max()) >= config.codes:
        msg = f"codes to start from are {int(start.min())} to {int(start.max())}"
        raise CodesError(f"{msg}, expected 0 to {config.codes - 1}, or {TO_FILL} where one is to be drawn")
    if uniforms.shape != start.shape:
        msg = f"uniforms are {tuple(uniforms.shape)}, expected {tuple(start.shape)} as the codes; use uniforms_of"
        raise ShapeError(msg)
    if not bool(((uniforms >= 0) & (uniforms < 1)).all()):
        msg = "uniforms are not all from 0 to below 1; use uniforms_of"
        raise CodesError(msg)
    b, c, height, width = start.shape
    if hints is not None and any(part.shape != (b, height, width) for part in hints[:2]):
        shapes = " and ".join(str(tuple(part.shape)) for part in hints[:2])
        msg = f"hints are {shapes}, expected {(b, height, width)} each: pictures, rows, columns"
        raise ShapeError(msg)
    if hints is not None and hints.palette is not None and hints.palette.shape != (b, config.codes):
        msg = f"the hints' palette is {tuple(hints.palette.shape)}, expected {(b, config.codes)}: pictures, codes"
        raise ShapeError(msg)
    if allowed is None:
        return
    if c != 1 or allowed.shape != (b, height, width, config.codes) or allowed.dtype != torch.bool:
        msg = f"allowed is {allowed.dtype} {tuple(allowed.shape)}"
        raise ShapeError(f"{msg}, expected bool {(b, height, width, config.codes)}, and a model of 1 channel")
    if bool(((start[:, 0] == TO_FILL) & ~allowed.any(3).to(start.device)).any()):
        msg = "allowed has places where a code is to be drawn and none may be; allow at least one at each"
        raise CodesError(msg)

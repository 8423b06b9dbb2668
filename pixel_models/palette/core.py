"""`Palette`: an ordered list of 8-bit sRGB colours."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import torch
from torch import Tensor

from ..errors import PaletteError

_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


@dataclasses.dataclass(frozen=True, eq=False)
class Palette:
    """Ordered colours with a name; at least one, no upper limit. Equal when colours and order are equal."""

    colors: Tensor
    """`k 3`, uint8, sRGB; kept on the CPU."""

    name: str = ""
    """What to call it; empty for an extracted palette."""

    def __post_init__(self) -> None:
        """Check the colours and take a copy of them.

        Raises:
            PaletteError: the colours are not `k 3`, uint8, with k of at least 1.
        """
        colors = self.colors
        if not isinstance(colors, Tensor) or colors.dtype != torch.uint8 or colors.ndim != 2 or colors.shape[1] != 3:
            got = f"{colors.dtype} {tuple(colors.shape)}" if isinstance(colors, Tensor) else type(colors).__name__
            msg = f"a palette's colours are a uint8 tensor `k 3`, got {got}; for text use Palette.from_hex"
            raise PaletteError(msg)
        if len(colors) == 0:
            msg = "a palette needs at least one colour, got none"
            raise PaletteError(msg)
        object.__setattr__(self, "colors", colors.detach().to("cpu", copy=True).contiguous())

    @classmethod
    def from_hex(cls, colors: str | Iterable[str], name: str = "") -> Palette:
        """Read hex colours, with or without "#"; the inverse of `to_hex`.

        Args:
            colors: a list such as `["#1a1c2c", "fff"]`, or one text with commas, blanks or lines between them.
            name: what to call the palette.

        Raises:
            PaletteError: no colour, or one that is not 3 or 6 hex digits.
        """
        words = colors.replace(",", " ").replace(";", " ").split() if isinstance(colors, str) else list(colors)
        if not words:
            msg = "a palette needs at least one colour, got an empty text; expected hex colours such as #1a1c2c"
            raise PaletteError(msg)
        return cls(torch.tensor([_parse_hex(word) for word in words], dtype=torch.uint8), name)

    def to_hex(self) -> list[str]:
        """Colours as "#rrggbb", in order; the inverse of `from_hex`."""
        return ["#" + bytes(color).hex() for color in self.colors.tolist()]

    def __len__(self) -> int:
        """Number of colours."""
        return len(self.colors)

    def __eq__(self, other: object) -> bool:
        """Whether the colours and their order are the same; the name does not count."""
        return isinstance(other, Palette) and torch.equal(self.colors, other.colors)

    def __hash__(self) -> int:
        """Hash of the colours, to go with `==`."""
        return hash(self.colors.numpy().tobytes())

    def __repr__(self) -> str:
        """Name and colours, cut short after eight."""
        shown = " ".join(self.to_hex()[:8])
        return f"Palette({self.name!r}, {len(self)} colours: {shown}{' …' if len(self) > 8 else ''})"


def _parse_hex(word: str) -> tuple[int, int, int]:
    digits = str(word).strip().removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    if len(digits) != 6 or not set(digits) <= _HEX_DIGITS:
        msg = f"{word!r} is no colour; expected 3 or 6 hex digits such as #1a1c2c"
        raise PaletteError(msg)
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue

"""Sprites from a prior over codes: new ones, and given ones completed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor

from ..archs.pixelcnn import TO_FILL, PixelCNN
from ..checkpoint import LoadedModel
from ..codes import CodeGrid
from ..codes.table import network_of, table_of
from ..errors import CodesError, ModelKindError, PixelModelError, ShapeError
from ..palette import Palette
from ..registry import SHIPPED
from ..sampling import StepCallback
from ..spec import Purpose
from .choice import Choice
from .drawing import Drawing, Preview, pixels_of, shown_by
from .labels import label_vectors
from .palettes import codes_kept, palette_codes, pick_palettes
from .sampler import uniforms_of

PALETTES: tuple[str, ...] = ("own", "any")
"""Palettes by name. own: of a training sprite with such labels, or of what is kept of the sprite; any: every code."""

MOST_PIXELS = 1024
"""The largest side of a sprite, pixels."""

_TRIES = 4
# Times that a sprite is drawn before it may show nothing.


def prior_of(prior: LoadedModel, coder: LoadedModel) -> PixelCNN:
    """The network of `prior`, if it was trained for the codes of `coder`.

    A prior of a foreign file does not know whose codes it draws; it goes with any VQ-VAE of as many.

    Raises:
        CodesError: it was trained for another VQ-VAE's; names both.
        ModelKindError: `prior` is no prior that draws codes one after another, or `coder` makes no codes.
    """
    module, config = prior.require(Purpose.SAMPLE).module, network_of(coder).config
    if not isinstance(module, PixelCNN) or module.config.translate or module.config.channels != 1:
        msg = f"a prior that draws codes one after another is needed, and this {prior.spec.id} is of another kind"
        raise ModelKindError(f"{msg}; load one such as {_default()}")
    own = module.config
    fits = (own.codes_of, own.patch) == (coder.fingerprint, config.patch) if own.codes_of else True
    if not fits or own.codes != config.codes:
        wanted = coder_name(prior)
        msg = (
            f"this prior draws one of {own.codes} codes of the model {own.codes_of or '(unknown)'}"
            f"{f' ({wanted})' if wanted else ''}, and this one ({coder.spec.id}) has {config.codes} and is "
            f"{coder.fingerprint}; codes mean nothing to another model: load the one that it was trained for"
        )
        raise CodesError(msg)
    return module


def coder_name(prior: LoadedModel) -> str | None:
    """The shipped VQ-VAE that a prior's codes belong to; None: it is none of the shipped ones."""
    codes_of = getattr(prior.config, "codes_of", "")
    found = (entry.name for entry in SHIPPED if codes_of and entry.sha256.startswith(codes_of))
    return next(found, None)


def sample_sprites(
    prior: LoadedModel,
    coder: LoadedModel,
    generator: torch.Generator,
    *,
    labels: Sequence[Sequence[str]] = (),
    count: int = 1,
    height: int = 0,
    width: int = 0,
    palette: Palette | str = "own",
    choice: Choice = Choice(),  # noqa: B008  frozen
    callback: StepCallback | None = None,
    preview: Preview | None = None,
) -> CodeGrid:
    """Draw new sprites; one that shows nothing is drawn again, three times at most.

    Args:
        prior: a PixelCNN over codes.
        coder: the VQ-VAE whose codes they are.
        generator: a CPU generator; the same one gives the same sprites, and of more sprites the first are the same.
        labels: names such as ``creature=dragon``, one list a sprite, again from the first when they end.
        count: sprites, 1 or more.
        height: pixels; 0: as trained. Other sizes work, and look less like what was learned.
        width: pixels, as `height`.
        palette: colours that alone occur, for models of one code a pixel; or one of `PALETTES`. "own" is for networks
            that hold palettes, and "any" for others.
        choice: how codes are drawn.
        callback: called after each place, from the first again for sprites that are drawn again; may raise to cancel.
        preview: called after each row, the first time.

    Returns:
        Codes of `count` sprites.

    Raises:
        CodesError: the prior belongs to another VQ-VAE.
        LabelError: the model has no such label.
        ShapeError: a size or count out of range.
        PixelModelError: given colours for a model of larger patches, or no such palette.
        ModelKindError: `prior` is no prior, or `coder` makes no codes.
    """
    network = prior_of(prior, coder)
    patch = network_of(coder).config.patch
    side = (network.config.size or 16) * patch
    height, width = height or side, width or side
    if not (1 <= height <= MOST_PIXELS and 1 <= width <= MOST_PIXELS and count >= 1):
        msg = f"expected 1 or more sprites of 1 to {MOST_PIXELS} pixels a side, got {count} of {width}x{height}"
        raise ShapeError(msg)
    start = torch.full((count, -(-height // patch), -(-width // patch)), TO_FILL)
    blank = CodeGrid(start.clamp_min(0), network.config.codes, coder.fingerprint, patch, height, width)
    told = label_vectors(network.config, labels, count)
    numbers = uniforms_of(generator, count, (1, 1, 1 + start[0].numel())).flatten(1)  # each sprite has its own
    within, table = _given(coder, palette, count), table_of(coder)
    if within is None and palette == "own" and network.config.palettes:
        within = pick_palettes(network, told, numbers[:, 0])
    job = Drawing(network, table, blank, start, numbers[:, 1:].view(count, 1, *start.shape[1:]), told)
    made = job.drawn(None, within, choice, callback, preview)
    for turn in range(1, _TRIES):  # what shows nothing is no sprite
        empty = table.clear[made.indices].flatten(1).all(1).nonzero()[:, 0]
        if not len(empty):
            break
        dice = [torch.Generator().manual_seed(int(2**53 * numbers[index, 0]) + turn) for index in empty]
        other = torch.cat([uniforms_of(one, 1, (1, start.shape[1], start.shape[2])) for one in dice])
        few = dataclasses.replace(blank, indices=blank.indices[empty])
        again = Drawing(network, table, few, start[empty], other, told[empty])
        drawn = again.drawn(None, None if within is None else within[empty], choice, callback, None)
        made = made.replace(made.indices.index_copy(0, empty, drawn.indices))
    return made


def complete_sprites(
    prior: LoadedModel,
    coder: LoadedModel,
    given: CodeGrid,
    keep: Tensor,
    generator: torch.Generator,
    *,
    opaque: Tensor | None = None,
    labels: Sequence[Sequence[str]] = (),
    palette: Palette | str = "own",
    choice: Choice = Choice(),  # noqa: B008  frozen
    callback: StepCallback | None = None,
    preview: Preview | None = None,
) -> CodeGrid:
    """Draw what is missing of sprites.

    A prior with `context` sees all codes that are kept, wherever they are; the paper's sees those above and to the
    left of a place alone.

    Args:
        prior: a PixelCNN over codes.
        coder: the VQ-VAE that made `given`.
        given: codes of b sprites.
        keep: `b h w`, bool, the codes that stay; see `pixel_models.generate.parts`.
        generator: as for `sample_sprites`.
        opaque: `b height width`, bool: the silhouette of the sprites, which decides what is transparent; codes whose
            own transparency fits best are drawn. None: the codes decide.
        labels: as for `sample_sprites`.
        palette: as for `sample_sprites`; "own" is that of what is kept, for models of one code a pixel, and where
            nothing is kept as there.
        choice: how codes are drawn.
        callback: called after each place; may raise to cancel.
        preview: called after each row.

    Returns:
        Codes of b sprites; those that are kept are as they were.

    Raises:
        CodesError: the prior belongs to another VQ-VAE, or another one made `given`.
        LabelError: the model has no such label.
        ShapeError: `keep` or `opaque` of another shape.
        ModelKindError: `prior` is no prior, or `coder` makes no codes.
    """
    network, table = prior_of(prior, coder), table_of(coder)
    given.require(coder)
    shape, pixels = tuple(given.indices.shape), (len(given), given.height, given.width)
    if keep.dtype != torch.bool or tuple(keep.shape) != shape:
        msg = f"keep is {keep.dtype} {tuple(keep.shape)}, expected bool {shape}, one for each code"
        raise ShapeError(msg)
    if opaque is not None and (opaque.dtype != torch.bool or tuple(opaque.shape) != pixels):
        msg = f"opaque is {opaque.dtype} {tuple(opaque.shape)}, expected bool {pixels}, one for each pixel"
        raise ShapeError(msg)
    start = given.indices.where(keep, TO_FILL)
    told = label_vectors(network.config, labels, len(given))
    clear = given.transparent if opaque is None else ~opaque
    blank = CodeGrid(given.indices, given.codebook_size, coder.fingerprint, given.patch, given.height, given.width)
    numbers = uniforms_of(generator, len(given), (1, 1, 1 + start[0].numel())).flatten(1)
    within = _given(coder, palette, len(given))
    if within is None and palette == "own":
        within = codes_kept(given, keep, table.clear) & (given.patch == 1)
        if network.config.palettes:
            none = ~(keep & ~table.clear[given.indices]).flatten(1).any(1)
            within = torch.where(none[:, None], pick_palettes(network, told, numbers[:, 0]), within)
    job = Drawing(network, table, blank, start, numbers[:, 1:].view(start.shape)[:, None], told)
    made = job.drawn(opaque, within, choice, callback, preview)
    if clear is None:
        return made
    if opaque is None:  # kept pixels stay as they are; the drawn codes say for themselves
        clear = clear.where(pixels_of(keep, given), ~shown_by(made, table))
    return CodeGrid(made.indices, made.codebook_size, made.fingerprint, made.patch, made.height, made.width, clear)


def _given(coder: LoadedModel, palette: Palette | str, count: int) -> Tensor | None:
    """`count codes` bool of given colours; None: they are chosen otherwise."""
    if isinstance(palette, Palette):
        return palette_codes(coder, palette).expand(count, -1)
    if palette not in PALETTES:
        msg = f"palette is {palette!r}, expected a palette, or one of {', '.join(PALETTES)}"
        raise PixelModelError(msg)
    return None


def _default() -> str:
    return next((entry.name for entry in SHIPPED if entry.purpose is Purpose.SAMPLE), "one of python -m train.pixelcnn")

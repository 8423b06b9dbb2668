"""Our recipe of VQ-VAE models, which runs on distinct patches and keeps its codes in use.

A patch's features are its principal components (`axes.PatchAxes`), so near in features is near in the picture: the
codes start from k-means of patches and follow running means of what falls to them (van den Oord et al. 2017, appendix
A.1), a code that wins hardly anything is moved to where the pictures are worst, the encoder learns the components and
the choice, and the decoder, which sees nothing but the codes, runs on these alone. `choice="features"` is the usual
way, in which the encoder finds its own features: slower here, and worse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixel_models.archs.vqvae import VQVAEConfig

from .axes import PatchAxes
from .codebook import dead_codes, kmeans, restart, squares, usage
from .loop import Batch, BatchMaker, StepContext, generator_of
from .papercodes import COMMITMENT, Codes
from .pictures import PictureSet
from .weighted import weighted_forward, weighted_mean

CHOICES: tuple[str, ...] = ("picture", "features")
"""What may decide a patch's code in training."""

_CHOICE = 0.1
"""Weight of the encoder's choice."""

_TABLE = 0.1
"""Weight of the decoder's table."""

_LIVE = 0.05
"""Share of the steps in which batch norm takes its means from the batch; then it keeps them."""

_WARMUP = 0.1
"""Share of the steps without codes, where the encoder chooses."""

_REACH = 4.0
"""Spread of what goes into the last sigmoid at the start: pixel art is full of black, white and nothing."""


@dataclass(frozen=True, kw_only=True)
class CodeSetting:
    """How our recipe goes; shares are of all steps."""

    rate: float = 2e-3
    choice: str = "picture"
    """What decides a patch's code in training: the patch itself (`picture`) or the encoder (`features`)."""

    space: str = "rgb"
    """What near is measured in: one of `SPACES`."""

    settle: float = 0.4
    """At the end, with codes that stay as they are."""

    start_batches: int = 32
    """Batches whose features the codebook starts from."""

    restart_every: int = 25
    """Steps; 0: never."""

    restart_share: float = 0.01
    """A code that wins less than this, of the average, is dead."""


class PatchCodes(Codes):
    """Our recipe; see the head of this file."""

    def __init__(
        self,
        config: VQVAEConfig,
        make_batch: BatchMaker,
        shown: PictureSet,
        setting: CodeSetting,
        steps: int,
        *,
        seed: int = 0,
    ) -> None:
        """Build the network from the seed; batches hold `patches` and `weights`."""
        super().__init__(config, make_batch, shown, seed)
        with torch.no_grad():
            last = self.net.decoder[-2]
            assert isinstance(last, nn.BatchNorm2d)
            last.weight.fill_(_REACH)
        self.setting = setting
        self.start = round(_WARMUP * steps) if setting.choice == "features" else 0
        self.settle = steps - round(setting.settle * steps)
        self.freeze = self.settle if setting.choice == "features" else round(_LIVE * steps)
        self.axes = PatchAxes.of(*self._examples(), config.embedding, setting.space, signed=config.adapter)
        network = [*self.net.encoder.parameters(), *self.net.decoder.parameters()]
        self.optimizers = {"adam": torch.optim.Adam(network, lr=setting.rate, betas=(0.9, 0.99))}

    def rate_factor(self, step: int, steps: int) -> float:
        """Up over a fiftieth of the steps, then down along half a cosine."""
        return min(1.0, (step + 1) / (1 + steps / 50)) * (0.505 + 0.495 * math.cos(math.pi * step / steps))

    def average_decay(self, step: int, steps: int) -> float:
        """An average over the part without restarts alone: a code that moved must not lie half-way."""
        del steps
        done = step - self.settle
        return min(0.998, done / (10 + done)) if done > 0 else 0.0

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:
        """One step of the part that `step` is in."""
        x, weights = batch["patches"], batch["weights"]
        self.net.train()
        self.axes = self.axes.to(x.device)
        if step < self.start:
            return self._without_codes(x, weights, context)
        if step == self.start:
            self._start(context)
        if self.setting.choice == "features":
            return self._follow(x, weights, step, context)
        return self._fit(x, weights, step, context)

    def _without_codes(self, x: Tensor, weights: Tensor, context: StepContext) -> dict[str, Tensor]:
        with context.autocast():
            z = weighted_forward(self.net.encoder, x, weights)
            picture = weighted_forward(self.net.decoder, z, weights)
        mse = weighted_mean((picture.float() - x).square(), weights)
        context.apply(mse, self.optimizers["adam"])
        return {"mse": mse}

    def _examples(self) -> tuple[Tensor, Tensor]:
        """Distinct patches that no step sees, `n c p p`, and how often each is there, `n`."""
        made = [self.make_batch(generator_of(self.seed, "start", turn)) for turn in range(self.setting.start_batches)]
        levels, times = (torch.cat([batch[key] for batch in made]) for key in ("patches", "weights"))
        rows, place = (255 * levels).round().to(torch.uint8).flatten(1).unique(dim=0, return_inverse=True)
        weights = torch.zeros(len(rows)).index_add_(0, place, times)
        return rows.view(-1, *levels.shape[1:]).float() / 255, weights

    @torch.no_grad()
    def _start(self, context: StepContext) -> None:
        """Begin the codebook with k-means of patches, or of their features where the encoder chooses."""
        patches, weights = self._examples()
        patches, weights = patches.to(self.axes.origin.device), weights.to(self.axes.origin.device)
        if self.setting.choice == "features":
            rows = torch.cat(
                [weighted_forward(self.net.encoder, p, p[:, 0, 0, 0], frozen=True) for p in patches.split(4096)]
            ).flatten(1)
        else:
            rows = self.axes.features(patches)
        vectors = kmeans(rows, weights, self.net.config.codes, generator_of(self.seed, "kmeans"))
        count = float(weights.sum()) / self.setting.start_batches / len(vectors)
        self.net.vq_vae.start_from(context.same(vectors), count)

    def _follow(self, x: Tensor, weights: Tensor, step: int, context: StepContext) -> dict[str, Tensor]:
        """The encoder chooses; codes are running means."""
        net, book, frozen = self.net, self.net.vq_vae, step >= self.freeze
        with context.autocast():
            z = weighted_forward(net.encoder, x, weights, frozen=frozen)
        quantized = book(z.float())
        with context.autocast():
            picture = weighted_forward(net.decoder, quantized.values, weights, frozen=frozen)
        error = (picture.float() - x).square().flatten(1).mean(1)
        mse = weighted_mean(error[:, None], weights)
        commitment = weighted_mean((z.float() - book.lookup(quantized.indices).detach()).square(), weights)
        context.apply(mse + COMMITMENT * commitment, self.optimizers["adam"])
        rows, indices = z.detach().float().flatten(1), quantized.indices.flatten()
        mine = (rows, indices, weights, error.detach() * weights)
        rows, indices, weights, errors = (context.gather(t) for t in mine)
        book.update(rows, indices, weights)
        self._restart(rows, errors, step)
        return {"mse": mse, "commitment": commitment, **usage(indices, weights, net.config.codes)}

    def _fit(self, x: Tensor, weights: Tensor, step: int, context: StepContext) -> dict[str, Tensor]:
        """The patch itself chooses; codes are running means, the decoder and the encoder learn from them."""
        net, book, frozen = self.net, self.net.vq_vae, step >= self.freeze
        target = self.axes.features(x)
        near = squares(target, book.codebook)
        least, indices = near.min(1)
        won = book.counts.clamp_min(1e-3 * float(book.counts.mean()))
        with context.autocast():
            z = weighted_forward(net.encoder, x, weights, frozen=frozen).float().flatten(1)
            table = weighted_forward(net.decoder, book.codebook[:, :, None, None], won, frozen=frozen).float()
        error = (table[indices] - x).square().flatten(1).mean(1)
        losses = {"mse": weighted_mean(error[:, None], weights)}
        losses["geometry"] = weighted_mean((z - target).square(), weights)
        if self.axes.complete:  # every code alike, or rare ones would be late; by entropy, or black would stay grey
            patches = self.axes.patches(book.codebook, x.shape[1:])
            losses["table"] = _TABLE * F.binary_cross_entropy(table.clamp(0, 1), patches)
        found = squares(z, book.codebook)
        if frozen:  # the choice as that of a mixture of Gaussians as wide as what lies about the codes
            width = (2 * weighted_mean(least[:, None], weights) / z.shape[1]).clamp_min(1e-8)
            wanted, given = F.softmax(-near / width, 1), F.log_softmax(-found / width, 1)
            losses["choice"] = _CHOICE * weighted_mean(-(wanted * given).sum(1, keepdim=True), weights)
        context.apply(torch.stack(list(losses.values())).sum(), self.optimizers["adam"])
        agreed = weighted_mean((found.argmin(1) == indices)[:, None].float(), weights)
        rows, indices, weights, errors = (
            context.gather(t) for t in (target, indices, weights, error.detach() * weights)
        )
        if step < self.settle:
            book.update(rows, indices, weights)
        self._restart(rows, errors, step)
        return {**losses, "agreed": agreed, **usage(indices, weights, net.config.codes)}

    def _restart(self, rows: Tensor, errors: Tensor, step: int) -> None:
        setting, book = self.setting, self.net.vq_vae
        if setting.restart_every and step < self.settle and (step + 1) % setting.restart_every == 0:
            dead = dead_codes(book.counts, setting.restart_share)
            restart(book, dead, rows, errors, generator_of(self.seed, "restart", step))

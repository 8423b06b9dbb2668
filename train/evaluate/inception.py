"""Inception v3 as the Fréchet Inception distance uses it, up to the 2048 pooled features; weights come from the user.

Szegedy et al., "Rethinking the Inception Architecture", 2016, https://arxiv.org/abs/1512.00567. The weights of 2015
that FID was defined with are TensorFlow's; the PyTorch port that everybody uses (`pt_inception-2015-12-05`, 1008
classes) differs from torchvision's network in its poolings, which `fid=True` has.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixel_models.errors import CheckpointError
from pixel_models.legacy import read_foreign

SIDE = 299
"""Pixels a side of what the network has learned from; pictures are resampled to it."""

WIDTH = 2048
"""Features of a picture."""

_FID_CLASSES = 1008


class _Conv(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(
        self, source: int, width: int, size: int | tuple[int, int], stride: int = 1, pad: int | tuple[int, int] = 0
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(source, width, size, stride, pad, bias=False)
        self.bn = nn.BatchNorm2d(width, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class _Block(nn.Module):
    """Branches side by side: each a chain of convolutions by name, the last one behind a pooling or without one."""

    def __init__(self, pool: str, counted: bool = True) -> None:
        super().__init__()
        self.pool, self.counted = pool, counted

    def pooled(self, x: Tensor) -> Tensor:
        if self.pool == "max":
            return F.max_pool2d(x, 3, 1, 1)
        return F.avg_pool2d(x, 3, 1, 1, count_include_pad=self.counted)


class _A(_Block):
    def __init__(self, source: int, width: int, counted: bool) -> None:
        super().__init__("mean", counted)
        self.branch1x1 = _Conv(source, 64, 1)
        self.branch5x5_1, self.branch5x5_2 = _Conv(source, 48, 1), _Conv(48, 64, 5, pad=2)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = _Conv(source, 64, 1), _Conv(64, 96, 3, pad=1)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, pad=1)
        self.branch_pool = _Conv(source, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        five = self.branch5x5_2(self.branch5x5_1(x))
        return torch.cat([self.branch1x1(x), five, double, self.branch_pool(self.pooled(x))], 1)


class _B(nn.Module):
    def __init__(self, source: int) -> None:
        super().__init__()
        self.branch3x3 = _Conv(source, 384, 3, 2)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = _Conv(source, 64, 1), _Conv(64, 96, 3, pad=1)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, F.max_pool2d(x, 3, 2)], 1)


class _C(_Block):
    def __init__(self, w: int, counted: bool) -> None:
        super().__init__("mean", counted)
        across, down = ((1, 7), (0, 3)), ((7, 1), (3, 0))
        self.branch1x1 = _Conv(768, 192, 1)
        self.branch7x7_1, self.branch7x7_2 = _Conv(768, w, 1), _Conv(w, w, across[0], pad=across[1])
        self.branch7x7_3 = _Conv(w, 192, down[0], pad=down[1])
        self.branch7x7dbl_1, self.branch7x7dbl_2 = _Conv(768, w, 1), _Conv(w, w, down[0], pad=down[1])
        self.branch7x7dbl_3 = _Conv(w, w, across[0], pad=across[1])
        self.branch7x7dbl_4 = _Conv(w, w, down[0], pad=down[1])
        self.branch7x7dbl_5 = _Conv(w, 192, across[0], pad=across[1])
        self.branch_pool = _Conv(768, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(self.pooled(x))], 1)


class _D(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.branch3x3_1, self.branch3x3_2 = _Conv(768, 192, 1), _Conv(192, 320, 3, 2)
        self.branch7x7x3_1, self.branch7x7x3_2 = _Conv(768, 192, 1), _Conv(192, 192, (1, 7), pad=(0, 3))
        self.branch7x7x3_3, self.branch7x7x3_4 = _Conv(192, 192, (7, 1), pad=(3, 0)), _Conv(192, 192, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3_2(self.branch3x3_1(x))
        seven = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([three, seven, F.max_pool2d(x, 3, 2)], 1)


class _E(_Block):
    def __init__(self, source: int, pool: str, counted: bool) -> None:
        super().__init__(pool, counted)
        self.branch1x1 = _Conv(source, 320, 1)
        self.branch3x3_1 = _Conv(source, 384, 1)
        self.branch3x3_2a, self.branch3x3_2b = _Conv(384, 384, (1, 3), pad=(0, 1)), _Conv(384, 384, (3, 1), pad=(1, 0))
        self.branch3x3dbl_1, self.branch3x3dbl_2 = _Conv(source, 448, 1), _Conv(448, 384, 3, pad=1)
        self.branch3x3dbl_3a = _Conv(384, 384, (1, 3), pad=(0, 1))
        self.branch3x3dbl_3b = _Conv(384, 384, (3, 1), pad=(1, 0))
        self.branch_pool = _Conv(source, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        three, double = self.branch3x3_1(x), self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        parts = [self.branch3x3_2a(three), self.branch3x3_2b(three)]
        parts += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)]
        return torch.cat([self.branch1x1(x), *parts, self.branch_pool(self.pooled(x))], 1)


class Inception(nn.Module):
    """Pictures `b 3 h w` in [0, 1] to `b 2048`; keys are torchvision's, without the auxiliary classifier."""

    def __init__(self, *, fid: bool = True) -> None:
        """Build with random weights; `fid` is the port of TensorFlow's network of 2015, else torchvision's."""
        super().__init__()
        counted = not fid
        self.Conv2d_1a_3x3, self.Conv2d_2a_3x3 = _Conv(3, 32, 3, 2), _Conv(32, 32, 3)
        self.Conv2d_2b_3x3 = _Conv(32, 64, 3, pad=1)
        self.Conv2d_3b_1x1, self.Conv2d_4a_3x3 = _Conv(64, 80, 1), _Conv(80, 192, 3)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = _A(192, 32, counted), _A(256, 64, counted), _A(288, 64, counted)
        self.Mixed_6a, self.Mixed_6b, self.Mixed_6c = _B(288), _C(128, counted), _C(160, counted)
        self.Mixed_6d, self.Mixed_6e = _C(160, counted), _C(192, counted)
        self.Mixed_7a, self.Mixed_7b = _D(), _E(1280, "mean", counted)
        self.Mixed_7c = _E(2048, "max" if fid else "mean", counted)

    def forward(self, rgb: Tensor) -> Tensor:
        """Resample to 299 pixels, bilinear, and describe; `b 3 h w` in [0, 1] to `b 2048`."""
        x = F.interpolate(rgb, (SIDE, SIDE), mode="bilinear", align_corners=False)
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(2 * x - 1)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, 2)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(F.max_pool2d(x, 3, 2))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        return self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x))).mean(dim=(2, 3))


def load_inception(path: Path) -> Inception:
    """Read weights that the user names: pytorch-fid's or torchvision's state dict, `.pth` or safetensors.

    The number of classes tells the two apart. The classifiers are not needed and may be there or not; without the last
    one the file is taken for pytorch-fid's.

    Raises:
        CheckpointError: it is no such file.
    """
    tensors = read_foreign(path)
    last = tensors.get("fc.bias")
    module = Inception(fid=last is None or len(last) == _FID_CLASSES)
    own = module.state_dict()
    kept = {key: value for key, value in tensors.items() if not key.startswith(("fc.", "AuxLogits."))}
    counters = {key: value for key, value in own.items() if key.endswith("num_batches_tracked")}
    fitting = {
        key: value for key, value in {**counters, **kept}.items() if key in own and value.shape == own[key].shape
    }
    if len(fitting) != len(own) or len(kept | counters) != len(own):
        msg = (
            f"{path.name} is no Inception v3: {len(own.keys() - fitting.keys())} of its {len(own)} tensors are missing"
        )
        raise CheckpointError(f"{msg} or of another shape, {len(kept.keys() - own.keys())} are unknown")
    module.load_state_dict(fitting)
    return module.eval().requires_grad_(False)

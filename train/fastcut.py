"""`python -m train.fastcut`: FastCUT, CUT without identity, with a heavier comparison and mirrored pictures.

Park et al., "Contrastive Learning for Unpaired Image-to-Image Translation", ECCV 2020, section 4.1,
https://arxiv.org/abs/2007.15651. A step costs less than CUT's, since B does not go through the generator.
`train/cut.py` says what is logged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from . import cut
from .cut_native_parts import NATIVE_SETTINGS, NativeCutSetting
from .cut_parts import CutSetting

SETTINGS: Mapping[str, CutSetting] = {
    name: dataclasses.replace(
        setting,
        nce_identity=False,
        nce_weight=10.0,
        flip_equivariance=True,
        epochs=setting.epochs * 3 // 4,
        decay_epochs=setting.decay_epochs // 4,
    )
    for name, setting in cut.SETTINGS.items()
}
"""`full` is the reference's: 150 epochs at the full rate, then 50."""

NATIVE: Mapping[str, NativeCutSetting] = {
    name: dataclasses.replace(setting, nce_identity=0.0, nce=10.0, flip_equivariance=True)
    for name, setting in NATIVE_SETTINGS.items()
}


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    cut.train("FastCUT", SETTINGS, NATIVE, argv)


if __name__ == "__main__":
    main()

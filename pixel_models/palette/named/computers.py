"""Palettes of computers and their systems: what the hardware can show, as customary or measured."""

from __future__ import annotations

COMPUTERS: dict[str, tuple[str, str]] = {
    "cga": (
        (
            "000000 0000aa 00aa00 00aaaa aa0000 aa00aa aa5500 aaaaaa 555555 5555ff 55ff55 55ffff ff5555 ff55ff "
            "ffff55 ffffff"
        ),
        "IBM Color Graphics Adapter: 16 RGBI colours on a 5153 monitor (brown, not dark yellow)",
    ),
    "cga-0": (
        "000000 00aa00 aa0000 aa5500",
        "IBM Color Graphics Adapter, 320×200, palette 0",
    ),
    "cga-0-high": (
        "000000 55ff55 ff5555 ffff55",
        "IBM Color Graphics Adapter, 320×200, palette 0, high intensity",
    ),
    "cga-1": (
        "000000 00aaaa aa00aa aaaaaa",
        "IBM Color Graphics Adapter, 320×200, palette 1",
    ),
    "cga-1-high": (
        "000000 55ffff ff55ff ffffff",
        "IBM Color Graphics Adapter, 320×200, palette 1, high intensity",
    ),
    "cga-2": (
        "000000 00aaaa aa0000 aaaaaa",
        "IBM Color Graphics Adapter, 320×200, mode 5, cyan and red",
    ),
    "cga-2-high": (
        "000000 55ffff ff5555 ffffff",
        "IBM Color Graphics Adapter, 320×200, mode 5, cyan and red, high intensity",
    ),
    "c64": (
        (
            "000000 ffffff 883932 67b6bd 8b3f96 55a049 40318d bfce72 8b5429 574200 b86962 505050 787878 94e089 "
            "7869c4 9f9f9f"
        ),
        "Commodore 64 (VIC-II), values as in Aseprite's hardware palettes",
    ),
    "c64-pepto": (
        (
            "000000 ffffff 68372b 70a4b2 6f3d86 588d43 352879 b8c76f 6f4f25 433900 9a6759 444444 6c6c6c 9ad284 "
            "6c5eb5 959595"
        ),
        'Commodore 64 (VIC-II), calculated by Philip Timmermann ("Pepto"), 2001',
    ),
    "c64-colodore": (
        (
            "000000 ffffff 813338 75cec8 8e3c97 56ac4d 2e2c9b edf171 8e5029 553800 c46c71 4a4a4a 7b7b7b a9ff9f "
            "706deb b2b2b2"
        ),
        'Commodore 64 (VIC-II), calculated by Philip Timmermann ("Colodore"), 2017',
    ),
    "vic-20": (
        (
            "000000 ffffff 782922 87d6dd aa5fb6 1a8226 40318d bfce72 aa7449 eab489 b86962 c7ffff ea9ff6 94e089 "
            "8071cc ffffb2"
        ),
        "Commodore VIC-20 (VIC), values as in Aseprite's hardware palettes",
    ),
    "plus4": (
        (
            "000000 202020 5d0800 003746 5d006d 004e00 20116d 202f00 5d1000 3e1f00 013e00 5d0120 003f20 00306d "
            "3e016d 004600 404040 7d2819 035766 7d128d 036e00 40318d 404f00 7d3000 5e3f00 215e00 7d2140 035f40 "
            "03508d 5e218d 036619 606060 9c4839 237786 9c32ac 238e13 6051ac 606f13 9c5013 7e5f13 417e13 9c4160 "
            "237f60 2370ac 7e41ac 238639 808080 bc6859 4397a6 bc52cc 43ad33 8071cc 808e33 bc6f33 9e7f33 619e33 "
            "bc6180 439e80 4390cc 9e61cc 43a659 9f9f9f dc8879 63b7c6 dc71ec 63cd53 9f90ec 9fae53 dc8f53 be9f53 "
            "81be53 dc809f 63be9f 63afec be81ec 63c679 bfbfbf fca899 82d7e6 fc91ff 82ed72 bfb0ff bfce72 fcaf72 "
            "debf72 a1de72 fca0bf 82debf 82cfff dea1ff 82e699 dfdfdf ffc8b9 a2f7ff ffb1ff a2ff92 dfd0ff dfee92 "
            "ffcf92 fedf92 c1fe92 ffc0df a2fedf a2efff fec1ff a2ffb9 ffffff ffe8d9 c2ffff ffd1ff c2ffb2 fff0ff "
            "ffffb2 ffefb2 fffeb2 e1ffb2 ffe0ff ffe1ff c2ffd9"
        ),
        "Commodore Plus/4 and 16 (TED), values as in Aseprite's hardware palettes",
    ),
    "zx-spectrum": (
        ("000000 0000c0 c00000 c000c0 00c000 00c0c0 c0c000 c0c0c0 0000ff ff0000 ff00ff 00ff00 00ffff ffff00 ffffff"),
        "Sinclair ZX Spectrum: 15 colours, normal at 192 and bright at 255",
    ),
    "msx": (
        (
            "000000 010101 3eb849 74d07d 5955e0 8076f1 b95e51 65dbef db6559 ff897d ccc35e ded087 3aa241 b766b5 "
            "cccccc ffffff"
        ),
        "MSX (TMS9918A), values as in Aseprite's hardware palettes; its second entry is black one step up",
    ),
    "msx2": (
        (
            "000000 010101 24db24 6dff6d 2424ff 496dff b62424 49dbff ff2424 ff6d6d dbdb24 dbdb92 249224 db49b6 "
            "b6b6b6 ffffff"
        ),
        "MSX2 (V9938), start-up palette, 3 bits a channel, values as in Aseprite's hardware palettes",
    ),
    "apple-ii": (
        ("000000 6c2940 403578 d93cf0 135740 808080 2697f0 bfb4f8 404b07 d9680f eca8bf 26c30f bfca87 93d6bf ffffff"),
        "Apple II, low resolution: 16 colours of which two greys are alike, values as in Aseprite's hardware palettes",
    ),
    "macintosh-16": (
        (
            "ffffff fbf305 ff6403 dd0907 f20884 4700a5 0000d3 02abea 1fb714 006412 562c05 90713a c0c0c0 808080 "
            "404040 000000"
        ),
        "Apple Macintosh, system colours at 4 bits ('clut' 4)",
    ),
    "risc-os-16": (
        (
            "ffffff dddddd bbbbbb 999999 777777 555555 333333 000000 004499 eeee00 00cc00 dd0000 eeeebb 558800 "
            "ffbb00 00bbff"
        ),
        "Acorn RISC OS, desktop colours at 4 bits",
    ),
    "windows-16": (
        (
            "000000 800000 008000 808000 000080 800080 008080 c0c0c0 808080 ff0000 00ff00 ffff00 0000ff ff00ff "
            "00ffff ffffff"
        ),
        "Microsoft Windows, the 16 colours of the VGA driver; also the basic colours of HTML 4",
    ),
    "windows-20": (
        (
            "000000 800000 008000 808000 000080 800080 008080 c0c0c0 c0dcc0 a6caf0 fffbf0 a0a0a4 808080 ff0000 "
            "00ff00 ffff00 0000ff ff00ff 00ffff ffffff"
        ),
        "Microsoft Windows, the 20 static colours of a 256-colour screen",
    ),
    "xterm-16": (
        (
            "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff "
            "00ffff ffffff"
        ),
        "xterm, default ANSI colours (XTerm-col.ad)",
    ),
}
"""Hex colours and where they come from, by name."""

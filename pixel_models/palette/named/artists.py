"""Palettes that people chose and published for others to draw with; those whose files reserve rights are left out."""

from __future__ import annotations

ARTISTS: dict[str, tuple[str, str]] = {
    "pico-8-extended": (
        (
            "000000 1d2b53 7e2553 008751 ab5236 5f574f c2c3c7 fff1e8 ff004d ffa300 ffec27 00e436 29adff 83769c "
            "ff77a8 ffccaa 291814 111d35 422136 125359 742f29 49333b a28879 f3ef7d be1250 ff6c24 a8e72e 00b543 "
            "065ab5 754665 ff6e59 ff9d81"
        ),
        "PICO-8 fantasy console by Lexaloffle, its 16 colours and the 16 hidden ones, lexaloffle.com/pico-8.php",
    ),
    "db16": (
        (
            "140c1c 442434 30346d 4e4a4e 854c30 346524 d04648 757161 597dce d27d2c 8595a1 6daa2c d2aa99 6dc2ca "
            "dad45e deeed6"
        ),
        'Richard "DawnBringer" Fhager, 2011, pixeljoint.com/forum/forum_posts.asp?TID=12795, published to draw with',
    ),
    "db32": (
        (
            "000000 222034 45283c 663931 8f563b df7126 d9a066 eec39a fbf236 99e550 6abe30 37946e 4b692f 524b24 "
            "323c39 3f3f74 306082 5b6ee1 639bff 5fcde4 cbdbfc ffffff 9badb7 847e87 696a6a 595652 76428a ac3232 "
            "d95763 d77bba 8f974a 8a6f30"
        ),
        'Richard "DawnBringer" Fhager, 2012, pixeljoint.com/forum/forum_posts.asp?TID=16247, published to draw with',
    ),
    "arne-16": (
        (
            "000000 9d9d9d ffffff be2633 e06f8b 493c2b a46422 eb8931 f7e26b 2f484e 44891a a3ce27 1b2632 005784 "
            "31a2f2 b2dcef"
        ),
        "Arne Niklas Jansson, androidarts.com/palette/16pal.htm, published to draw with",
    ),
    "arne-32": (
        (
            "000000 9d9d9d ffffff be2633 e06f8b 493c2b a46422 eb8931 f7e26b 2f484e 44891a a3ce27 1b2632 005784 "
            "31a2f2 b2dcef 342a97 656d71 cccccc 732930 cb43a7 524f40 ad9d33 ec4700 fab40b 115e33 14807e 15c2a5 "
            "225af6 9964f9 f78ed6 f4b990"
        ),
        "Arne Niklas Jansson, androidarts.com/palette/16pal.htm, published to draw with",
    ),
    "a64": (
        (
            "000000 313a91 4c3435 b14863 485454 7655a2 92562b 8385cf 808078 509450 cd9373 8fbfd5 9cabb1 bbc840 "
            "9ccc47 ede6c8"
        ),
        "Arne Niklas Jansson, androidarts.com/palette/16pal.htm, published to draw with",
    ),
    "cg-arne": (
        (
            "000000 2234d1 0c7e45 44aacc 8a3622 5c2e78 aa5c3d b5b5b5 5e606e 4c81fb 6cd947 7be2f9 eb8a60 e23d69 "
            "ffd93f ffffff"
        ),
        "Arne Niklas Jansson, androidarts.com/palette/16pal.htm, published to draw with",
    ),
    "copper-tech": (
        (
            "262144 1651dd 898989 355278 60748a 91d9f3 5aa8b2 6ea92c bfb588 f4cd72 c58843 9e5b47 dc392d 5f4351 "
            "ffffff 000000"
        ),
        "Arne Niklas Jansson, androidarts.com/palette/16pal.htm, published to draw with",
    ),
    "cpc-boy": (
        (
            "000000 1b1b76 3636d8 761f28 623870 953ea7 cc3636 ce4b7a e3669a 1b761b 197f96 1986f2 8c6e1a 8e8e8e "
            "9c9ee7 e48e2a eaa597 fe80fe 54bf47 37c79f 35cfe4 8dd836 b8d1b5 97e9d1 edd446 ebe4a4 ffffff f2efe7 "
            "bac375 859550 485d48 293941"
        ),
        "Arne Niklas Jansson, androidarts.com/palette/16pal.htm, published to draw with",
    ),
    "eroge-copper": (
        (
            "7d3840 0d080d 2a2349 4180a0 32535f 74adbb 7bb24e fff9e4 bebbb2 fbdf9b f0bd77 c59154 825b31 e89973 "
            "c16c5b 4f2b24"
        ),
        "Arne Niklas Jansson, androidarts.com/palette/16pal.htm, published to draw with",
    ),
    "jmp": (
        (
            "000000 191028 46af45 a1d685 453e78 7664fe 833129 9ec2e8 dc534b e18d79 d6b97b e9d8a1 216c4b d365c8 "
            "afaab9 f5f4eb"
        ),
        "Arne Niklas Jansson, androidarts.com/palette/16pal.htm, published to draw with",
    ),
    "psygnosia": (
        (
            "a2324e 443f41 1b1e29 362747 64647c 516cbf cbe8f7 9ea4a7 003308 084a3c 546a00 52524c 736150 77785b "
            "e08b79 000000"
        ),
        "Arne Niklas Jansson, androidarts.com/palette/16pal.htm, published to draw with",
    ),
    "endesga-8": (
        "fdfdf8 d32734 da7d22 e6da29 28c641 2d93dd 7b53ad 1b1c33",
        "Endesga Studios, lospec.com/endesga, published to draw with; in Aseprite's Endesga palettes",
    ),
    "endesga-16": (
        (
            "e4a672 b86f50 743f39 3f2832 9e2835 e53b44 fb922b ffe762 63c64d 327345 193d3f 4f6781 afbfd2 ffffff "
            "2ce8f4 0484d1"
        ),
        "Endesga Studios, lospec.com/endesga, published to draw with; in Aseprite's Endesga palettes",
    ),
    "endesga-32": (
        (
            "be4a2f d77643 ead4aa e4a672 b86f50 733e39 3e2731 a22633 e43b44 f77622 feae34 fee761 63c74d 3e8948 "
            "265c42 193c3e 124e89 0099db 2ce8f5 ffffff c0cbdc 8b9bb4 5a6988 3a4466 262b44 181425 ff0044 68386c "
            "b55088 f6757a e8b796 c28569"
        ),
        "Endesga Studios, lospec.com/palette-list/endesga-32, published to draw with",
    ),
    "en4": (
        "fbf7f3 e5b083 426e5d 20283d",
        "Endesga Studios, lospec.com/endesga, published to draw with; in Aseprite's Endesga palettes",
    ),
    "arq4": (
        "ffffff 6772a9 3a3277 000000",
        "Endesga Studios, lospec.com/endesga, published to draw with; in Aseprite's Endesga palettes",
    ),
    "arq16": (
        (
            "ffffff ffd19d aeb5bd 4d80c9 054494 511e43 100820 823e2c e93841 f1892d ffe947 ffa9a9 eb6c82 7d3ebf "
            "1e8a4c 5ae150"
        ),
        "Endesga Studios, lospec.com/endesga, published to draw with; in Aseprite's Endesga palettes",
    ),
    "solarized": (
        (
            "002b36 073642 586e75 657b83 839496 93a1a1 eee8d5 fdf6e3 b58900 cb4b16 dc322f d33682 6c71c4 268bd2 "
            "2aa198 859900"
        ),
        "Ethan Schoonover, ethanschoonover.com/solarized (MIT)",
    ),
    "tango": (
        (
            "fce94f edd400 c4a000 fcaf3e f57900 ce5c00 e9b96e c17d11 8f5902 8ae234 73d216 4e9a06 729fcf 3465a4 "
            "204a87 ad7fa8 75507b 5c3566 ef2929 cc0000 a40000 eeeeec d3d7cf babdb6 888a85 555753 2e3436"
        ),
        "Tango Desktop Project icon guidelines (public domain)",
    ),
    "okabe-ito": (
        "000000 e69f00 56b4e9 009e73 f0e442 0072b2 d55e00 cc79a7",
        "Masataka Okabe and Kei Ito, Color Universal Design, 2008: told apart by colour-blind eyes",
    ),
}
"""Hex colours and where they come from, by name."""

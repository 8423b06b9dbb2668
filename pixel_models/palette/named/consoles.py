"""Palettes of game consoles: what the hardware can show, as customary or measured."""

from __future__ import annotations

CONSOLES: dict[str, tuple[str, str]] = {
    "gameboy-dmg": (
        "081810 396139 84a563 c6de8c",
        "screen of the Nintendo Game Boy (DMG), as SameBoy shows it (Core/display.c)",
    ),
    "gameboy-pocket": (
        "07100e 3a4c3a 818d66 c2ce93",
        "screen of the Game Boy Pocket (MGB), as SameBoy shows it (Core/display.c)",
    ),
    "gameboy-light": (
        "0a1c15 357862 56b495 7fe2c3",
        "screen of the Game Boy Light (MGL), as SameBoy shows it (Core/display.c)",
    ),
    "gbc-brown": (
        "ffffff ffad63 843100 000000",
        "background colours of the Game Boy Color's start-up ROM at Up, 5 bits a channel",
    ),
    "gbc-red": (
        "ffffff ff8484 943a3a 000000",
        "background colours of the Game Boy Color's start-up ROM at Up + A, 5 bits a channel",
    ),
    "gbc-dark-brown": (
        "ffe6c5 ce9c84 846b29 5a3108",
        "background colours of the Game Boy Color's start-up ROM at Up + B, 5 bits a channel",
    ),
    "gbc-pastel": (
        "ffffa5 ff9494 9494ff 000000",
        "background colours of the Game Boy Color's start-up ROM at Down, 5 bits a channel",
    ),
    "gbc-orange": (
        "ffffff ffff00 ff0000 000000",
        "background colours of the Game Boy Color's start-up ROM at Down + A, 5 bits a channel",
    ),
    "gbc-yellow": (
        "ffffff ffff00 7b4a00 000000",
        "background colours of the Game Boy Color's start-up ROM at Down + B, 5 bits a channel",
    ),
    "gbc-blue": (
        "ffffff 63a5ff 0000ff 000000",
        "background colours of the Game Boy Color's start-up ROM at Left, 5 bits a channel",
    ),
    "gbc-dark-blue": (
        "ffffff 8c8cde 52528c 000000",
        "background colours of the Game Boy Color's start-up ROM at Left + A, 5 bits a channel",
    ),
    "gbc-grey": (
        "ffffff a5a5a5 525252 000000",
        "background colours of the Game Boy Color's start-up ROM at Left + B, 5 bits a channel",
    ),
    "gbc-green": (
        "ffffff 52ff00 ff4200 000000",
        "background colours of the Game Boy Color's start-up ROM at Right, 5 bits a channel",
    ),
    "gbc-dark-green": (
        "ffffff 7bff31 0063c5 000000",
        "background colours of the Game Boy Color's start-up ROM at Right + A, 5 bits a channel",
    ),
    "gbc-reverse": (
        "000000 008484 ffde00 ffffff",
        "background colours of the Game Boy Color's start-up ROM at Right + B, 5 bits a channel",
    ),
    "virtual-boy": (
        "000000 550000 aa0000 ff0000",
        "Nintendo Virtual Boy: four steps of red",
    ),
    "nes": (
        (
            "000000 797979 a2a2a2 305182 4192c3 61d3e3 a2fff3 306141 49a269 71e392 a2ffcb 386d00 49aa10 71f341 "
            "a2f3a2 386900 51a200 9aeb00 cbf382 495900 8a8a00 ebd320 fff392 794100 c37100 ffa200 ffdba2 a23000 "
            "e35100 ff7930 ffcbba b21030 db4161 ff61b2 ffbaeb 9a2079 db41c3 f361ff e3b2ff 6110a2 9241f3 a271ff "
            "c3b2ff 2800ba 4141ff 5182ff a2baff 2000b2 4161fb 61a2ff 92d3ff b2b2b2 ebebeb ffffff"
        ),
        "Nintendo Entertainment System (2C02), RGB approximation, values as in Aseprite's hardware palettes",
    ),
    "nes-ntsc": (
        (
            "feffff a0a0a0 525252 bed6fd 699efc 1e4a9d 011a51 ccccff 8987ff 3837bc 0f0f65 ddc4ff ae76ff 5828b8 "
            "230663 eac0f9 ce6df1 752194 36034b f2c1df e070b2 84235c 400426 f1c7c2 de7c70 822e24 3f0904 e8d0aa "
            "c8913e 6f3f00 321300 d9da9d a6a725 515200 1f2000 c9e29e 81ba28 316300 0b2a00 bce6ae 63c446 1a6b05 "
            "002f00 b4e5c7 54c17d 0e692e 002e0a b5dfe4 56b3c0 105c68 00262d a9a9a9 3c3c3c 000000"
        ),
        "Nintendo Entertainment System (2C02), decoded NTSC signal, values as in Aseprite's hardware palettes",
    ),
    "atari-2600-ntsc": (
        (
            "000000 444400 702800 841800 880000 78005c 480078 140084 000088 00187c 002c5c 00402c 003c00 143800 "
            "2c3000 442800 404040 646410 844414 983418 9c2020 8c2074 602090 302098 1c209c 1c3890 1c4c78 1c5c48 "
            "205c20 345c1c 4c501c 644818 6c6c6c 848424 985c28 ac5030 b03c3c a03c88 783ca4 4c3cac 3840b0 3854a8 "
            "386890 387c64 407c40 507c38 687034 846830 909090 a0a034 ac783c c06848 c05858 b0589c 8c58b8 6858c0 "
            "505cc0 5070bc 5084ac 509c80 5c9c5c 6c9850 848c4c a08444 b0b0b0 b8b840 bc8c4c d0805c d07070 c070b0 "
            "a070cc 7c70d0 6874d0 6888cc 689cc0 68b494 74b474 84b468 9ca864 b89c58 c8c8c8 d0d050 cca05c e09470 "
            "e08888 d084c0 b484dc 9488e0 7c8ce0 7c9cdc 7cb4d4 7cd0ac 8cd08c 9ccc7c b4c078 d0b46c dcdcdc e8e85c "
            "dcb468 eca880 eca0a0 dc9cd0 c49cec a8a0ec 90a4ec 90b4ec 90cce8 90e4c0 a4e4a4 b4e490 ccd488 e8cc7c "
            "ececec fcfc68 ecc878 fcbc94 fcb4b4 ecb0e0 d4b0fc bcb4fc a4b8fc a4c8fc a4e0fc a4fcd4 b8fcb8 c8fca4 "
            "e0ec9c fce08c"
        ),
        "Atari 2600 (TIA), NTSC, values as in Aseprite's hardware palettes",
    ),
    "atari-2600-pal": (
        (
            "000000 805800 445c00 703400 006414 700014 005c5c 70005c 003c70 580070 002070 3c0080 000088 404040 "
            "947020 5c7820 885020 208034 882034 207474 842074 1c5888 6c2088 1c3c88 542094 20209c 6c6c6c a8843c "
            "74903c a0683c 3c9850 a03c50 3c8c8c 943c88 3874a0 803ca0 3858a0 6c3ca8 3c3cb0 909090 bc9c58 8cac58 "
            "b48458 58b06c b4586c 58a4a4 a8589c 508cb4 9458b4 5074b4 8058bc 5858c0 b0b0b0 ccac70 a0c070 c89870 "
            "70c484 c87084 70b8b8 b470b0 68a4c8 a470c8 6888c8 9470cc 7070d0 c8c8c8 dcc084 b0d484 dcac84 84d89c "
            "dc849c 84c8c8 c484c0 7cb8dc b484dc 7ca0dc a884dc 8484e0 dcdcdc ecd09c c0e89c ecc09c 9ce8b4 ec9cb4 "
            "9cdcdc d09cd0 90ccec c49cec 90b4ec b89cec 9c9cec ececec fce0b0 d4fcb0 fcd4b0 b0fcc8 fcb0c8 b0ecec "
            "e0b0e0 a4e0fc d4b0fc a4c8fc c8b0fc b0b0fc"
        ),
        "Atari 2600 (TIA), PAL, values as in Aseprite's hardware palettes",
    ),
    "atari-2600-secam": (
        "000000 2121ff f03c79 ff50ff 7fff00 7fffff ffff3f ffffff",
        "Atari 2600 (TIA), SECAM: eight colours, as the Stella emulator shows them",
    ),
    "intellivision": (
        (
            "000000 002dff ff3d10 c9cfab 386b3f 00a756 faea50 fffcff bdacc8 24b8ff ffb41f 546e00 ff4e57 a496ff "
            "75cc80 b51a58"
        ),
        "Mattel Intellivision (STIC), values as in the jzIntv emulator",
    ),
}
"""Hex colours and where they come from, by name."""

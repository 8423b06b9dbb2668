"""GIF's compression: LZW with codes that grow from the size of the palette to 12 bits.

Source: CompuServe, "Graphics Interchange Format, Version 89a", 1990, appendix F.
"""

from __future__ import annotations

_LAST = 1 << 12


def compress(indices: bytes, bits: int) -> bytes:
    """Palette indices, one a byte, to the code stream of a GIF image, not yet cut into blocks.

    Args:
        indices: at least one, each below `1 << bits`.
        bits: 2 to 8, what the file calls the minimum code size.
    """
    clear = 1 << bits
    end = clear + 1
    table: dict[int, int] = {}
    following, width = end + 1, bits + 1
    out = bytearray()
    held, fill = clear, width
    run = indices[0]
    for index in memoryview(indices)[1:]:
        key = run << 8 | index
        longer = table.get(key)
        if longer is not None:
            run = longer
            continue
        held |= run << fill
        fill += width
        if following < _LAST:
            table[key] = following
            width += following >> width  # 1 when the new code needs one bit more
            following += 1
        else:
            held |= clear << fill
            fill += width
            table.clear()
            following, width = end + 1, bits + 1
        if fill >= 512:
            whole = fill >> 3
            out += (held & (1 << (whole << 3)) - 1).to_bytes(whole, "little")
            held >>= whole << 3
            fill &= 7
        run = index
    held |= run << fill
    fill += width
    # The reader has made one entry by now that the writer has no use for; it may need one bit more.
    width += following < _LAST and following >> width
    held |= end << fill
    fill += width
    return bytes(out) + held.to_bytes((fill + 7) >> 3, "little")

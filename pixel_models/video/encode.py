"""Films written as a stream: MP4, MOV, Matroska and WebM, with exact times and the sound of the source."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import FilmError
from .door import av_module, told
from .grid import Bytes
from .options import Quality
from .sink import Drawn, Part, Sink, enlarged
from .sound import SoundWriter
from .yuv import matrix_for, planes_of, to_yuv

if TYPE_CHECKING:
    from .read import FilmReader

FILM_FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""By ending, PyAV's name of the container."""

_LARGEST = {"libx264": 16384, "libx264rgb": 16384, "libvpx-vp9": 16384}
# Finer times than this are rounded to it, since containers hold 32 bits of it.
_FINEST = 1_000_000
_THREADS = 2
# On flat cells, crf 4 leaves 0.04 % of the pixels more than 8 levels off, and all nearest to their own palette colour;
# crf 10 ten times as many for three quarters of the size (docs/video.md). Lossless takes no crf.
_H264 = {"crf": "4", "preset": "veryfast"}
_VP9 = {"deadline": "realtime", "cpu-used": "6", "row-mt": "1", "b": "0", "crf": "4", "auto-alt-ref": "0"}
# Matrix, range, primaries and curve of sRGB, by H.273.
_RGB = (0, 2, 1, 13)
_VP9_EXACT = {"deadline": "good", "cpu-used": "5", "row-mt": "1", "lossless": "1"}


class FilmSink(Sink):
    """A film file."""

    def __init__(
        self,
        target: Path,
        cells: tuple[int, int],
        *,
        scale: int,
        quality: Quality,
        alpha: bool,
        source: FilmReader | None,
        time_base: Fraction,
        rate: Fraction,
        sound: bool,
    ) -> None:
        """Open it.

        Args:
            target: where it will be; its ending chooses the container.
            cells: width and height.
            scale: pixels along a cell's side.
            quality: that plays everywhere, or exact colours.
            alpha: whether there may be transparent cells; only WebM keeps them.
            source: where sound comes from.
            time_base: every frame's time is about a multiple of it.
            rate: frames a second, about.
            sound: whether the source's sound is kept.

        Raises:
            FilmError: too large, or the encoder is missing.
        """
        self.notes: list[str] = []
        kind = FILM_FORMATS[target.suffix.lower()]
        self._scale, self._alpha = scale, alpha and kind == "webm"
        self._exact = quality == "exact" and not self._alpha
        self._size = cells[0] * scale, cells[1] * scale
        if not self._exact:
            self._size = self._size[0] + self._size[0] % 2, self._size[1] + self._size[1] % 2
        self._matrix = matrix_for(self._size[1])
        self._tables: dict[int, tuple[object, Bytes]] = {}
        self._tell(kind, quality, alpha)
        codec = "libvpx-vp9" if kind == "webm" else "libx264rgb" if self._exact else "libx264"
        if max(self._size) > _LARGEST[codec]:
            msg = f"{target}: {self._size[0]}x{self._size[1]} pixels, over {_LARGEST[codec]} a side; lower the scale"
            raise FilmError(msg)
        av = av_module()
        self._part = Part(target)
        try:
            with told(target, "be written"):
                # The index at the beginning lets browsers play while they load.
                options = {"movflags": "+faststart"} if kind in ("mp4", "mov") else {}
                self._out: Any = av.open(str(self._part.path), "w", format=kind, options=options)
                self._stream = self._add_stream(codec, quality, time_base, rate)
                stream = source.sound if sound and source is not None else None
                self._sound = None if stream is None or source is None else SoundWriter(self._out, stream, kind)
        except BaseException:
            self.drop()
            raise
        self._source, self._target = source, target
        self._last = -1

    def _add_stream(self, codec: str, quality: Quality, time_base: Fraction, rate: Fraction) -> Any:  # noqa: ANN401
        try:
            stream = self._out.add_stream(codec, rate=rate.limit_denominator(65535))
        except Exception as error:  # PyAV raises its own kind, which is no ValueError in every version
            msg = f"this PyAV is built without {codec}; install PyAV from its wheels, or choose .gif, .webp or .apng"
            raise FilmError(msg) from error
        stream.width, stream.height = self._size
        base = time_base if time_base.denominator <= _FINEST else Fraction(1, 90000)
        stream.time_base = base
        context = stream.codec_context
        context.time_base, context.thread_count = base, _THREADS
        if codec == "libx264rgb":
            stream.pix_fmt, stream.options = "rgb24", {"qp": "0", "preset": "veryfast"}
        elif codec == "libvpx-vp9":
            stream.pix_fmt = "gbrp" if self._exact else "yuva420p" if self._alpha else "yuv420p"
            stream.options = _VP9_EXACT if quality == "exact" else _VP9
        else:
            stream.pix_fmt, stream.options = "yuv420p", _H264
        # Chromium takes RGB for Y'CbCr where the file does not say so, too.
        said = _RGB if self._exact else (self._matrix.number, 1, self._matrix.primaries, self._matrix.curve)
        context.colorspace, context.color_range, context.color_primaries, context.color_trc = said
        return stream

    def _tell(self, kind: str, quality: Quality, alpha: bool) -> None:
        if alpha and kind != "webm":
            self.notes.append("Transparent cells are black here; .webm, .webp, .apng, .gif and PNGs keep them.")
        if self._alpha and quality == "exact":
            self.notes.append("WebM with transparency has colours up to 2 levels off; .webp and .apng are exact.")
        if self._scale % 2 and not self._exact:
            self.notes.append("With an odd scale colours blend at the edges of cells; choose an even one.")

    def add(self, drawn: Drawn) -> None:
        """Encode the next frame."""
        base = self._stream.codec_context.time_base
        frame = self._frame(drawn)
        frame.pts = max(self._last + 1, round(drawn.time / base))
        frame.time_base = base
        if hasattr(frame, "duration"):
            frame.duration = max(1, round((drawn.time + drawn.duration) / base) - frame.pts)
        self._last = frame.pts
        with told(self._target, "be written"):
            for packet in self._stream.encode(frame):
                self._out.mux(packet)

    def _frame(self, drawn: Drawn) -> Any:  # noqa: ANN401
        av = av_module()
        if self._exact:
            pixels = enlarged(drawn.rgba()[..., :3], self._scale)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            return frame if self._stream.pix_fmt == "rgb24" else frame.reformat(format="gbrp")
        held, table = self._tables.get(id(drawn.palette), (None, None))
        if held is not drawn.palette or table is None:
            table = to_yuv(drawn.palette.colors.numpy(), self._matrix)
            self._tables = {id(drawn.palette): (drawn.palette, table)}
        if drawn.clear is not None and not self._alpha:
            black = to_yuv(np.zeros((1, 3), np.uint8), self._matrix)
            entries = np.where(drawn.clear, len(table), drawn.entries)
            drawn = Drawn(entries, None, drawn.palette, drawn.time, drawn.duration)
            table = np.concatenate([table, black])
        frame = av.VideoFrame(*self._size, self._stream.pix_fmt)
        planes = planes_of(drawn, table, self._scale, self._size, alpha=self._alpha)
        for plane, pixels in zip(frame.planes, planes, strict=True):
            rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            rows[: pixels.shape[0], : pixels.shape[1]] = pixels
        frame.colorspace, frame.color_range = self._matrix.number, 1
        return frame

    def add_sound(self, packet: Any) -> None:  # noqa: ANN401
        """Copy or encode a packet of the source's sound."""
        if self._sound is not None and self._source is not None:
            with told(self._target, "be written"):
                self._sound.add(packet, self._source.sound_time(packet))

    def finish(self) -> list[Path]:
        """Write what the encoders still hold, and give the file its name."""
        try:
            with told(self._target, "be written"):
                for packet in self._stream.encode(None):
                    self._out.mux(packet)
                if self._sound is not None:
                    self._sound.finish()
                    self.notes += self._sound.notes
                self._out.close()
        except BaseException:
            self.drop()
            raise
        return [self._part.rename()]

    def drop(self) -> None:
        """Close and remove the unfinished file."""
        with contextlib.suppress(Exception):
            self._out.close()
        self._part.remove()

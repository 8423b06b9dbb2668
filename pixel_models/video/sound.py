"""The sound of a film: packets copied where the container takes them, else decoded and encoded again."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from .door import av_module

if TYPE_CHECKING:
    from av import Packet

_COPIED = {
    "mp4": ("aac", "mp3", "mp3float", "ac3", "eac3", "alac", "opus", "libopus"),
    "mov": ("aac", "mp3", "mp3float", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s24le", "pcm_s16be"),
    "matroska": (
        "aac",
        "mp3",
        "mp3float",
        "ac3",
        "eac3",
        "alac",
        "opus",
        "libopus",
        "vorbis",
        "flac",
        "pcm_s16le",
        "dca",
    ),
    "webm": ("opus", "libopus", "vorbis"),
}
"""Codecs that each container holds and its players play, by PyAV's names."""

_ENCODED = {"mp4": "aac", "mov": "aac", "matroska": "aac", "webm": "libopus"}
_OPUS_RATE = 48000


class SoundWriter:
    """One stream of sound in a film that is written."""

    def __init__(self, out: Any, stream: Any, kind: str) -> None:  # noqa: ANN401
        """Add the stream.

        Args:
            out: PyAV's output container.
            stream: the source's stream.
            kind: the container, PyAV's name.
        """
        self.notes: list[str] = []
        self._out, self._source = out, stream
        self._copied = stream.codec_context.name in _COPIED[kind]
        self._last: int | None = None
        self._broken = False
        if self._copied:
            self._stream = out.add_stream_from_template(stream)
            with contextlib.suppress(RuntimeError):  # PyAV 14 does not let it be set, and has it right
                self._stream.time_base = stream.time_base
            return
        context = stream.codec_context
        rate = _OPUS_RATE if kind == "webm" else context.sample_rate
        # Not its own name for it: two channels of an AVI or WMV are of no layout that an encoder knows.
        layout = "mono" if context.layout.nb_channels == 1 else "stereo"
        self._stream = out.add_stream(_ENCODED[kind], rate=rate)
        self._stream.codec_context.layout = layout
        self._stream.codec_context.bit_rate = 160_000
        self._rate = rate
        self._resampler = av_module().AudioResampler(self._stream.codec_context.format.name, layout, rate)
        self.notes.append(f"The sound, {context.name}, was encoded again as {self._stream.codec_context.name}.")

    def add(self, packet: Packet[Any], time: Fraction) -> None:
        """Take the next packet, heard at `time`, seconds from the beginning."""
        av = av_module()
        if self._copied:
            base = Fraction(packet.time_base)
            ticks = round(time / base)
            packet.dts = ticks if packet.dts is None or packet.pts is None else ticks + packet.dts - packet.pts
            packet.pts = ticks
            if self._last is not None and packet.dts <= self._last:
                return
            self._last = packet.dts
            packet.stream = self._stream
            try:
                self._out.mux(packet)
            except (av.error.InvalidDataError, av.error.PatchWelcomeError):  # a broken head of an AAC packet
                self._damaged()
            return
        shift = time - (packet.pts or 0) * Fraction(packet.time_base)
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            self._damaged()
            return
        for frame in frames:
            if frame.pts is not None:
                frame.pts = round((frame.pts * Fraction(frame.time_base) + shift) * frame.sample_rate)
                frame.time_base = Fraction(1, frame.sample_rate)
            self._encode(self._resampler.resample(frame))

    def finish(self) -> None:
        """Write what is held back."""
        if self._copied:
            return
        self._encode(self._resampler.resample(None))
        for packet in self._stream.encode(None):
            self._out.mux(packet)

    def _damaged(self) -> None:
        if not self._broken:
            self.notes.append("Damaged parts of the sound were left out.")
        self._broken = True

    def _encode(self, frames: list[Any]) -> None:
        for frame in frames:
            for packet in self._stream.encode(frame):
                self._out.mux(packet)

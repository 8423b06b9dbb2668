"""Films read as a stream: one frame after the other with its exact time, and the sound's packets between them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..errors import FilmError
from .door import av_module, told

if TYPE_CHECKING:
    from av import AudioStream, Packet, VideoFrame

MAX_SIDE = 16384
"""Longest side of a frame that is read, pixels: a small file can claim frames of any size."""

_PICTURES = ("image2", "image2pipe")
# Decoders that know of transparency where the usual one leaves it out.
_WITH_ALPHA = {"vp9": "libvpx-vp9", "vp8": "libvpx"}
# Damaged packets in a row after which nothing more is hoped for.
_MOST_BROKEN = 1000
_GUESSED_RATE = Fraction(25)
# A film that ends this much earlier than it says, of its length, was cut short.
_MISSING = 0.05


@dataclasses.dataclass(frozen=True)
class Shown:
    """A decoded frame, and when it is shown."""

    frame: VideoFrame
    time: Fraction
    """Seconds from where reading began."""
    duration: Fraction
    """Seconds until the next frame."""


class FilmReader:
    """A film, open for reading. A context manager; each call of `parts` reads from the beginning."""

    def __init__(self, path: Path, *, start: float = 0.0, end: float | None = None, fps: float | None = None) -> None:
        """Open it.

        Args:
            path: the file.
            start: where to begin, seconds.
            end: where to end, None for the film's end.
            fps: most frames a second; those that come too early are left out.

        Raises:
            FilmError: no such file, no film, a film without pictures, or one with frames too large.
        """
        if not path.is_file():
            msg = f"{path}: there is no such file" if not path.is_dir() else f"{path}: is a folder; expected a film"
            raise FilmError(msg)
        if path.stat().st_size == 0:
            msg = f"{path}: the file is empty (0 bytes); expected a film"
            raise FilmError(msg)
        av = av_module()
        self.path = path
        self.notes: list[str] = []
        """What went wrong on the way, and what was done about it; a sentence each."""
        self._fps, self._broken, self._ends = fps, 0, Fraction(0)
        try:
            # A playlist or a name with a colon must not open anything but files.
            self._container: Any = av.open(f"file:{path}", options={"protocol_whitelist": "file"})
        except (av.error.FFmpegError, ValueError) as error:
            msg = f"{path}: is no film that can be read, or it was cut short ({_reason(error)})"
            raise FilmError(msg) from error
        try:
            self._stream = self._choose()
        except BaseException:
            self._container.close()
            raise
        self._stream.thread_type = "AUTO"
        self._began = Fraction(start).limit_denominator(10**6)
        self._zero = self._first_time() + self._began
        self._until = None if end is None else Fraction(end).limit_denominator(10**6) - self._began

    def _first_time(self) -> Fraction:
        """When the film begins by its own clock: with whatever comes first of pictures and sound."""
        pictures = self._stream.start_time
        exact = Fraction(0) if pictures is None else pictures * self.time_base
        whole = self._container.start_time
        if whole is None:
            return exact
        # The file's own start is told in microseconds; that of the pictures in their ticks.
        rough = Fraction(whole, av_module().time_base)
        return exact if abs(rough - exact) < Fraction(1, 1000) else rough

    def _choose(self) -> Any:  # noqa: ANN401
        """The stream of pictures; a cover or thumbnail is none."""
        name = self._container.format.name
        if name in _PICTURES or name.endswith("_pipe"):
            msg = f"{self.path}: is a picture, not a film; use the commands and nodes for pictures"
            raise FilmError(msg)
        streams = [one for one in self._container.streams.video if not _is_cover(one)]
        if not streams:
            held = _kinds(self._container) or "nothing at all"
            msg = f"{self.path}: holds no moving picture, only {held}; if it should, it was cut short"
            raise FilmError(msg)
        stream = streams[0]
        if max(stream.width, stream.height) > MAX_SIDE:
            msg = f"{self.path}: frames of {stream.width}x{stream.height} pixels; at most {MAX_SIDE} a side are read"
            raise FilmError(msg)
        if stream.codec_context is None or stream.codec_context.pix_fmt is None:
            msg = f"{self.path}: its pictures cannot be decoded, or the file was cut short"
            raise FilmError(msg)
        return stream

    def __enter__(self) -> FilmReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    @property
    def sound(self) -> AudioStream | None:
        """The first stream of sound that can be decoded, or None."""
        return next((one for one in self._container.streams.audio if one.codec_context is not None), None)

    @property
    def rate(self) -> Fraction:
        """Frames a second, about: a film may change its pace."""
        found = self._stream.average_rate or self._stream.guessed_rate
        return Fraction(found) if found else _GUESSED_RATE

    @property
    def time_base(self) -> Fraction:
        """Every frame's time is a multiple of this, seconds."""
        return Fraction(self._stream.time_base)

    @property
    def seconds(self) -> float | None:
        """How long it says that what is read of it lasts."""
        total = self._total()
        if total is None:
            return None
        return max(0.0, float(min(total - self._began, total if self._until is None else self._until)))

    @property
    def frames(self) -> int | None:
        """About how many frames will come; None where the file does not say."""
        seconds = self.seconds
        if seconds is None:
            return self._stream.frames or None
        rate = float(self.rate) if self._fps is None else min(float(self.rate), self._fps)
        return max(1, round(seconds * rate))

    @property
    def alpha(self) -> bool:
        """Whether its frames can be transparent."""
        return self._alpha_decoder() is not None or has_alpha(self._stream.codec_context.format)

    def color_facts(self) -> tuple[int, int, int]:
        """Matrix, range and transfer curve that the stream claims, by the numbers of ITU-T H.273."""
        context = self._stream.codec_context
        return int(context.colorspace or 2), int(context.color_range or 0), int(getattr(context, "color_trc", 2) or 2)

    @property
    def pixel_shape(self) -> Fraction:
        """Width of a pixel for its height; 1 for nearly every film."""
        found = self._stream.sample_aspect_ratio
        return Fraction(found) if found and Fraction(1, 8) <= found <= 8 else Fraction(1)

    def parts(self, *, sound: bool = False) -> Iterator[Shown | Packet[Any]]:
        """Every frame with its time, and between them the sound's packets where they are wanted.

        Raises:
            FilmError: there is no frame.
        """
        held: tuple[VideoFrame, Fraction] | None = None
        last = 1 / self.rate
        self._broken = 0
        for part in self._thinned(sound):
            if not isinstance(part, tuple):
                yield part
                continue
            if held is not None:
                last = part[1] - held[1]
                yield Shown(*held, last)
            held = part
        if held is None:
            msg = f"{self.path}: holds no frame that can be shown{self._between()}"
            raise FilmError(msg)
        frame, time = held
        ends = max(self._ends, time + (Fraction(1, 1000) if self._ends > time else last))
        ends = ends if self._until is None else min(ends, self._until)
        yield Shown(frame, time, max(ends - time, Fraction(1, 1000)))
        self._tell(ends)

    def samples(self, count: int) -> Iterator[Shown]:
        """Frames spread evenly over a long film, each the nearest before its place at which decoding can begin."""
        av = av_module()
        total = self.seconds or 0.0
        for index in range(count):
            place = float(self._zero) + total * (index + 0.5) / count
            with told(self.path, "be searched"):
                self._container.seek(int(place / float(self.time_base)), stream=self._stream)
            try:
                frame = next(iter(self._container.decode(self._stream)), None)
            except av.error.FFmpegError:
                continue
            if frame is not None:
                yield Shown(frame, Fraction(place).limit_denominator(1000) - self._zero, Fraction(1))

    def _thinned(self, sound: bool) -> Iterator[tuple[VideoFrame, Fraction] | Packet[Any]]:
        """Without the frames that come too early for the wanted pace."""
        due, rounding = Fraction(0), Fraction(1, 500)
        step = None if self._fps is None else 1 / Fraction(self._fps).limit_denominator(10**6)
        for part in self._decoded(sound):
            if isinstance(part, tuple) and step is not None:
                # Times in files are rounded, mostly to a millisecond: a frame that is early by less is on time.
                if part[1] < due - rounding:
                    continue
                due = ((part[1] + rounding) // step + 1) * step
            yield part

    def _decoded(self, sound: bool) -> Iterator[tuple[VideoFrame, Fraction] | Packet[Any]]:
        av = av_module()
        other = self._alpha_decoder()
        decoder = self._stream.codec_context if other is None else other
        audio = self.sound if sound else None
        before = Fraction(-1)
        self._rewind()
        wanted = [self._stream] if audio is None else [self._stream, audio]
        packets = iter(self._container.demux(*wanted))
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                self._broken += 1
                packet = None
            if packet is None:
                break
            if packet.stream is audio:
                if packet.pts is not None and self._sounds(packet):
                    yield packet
                continue
            try:
                # Our own decoder is told of the end by nothing instead of an empty packet.
                frames = packet.decode() if other is None else decoder.decode(packet if packet.size else None)
            except av.error.EOFError:
                break
            except av.error.FFmpegError:
                self._broken += 1
                if self._broken > _MOST_BROKEN:
                    break
                continue
            for frame in frames:
                known = frame.pts is not None
                time = frame.pts * self.time_base - self._zero if known else before + 1 / self.rate
                if time < 0 or time <= before:
                    continue
                if self._until is not None and time >= self._until:
                    self._ends = self._until
                    return
                before = time
                # Nought where the file does not say how long its frame is shown.
                own = Fraction(getattr(frame, "duration", 0) or 0) * self.time_base
                self._ends = time + own
                yield frame, time

    def _sounds(self, packet: Packet[Any]) -> bool:
        """Whether a packet of sound belongs to what is read."""
        assert packet.pts is not None
        begins = packet.pts * Fraction(packet.time_base) - self._zero
        return begins >= 0 and (self._until is None or begins < self._until)

    def sound_time(self, packet: Packet[Any]) -> Fraction:
        """When a packet of sound is heard, seconds from where reading began."""
        return (packet.pts or 0) * Fraction(packet.time_base) - self._zero

    def _rewind(self) -> None:
        place = max(Fraction(0), self._zero) if self._began else Fraction(0)
        offset = int(place / self.time_base)
        try:
            self._container.seek(offset, stream=self._stream)
        except OSError:  # some kinds of files cannot be searched, but are at their beginning yet
            self._container.close()
            av = av_module()
            self._container = av.open(f"file:{self.path}", options={"protocol_whitelist": "file"})
            self._stream = self._choose()
            self._stream.thread_type = "AUTO"
        self._stream.codec_context.flush_buffers()

    def _alpha_decoder(self) -> Any:  # noqa: ANN401
        """A fresh decoder of transparency, for kinds of films whose usual decoder leaves it out."""
        name = _WITH_ALPHA.get(self._stream.codec_context.name)
        if name is None or self._stream.metadata.get("alpha_mode") != "1":
            return None
        return av_module().CodecContext.create(name, "r")

    def _total(self) -> Fraction | None:
        if self._stream.duration:
            return Fraction(self._stream.duration) * self.time_base
        if self._container.duration:
            return Fraction(self._container.duration, av_module().time_base)
        return None

    def _between(self) -> str:
        if not self._began and self._until is None:
            return ""
        total = self._total()
        said = f"; the film lasts {float(total):.3f} s" if total is not None else ""
        ends = "its end" if self._until is None else f"{float(self._began + self._until):g} s"
        return f" from {float(self._began):g} s to {ends}{said}"

    def _tell(self, ends: Fraction) -> None:
        if self._broken:
            self.notes.append(f"{self._broken} damaged part(s) of {self.path.name} were left out.")
        total = self.seconds
        if total is not None and float(ends) < total * (1 - _MISSING) - 0.5:
            self.notes.append(f"{self.path.name} ends at {float(ends):.2f} s of {total:.2f} s: it was cut short.")
        self.notes[:] = list(dict.fromkeys(self.notes))


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def has_alpha(form: Any) -> bool:  # noqa: ANN401
    """Whether a pixel format (PyAV's `VideoFormat`) can hold transparency."""
    return form is not None and (form.name == "pal8" or any(part.is_alpha for part in form.components))


def _is_cover(stream: Any) -> bool:  # noqa: ANN401
    return bool(int(getattr(stream, "disposition", 0)) & 0x400)  # AV_DISPOSITION_ATTACHED_PIC


def _kinds(container: Any) -> str:  # noqa: ANN401
    return ", ".join(sorted({stream.type for stream in container.streams}))

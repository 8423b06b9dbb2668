"""Films read as a stream: one frame after the other with its exact time, and the sound's packets between them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FilmError
from .door import av_module, told
from .source import FilmSource

if TYPE_CHECKING:
    from av import Packet, VideoFrame

# Damaged packets in a row after which nothing more is hoped for.
_MOST_BROKEN = 1000
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


class FilmReader(FilmSource):
    """A film that is read: the part and the pace that are wanted. Each call of `parts` begins anew."""

    def __init__(self, path: Path, *, start: float = 0.0, end: float | None = None, fps: float | None = None) -> None:
        """Open it.

        Args:
            path: the file.
            start: where to begin, seconds.
            end: where to end, None for the film's end.
            fps: most frames a second; those that come too early are left out.

        Raises:
            FilmError: as `FilmSource`.
        """
        super().__init__(path)
        self._fps, self._broken, self._ends = fps, 0, Fraction(0)
        self._began = Fraction(start).limit_denominator(10**6)
        self._zero = self._first_time() + self._began
        self._until = None if end is None else Fraction(end).limit_denominator(10**6) - self._began

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
        before: Fraction | None = None
        self._rewind(self._zero if self._began else Fraction(0))
        other = self._alpha_decoder()
        audio = self.sound if sound else None
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
                frames = packet.decode() if other is None else other.decode(packet if packet.size else None)
            except av.error.EOFError:
                break
            except av.error.FFmpegError:
                self._broken += 1
                if self._broken > _MOST_BROKEN:
                    break
                continue
            for frame in frames:
                time = self._time(frame, before)
                if before is not None and time <= before:
                    continue
                before = time
                if time < 0:
                    continue
                if self._until is not None and time >= self._until:
                    self._ends = self._until
                    return
                # Nought where the file does not say how long its frame is shown; PyAV 14 tells it of packets alone.
                ticks = getattr(frame, "duration", packet.duration if packet.pts == frame.pts else 0)
                self._ends = time + Fraction(ticks or 0) * self.time_base
                yield frame, time

    def _time(self, frame: VideoFrame, before: Fraction | None) -> Fraction:
        """When a frame is shown; bare streams do not say, and go on at their pace."""
        if frame.pts is not None:
            return frame.pts * self.time_base - self._zero
        return -self._began if before is None else before + 1 / self.rate

    def _sounds(self, packet: Packet[Any]) -> bool:
        """Whether a packet of sound belongs to what is read."""
        assert packet.pts is not None
        begins = packet.pts * Fraction(packet.time_base) - self._zero
        return begins >= 0 and (self._until is None or begins < self._until)

    def sound_time(self, packet: Packet[Any]) -> Fraction:
        """When a packet of sound is heard, seconds from where reading began."""
        return (packet.pts or 0) * Fraction(packet.time_base) - self._zero

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

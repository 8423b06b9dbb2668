"""A film's file, opened: which of its streams is the picture, which the sound, and what it says of itself."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..errors import FilmError
from .colorfacts import ColorFacts
from .door import av_module

if TYPE_CHECKING:
    from av import AudioStream
    from typing_extensions import Self

MAX_SIDE = 16384
"""Longest side of a frame that is read, pixels: a small file can claim frames of any size."""

_PICTURES = ("image2", "image2pipe")
# Decoders that know of transparency where the usual one leaves it out.
_WITH_ALPHA = {"vp9": "libvpx-vp9", "vp8": "libvpx"}
_GUESSED_RATE = Fraction(25)


class FilmSource:
    """A film's file, open; a context manager."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Args:
            path: the file.

        Raises:
            FilmError: no such file, no film, a film without pictures, or one with frames too large.
        """
        if not path.is_file():
            msg = f"{path}: there is no such file" if not path.is_dir() else f"{path}: is a folder; expected a film"
            raise FilmError(msg)
        if path.stat().st_size == 0:
            msg = f"{path}: the file is empty (0 bytes); expected a film"
            raise FilmError(msg)
        self.path = path
        self.notes: list[str] = []
        """What went wrong on the way, and what was done about it; a sentence each."""
        self._open()
        self.colors = ColorFacts.of(self._stream.codec_context)
        """What the file says of its colours. Decoders write over it what the frames say, even where that is nothing."""
        if self.sound is None and any(True for _ in self._container.streams.audio):
            self.notes.append("The sound cannot be read, and is left out.")

    def _open(self) -> None:
        av = av_module()
        try:
            # A playlist or a name with a colon must not open anything but files.
            self._container: Any = av.open(f"file:{self.path}", options={"protocol_whitelist": "file"})
        except (av.error.FFmpegError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            msg = f"{self.path}: is no film that can be read, or it was cut short ({reason})"
            raise FilmError(msg) from error
        try:
            self._stream = self._choose()
        except BaseException:
            self._container.close()
            raise
        self._stream.thread_type = "AUTO"

    def _choose(self) -> Any:  # noqa: ANN401
        """The stream of pictures that FFmpeg finds best, of those that are no cover or thumbnail."""
        name = self._container.format.name
        if name in _PICTURES or name.endswith("_pipe"):
            msg = f"{self.path}: is a picture, not a film; use the commands and nodes for pictures"
            raise FilmError(msg)
        streams = [one for one in self._container.streams.video if not _is_cover(one)]
        if not streams:
            kinds = ", ".join(sorted({stream.type for stream in self._container.streams}))
            held = f"no moving picture, only {kinds}" if kinds else "nothing at all"
            msg = f"{self.path}: holds {held}; if it should, it was cut short"
            raise FilmError(msg)
        best = self._container.streams.best("video")
        stream = next((one for one in streams if best is not None and one.index == best.index), streams[0])
        if stream.codec_context is None or stream.codec_context.pix_fmt is None:
            msg = f"{self.path}: its pictures cannot be decoded, or the file was cut short"
            raise FilmError(msg)
        if max(stream.width, stream.height) > MAX_SIDE:
            msg = f"{self.path}: frames of {stream.width}x{stream.height} pixels; at most {MAX_SIDE} a side are read"
            raise FilmError(msg)
        return stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    @property
    def sound(self) -> AudioStream | None:
        """The first stream of sound that can be decoded, or None."""
        for one in self._container.streams.audio:
            if one.codec_context is not None and one.codec_context.sample_rate and one.codec_context.layout.nb_channels:
                return one
        return None

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
    def alpha(self) -> bool:
        """Whether its frames can be transparent."""
        return self._has_hidden_alpha() or has_alpha(self._stream.codec_context.format)

    @property
    def pixel_shape(self) -> Fraction:
        """Width of a pixel for its height; 1 for nearly every film."""
        found = self._stream.sample_aspect_ratio
        return Fraction(found) if found and Fraction(1, 8) <= found <= 8 else Fraction(1)

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

    def _total(self) -> Fraction | None:
        """Seconds that it says it lasts."""
        if self._stream.duration:
            return Fraction(self._stream.duration) * self.time_base
        if not self._container.duration:
            return None
        total = Fraction(self._container.duration, av_module().time_base)
        # Matroska tells when it ends, not how long it lasts.
        from_nought = self._container.format.name.startswith("matroska")
        return max(Fraction(0), total - self._first_time()) if from_nought else total

    def _rewind(self, place: Fraction) -> None:
        """Go to the last place before `place`, seconds by its own clock, at which decoding can begin."""
        av = av_module()
        try:
            self._container.seek(int(max(Fraction(0), place) / self.time_base), stream=self._stream)
        except (av.error.FFmpegError, OSError):  # some kinds cannot be searched: read from the beginning
            self._container.close()
            self._open()
        self._stream.codec_context.flush_buffers()

    def _has_hidden_alpha(self) -> bool:
        return self._stream.codec_context.name in _WITH_ALPHA and self._stream.metadata.get("alpha_mode") == "1"

    def _alpha_decoder(self) -> Any:  # noqa: ANN401
        """A fresh decoder of transparency, for kinds of films whose usual decoder leaves it out; else None."""
        if not self._has_hidden_alpha():
            return None
        return av_module().CodecContext.create(_WITH_ALPHA[self._stream.codec_context.name], "r")


def has_alpha(form: Any) -> bool:  # noqa: ANN401
    """Whether a pixel format (PyAV's `VideoFormat`) can hold transparency."""
    return form is not None and (form.name == "pal8" or any(part.is_alpha for part in form.components))


def _is_cover(stream: Any) -> bool:  # noqa: ANN401
    found = stream.disposition  # of PyAV 14 an enumeration that is no number
    return bool(int(getattr(found, "value", found)) & 0x400)  # AV_DISPOSITION_ATTACHED_PIC

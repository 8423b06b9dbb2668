"""What the node for films does, for `node_facts.py`, which runs it in ComfyUI's own Python."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch

Facts = dict[str, Any]
Part = Callable[[str], Any]
Outcome = Callable[[Callable[[], object]], str]

TIMES = (0, 40, 120, 160, 300, 340)
"""Milliseconds at which the frames of the film are shown."""


def write_film(path: Path) -> None:
    """Red and green halves over which a white square moves, uneven times, a second of sound."""
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=25)
        sound: Any = out.add_stream("aac", rate=44100)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for index, time in enumerate(TIMES):
            pixels = np.zeros((32, 48, 3), np.uint8)
            pixels[:, :24], pixels[:, 24:] = (255, 0, 77), (0, 228, 54)
            pixels[8:16, 8 * index : 8 * index + 8] = 255
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = time, stream.time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        for index in range(10):
            tone = np.sin(np.arange(1024) / 20)[None].astype(np.float32)
            wave = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            wave.sample_rate, wave.pts = 44100, 1024 * index
            out.mux(sound.encode(wave))
        out.mux(sound.encode(None))


def _seen(path: str) -> Facts:
    """Times, size, streams and colours of a film."""
    with av.open(path) as film:
        video = film.streams.video[0]
        sounds = [stream.codec_context.name for stream in film.streams.audio]
        frames = list(film.decode(video))
        colors = np.unique(frames[0].to_ndarray(format="rgb24").reshape(-1, 3), axis=0)
        times = [round(1000 * frame.pts * video.time_base) for frame in frames if frame.pts is not None]
        return {"times": times, "size": [video.width, video.height], "sounds": sounds, "colors": colors.tolist()}


def video_facts(part: Part, outcome: Outcome, models: dict[str, Any], temp: Path) -> Facts:
    """Files, frames, models, and what is refused."""
    node = part("nodes.video").PixelateVideoNode
    door = part("nodes._comfy")
    palette = part("pixel_models.palette").Palette.from_hex("#000000 #ff004d #00e436 #ffffff")
    source = temp.parent / "film.mp4"
    write_film(source)
    video = door.film_of_file(source)
    made = node.execute(video=video, cell_size=4, palette=palette, quality="exact").args
    held = type(video)(io.BytesIO(source.read_bytes()))
    from_bytes = node.execute(video=held, cell_size=4, palette=palette, format="webm", quality="exact").args
    left = sorted(path.suffix for path in temp.glob("pixel_kiln_*"))
    learned = node.execute(video=video, cell_size=4, palette=palette, model=models["pixelate"], fps=10.0).args
    batch = torch.rand(3, 33, 47, 3)
    batch[2] = batch[1]
    frames = node.execute(frames=batch, cell_size=4, palette=palette).args
    mask = torch.zeros(1, 33, 47)
    mask[:, :16] = 1
    clear = node.execute(frames=torch.cat([batch, torch.ones(3, 33, 47, 1)], dim=-1), mask=mask, cell_size=8).args
    parts = door.film_of_frames(batch, {"waveform": torch.zeros(1, 1, 4410), "sample_rate": 44100}, Fraction(12))
    kept = node.execute(video=parts, cell_size=4, palette=palette).args[0].get_components()
    return {
        "file": _seen(made[0].get_stream_source()),
        "first": [list(made[1].shape), list(made[2].shape), made[2].max().item()],
        "bytes": _seen(from_bytes[0].get_stream_source()),
        "left": left,
        "in_temp": Path(made[0].get_stream_source()).parent == temp,
        "learned": _seen(learned[0].get_stream_source())["times"],
        "frames": [list(frames[1].shape), list(frames[2].shape), bool(torch.equal(frames[1][1], frames[1][2]))],
        "clear": [list(clear[1].shape), clear[2].unique().tolist()],
        "components": [list(kept.images.shape), float(kept.frame_rate), kept.audio["sample_rate"]],
        "nothing": outcome(lambda: node.execute()),
        "bad": node.validate_inputs(method="best"),
        "not_a_film": outcome(lambda: node.execute(video=door.film_of_file(Path(__file__)))),
    }

"""Sprites from latents, by a DCGAN or a VAE: drawn, encoded, fused, and walked between, as strict pixel art."""

from __future__ import annotations

from .art import COLORS_RANGE, DEFAULT_COLORS, SHARES, Share, to_art
from .encode import Gaussian, encode_sprites
from .find import Found, find_latents
from .fit import fit_sprites
from .fuse import FUSE_HOWS, FuseHow, blend, fuse_sprites, mix_dims
from .networks import Pictures, dcgan_of, decode_latents, generator_of, latent_size, vae_of, vocabulary_of
from .noise import Seed, draw_latents, latents_of_seeds, parse_seeds
from .paths import MOST_FRAMES, WAYS, Way, circle, lerp, slerp, wander
from .sample import MOST_SPRITES, draw_sprites
from .steady import HOLD, steady_frames
from .walk import Route, check_way, draw_walk, plan_walk, sprite_keys, walk_frames

__all__ = [
    "COLORS_RANGE",
    "DEFAULT_COLORS",
    "FUSE_HOWS",
    "HOLD",
    "MOST_FRAMES",
    "MOST_SPRITES",
    "SHARES",
    "WAYS",
    "Found",
    "FuseHow",
    "Gaussian",
    "Pictures",
    "Route",
    "Seed",
    "Share",
    "Way",
    "blend",
    "check_way",
    "circle",
    "dcgan_of",
    "decode_latents",
    "draw_latents",
    "draw_sprites",
    "draw_walk",
    "encode_sprites",
    "find_latents",
    "fit_sprites",
    "fuse_sprites",
    "generator_of",
    "latent_size",
    "latents_of_seeds",
    "lerp",
    "mix_dims",
    "parse_seeds",
    "plan_walk",
    "slerp",
    "sprite_keys",
    "steady_frames",
    "to_art",
    "vae_of",
    "vocabulary_of",
    "walk_frames",
    "wander",
]

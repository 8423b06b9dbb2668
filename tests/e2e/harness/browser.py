"""ComfyUI's own page in a real Chromium: opens and runs workflows, and keeps every complaint the page makes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Dialog, Error, Page, Response, Route, sync_playwright

from harness.client import Json, Prompt

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
VIEW = {"width": 1920, "height": 1080}

QUIET_SETTINGS = {
    "Comfy.TutorialCompleted": True,  # else a first visit opens the template browser
    "Comfy.Minimap.Visible": False,
    "Comfy.Graph.CanvasInfo": False,
    "Comfy.Workflow.WorkflowTabsPosition": "Sidebar",
}
"""Settings of the frontend that keep its welcome, map, figures and tabs out of the pictures."""

_WATCH = """
localStorage.setItem('vueNodesBannerDismissed', 'true');
window.kilnNotices = [];
const kinds = '.p-toast-message, .p-dialog, .comfy-modal, [role=dialog], [role=alertdialog]';
const seen = new WeakSet();
new MutationObserver(() => {
  for (const element of document.querySelectorAll(kinds)) {
    const shown = element.checkVisibility ? element.checkVisibility() : true;
    if (shown && element.innerText && !seen.has(element)) {
      seen.add(element);
      window.kilnNotices.push(element.innerText.trim().slice(0, 500));
    }
  }
}).observe(document, {childList: true, subtree: true, attributes: true});
"""


class ComfyPage:
    """The page of a running ComfyUI."""

    def __init__(self, page: Page, address: str) -> None:
        """Opens ComfyUI and waits until its graph is there.

        Args:
            page: an empty page.
            address: the server's.
        """
        self.page = page
        self.address = address
        self._complaints: list[str] = []
        page.on("pageerror", lambda error: self._complaints.append(f"page error: {error}"))
        page.on("dialog", self._refuse)
        page.add_init_script(_WATCH)
        page.goto(address)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Waits until the page can be given a workflow."""
        ready = "window.app && window.app.graph && window.app.extensionManager"
        self.page.wait_for_function(ready, timeout=120_000)
        self.page.wait_for_selector("canvas", timeout=60_000)
        self.page.wait_for_timeout(2000)  # what it opens by itself at the start

    def _refuse(self, dialog: Dialog) -> None:
        self._complaints.append(f"alert: {dialog.message}")
        dialog.dismiss()

    def complaints(self) -> list[str]:
        """Page errors, alerts, toasts and dialogs since the last call."""
        notices = self.page.evaluate("window.kilnNotices.splice(0)")
        found = [*self._complaints, *(f"notice: {notice}" for notice in notices)]
        self._complaints.clear()
        return found

    def wait_for_complaint(self, seconds: float = 60.0) -> str:
        """The next complaint; empty when none comes in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := self.complaints():
                return found[0]
            self.page.wait_for_timeout(200)
        return ""

    def open(self, workflow: Json, name: str) -> None:
        """Loads a workflow as opening its file does, and shows all of it."""
        script = "([workflow, name]) => window.app.loadGraphData(workflow, true, true, name)"
        self.page.evaluate(script, [workflow, name])
        self.page.wait_for_timeout(1500)
        self.fit()

    def fit(self) -> None:
        """Zooms so that the whole workflow is seen."""
        self.page.evaluate("window.app.extensionManager.command.execute('Comfy.Canvas.FitView')")
        self.page.wait_for_timeout(1000)

    def prompt(self) -> Prompt:
        """What the page would queue, in API format."""
        output = self.page.evaluate("async () => (await window.app.graphToPrompt()).output")
        return {node: {"class_type": entry["class_type"], "inputs": entry["inputs"]} for node, entry in output.items()}

    def run(self) -> str:
        """Presses run.

        Returns:
            The prompt's id.
        """
        with self.page.expect_response(_is_queued) as answer:
            self.page.evaluate("window.app.queuePrompt(0, 1)")
        return answer.value.json()["prompt_id"]

    def wait_for_pictures(self, count: int, seconds: float = 30.0) -> int:
        """Waits until that many nodes show pictures.

        Returns:
            How many do.
        """
        script = "window.app.graph.nodes.filter(node => node.imgs && node.imgs.length && node.imgs[0].complete).length"
        deadline = time.monotonic() + seconds
        shown = 0
        while time.monotonic() < deadline and (shown := self.page.evaluate(script)) < count:
            self.page.wait_for_timeout(300)
        return shown

    def screenshot(self, path: Path) -> None:
        """Saves what is seen."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)


def _is_queued(answer: Response) -> bool:
    """Whether this is the server's answer to a prompt."""
    return answer.request.method == "POST" and answer.url.endswith("/prompt")


@contextmanager
def open_browser(program: Path, address: str) -> Iterator[ComfyPage]:
    """ComfyUI's page in a Chromium that reaches nothing but the server."""

    def only_ours(route: Route) -> None:
        if route.request.url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            route.abort()

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            context = browser.new_context(viewport=VIEW, locale="en-US")  # pyright: ignore[reportArgumentType]
            context.route("**/*", only_ours)
            yield ComfyPage(context.new_page(), address)
        finally:
            with suppress(Error):
                browser.close()

"""The page in a browser. Where Gradio, Playwright and Chromium are installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

HUB = Path(__file__).parents[2] / "hub"
pytest.importorskip("gradio")
playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def address():
    command = [sys.executable, "-m", "inrvid", "explore", str(HUB / "digan_landscapes_32"), "--cpu", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().split(": ")[1].split()[0]
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_time_and_motion_change_the_picture_and_nothing_else_is_asked(address, tmp_path):
    asked = []
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(address)
        frame = tab.locator("#frame img").first
        frame.wait_for(timeout=60_000)
        for control, value in (("#motion", "5"), ("#time", "12"), ("#content", "3"), ("#zoom", "0.6")):
            before, box = frame.screenshot(), tab.locator(f"{control} input[type=number]").first
            box.fill(value)
            box.press("Enter")
            box.blur()
            until = time.monotonic() + 20
            while frame.screenshot() == before and time.monotonic() < until:
                time.sleep(0.05)
            assert frame.screenshot() != before, control
        tab.click("#play")
        tab.locator("#clip video").first.wait_for(timeout=60_000)
        tab.screenshot(path=tmp_path / "page.png", full_page=True)
        browser.close()
    assert [url for url in asked if url.startswith("http") and "127.0.0.1" not in url] == []

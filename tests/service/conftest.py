"""What the tests of pages share: a Chromium."""

import shutil

import pytest


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    place = next(filter(None, map(shutil.which, names)), None)
    with sync_api.sync_playwright() as driver:
        try:
            found = driver.chromium.launch(executable_path=place, args=["--no-sandbox"])
        except sync_api.Error as fault:
            pytest.skip(f"no chromium can be started: {str(fault).splitlines()[0]}")
        yield found
        found.close()

"""Opens a report of Snakemake in a real, offline browser and checks what a reader would see."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1600,1000",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # offline, whatever the page asks for
)
SECONDS = 30


@dataclass
class Opened:
    """What a report showed."""

    categories: dict[str, list[str]] = field(default_factory=dict)  # name -> paths of its results
    captions: dict[str, str] = field(default_factory=dict)  # path -> text of its caption
    shown: list[str] = field(default_factory=list)  # paths that opened as a picture or a page
    pages: dict[str, str] = field(default_factory=dict)  # path -> text of the page of HTML
    requests: list[str] = field(default_factory=list)  # addresses outside the page


def find_browser() -> tuple[str, str]:
    """Return the browser and its driver, or skip the test with the reason."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip(
            "chromium and chromedriver are not on PATH (Debian: apt-get install chromium chromium-driver)"
        )
    return browser, driver


@contextmanager
def open_browser() -> Iterator[WebDriver]:
    """Start a browser with a profile of its own, recording its console and its requests."""
    browser, driver = find_browser()
    with tempfile.TemporaryDirectory(prefix="relatask-browser-", ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.set_capability("unhandledPromptBehavior", "ignore")
        service = webdriver.ChromeService(driver, env={**os.environ, "SE_AVOID_STATS": "true"})
        session = webdriver.Chrome(options=options, service=service)
        try:
            yield session
        finally:
            session.quit()


def check_report(path: Path, screenshot: Path | None = None) -> Opened:
    """Open the report at `path`, open every result and its caption, and assert that a reader can trust it.

    Asserts that each category is listed, that each picture or page of a category shows, that each result
    has a caption, that nothing fails in the console, that nothing is asked from outside the file, and that
    no text of the data ran as a script.
    """
    opened = Opened()
    with open_browser() as browser:
        browser.get("about:blank")  # what the browser's own first page asked for is not the report's doing
        browser.get_log("performance")
        try:
            _open_all(browser, path, opened, screenshot)
        except Exception:
            _nothing_ran(browser)  # with a dialog open, any command may fail, or return None instead of text
            raise
        _nothing_ran(browser)
        opened.requests = _requests(browser)
        errors = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert not opened.requests, f"{path} asks for {opened.requests}"
    assert not errors, f"{path} fails in the console: {errors}"
    return opened


def _open_all(browser: WebDriver, path: Path, opened: Opened, screenshot: Path | None) -> None:
    """Open each category and each result of it."""
    browser.get(path.resolve().as_uri())
    wait = WebDriverWait(browser, SECONDS)
    wait.until(lambda page: page.find_elements(By.CSS_SELECTOR, "#app nav"))
    categories = browser.execute_script("return categories")
    assert categories, f"{path} lists no category"
    for category, subcategories in categories.items():
        paths = [result for results in subcategories.values() for result in results]
        opened.categories[category] = paths
        _open_category(browser, wait, category, screenshot)
        for result in paths:
            _open_result(browser, wait, result, opened)
        browser.execute_script("app.setView({navbarMode: 'menu'})")


def _open_category(browser: WebDriver, wait: WebDriverWait, category: str, screenshot: Path | None) -> None:
    """Click the category in the menu, then the eye of its first result, as a reader would."""
    entry = wait.until(
        lambda page: [
            span
            for span in page.find_elements(By.CSS_SELECTOR, "#app nav li a span")
            if span.text == category
        ],
        f"category {category!r} is not in the menu",
    )
    browser.execute_script("arguments[0].click()", entry[0])  # entries still glide into place
    rows = wait.until(lambda page: page.find_elements(By.CSS_SELECTOR, "#app nav table tbody tr"))
    browser.execute_script("arguments[0].querySelector('a').click()", rows[0])
    if screenshot:
        wait.until(
            lambda page: page.find_elements(By.CSS_SELECTOR, "#app img[src^='data:image'], #app iframe")
        )
        browser.save_screenshot(str(screenshot.with_name(f"{screenshot.stem}-{category}.png")))


def _open_result(browser: WebDriver, wait: WebDriverWait, result: str, opened: Opened) -> None:
    """Show one result and its caption."""
    browser.execute_script("app.showResultInfo(arguments[0])", result)
    caption = wait.until(
        lambda page: page.find_elements(By.CSS_SELECTOR, "nav li.prose"), f"{result} has no caption"
    )[0].text.strip()
    assert caption, f"{result} has no caption"
    assert "system message" not in caption.lower(), f"the caption of {result} is not valid: {caption}"
    opened.captions[result] = caption
    kind = browser.execute_script("return results[arguments[0]].mime_type", result)
    if not kind.startswith("image/") and kind != "text/html":
        return  # offered as a download
    content = "img" if kind.startswith("image/") else "html"
    browser.execute_script(
        "app.setView({content: arguments[1], contentPath: results[arguments[0]].data_uri})", result, content
    )
    if content == "img":
        wait.until(
            lambda page: page.execute_script(
                "const image = document.querySelector('#app .grow img');"
                "return image && image.src === results[arguments[0]].data_uri"
                " && image.complete && image.naturalWidth > 100",
                result,
            ),
            f"{result} does not show",
        )
    else:
        frame = wait.until(lambda page: page.find_elements(By.CSS_SELECTOR, "#app iframe"))[0]
        browser.switch_to.frame(frame)
        opened.pages[result] = wait.until(lambda page: page.find_element(By.TAG_NAME, "body").text)
        assert not browser.find_elements(By.CSS_SELECTOR, "script"), f"{result} holds a script"
        browser.switch_to.default_content()
    opened.shown.append(result)


def _nothing_ran(browser: WebDriver) -> None:
    """Assert that no dialog is open, which is what hostile names try to show."""
    try:
        text = browser.switch_to.alert.text
    except NoAlertPresentException:
        return
    raise AssertionError(f"a script in the data opened a dialog: {text!r}")


def _requests(browser: WebDriver) -> list[str]:
    """Addresses that the browser asked for, other than the file itself and what is embedded in it."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    return [url for url in urls if not url.startswith(("file:", "data:", "blob:", "about:", "chrome"))]

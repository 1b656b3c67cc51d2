"""A person in front of a page: Chromium, driven by Selenium, with no network but this machine."""

import base64
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests import tools

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
# Gradio's panels stay in the document, hidden: what is to be seen has a width, or its block.
SEEN = """return [...document.querySelectorAll(arguments[0])].filter(
  node => (node.type === "file" ? node.closest(".block") : node).offsetWidth)"""
# Tabs that do not fit are in a menu, which has to be opened first.
PRESS = """const named = [...document.querySelectorAll("button")].filter(
  node => node.innerText.trim() === arguments[0] && !node.closest(".visually-hidden"));
const shown = named.find(node => node.offsetWidth) || named.find(node => node.closest(".overflow-dropdown"));
(shown || document.querySelector(".overflow-menu > button"))?.click();
return Boolean(shown)"""


class Person:
    """Looks and clicks; everything waits until it is there."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, address: str, width: int = 1280, theme: str = "light") -> None:
        size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.get(f"{address}?__theme={theme}")

    def see(self, selector: str, count: int = 1) -> list[WebElement]:
        """What is to be seen of the selector, at least so many."""
        return self.until(lambda: len(found := self.driver.execute_script(SEEN, selector)) >= count and found)

    def sources(self, selector: str = ".tabitem img") -> list[str]:
        """The addresses of the pictures in the open tab."""
        return [image.get_attribute("src") for image in self.driver.execute_script(SEEN, selector)]

    def changed(self, before: list[str], selector: str = ".tabitem img") -> list[str]:
        """The same, as soon as it is another than before."""
        return self.until(lambda: (now := self.sources(selector)) != before and now)

    def text(self, words: str, seconds: float = 90) -> str:
        """What the page says, as soon as these words are in it."""
        return self.until(lambda: words in (said := self.said()) and said, seconds)

    def said(self) -> str:
        """All that the page says."""
        return self.driver.find_element(By.TAG_NAME, "body").text

    def press(self, name: str) -> None:
        """Click the tab or the button of that name."""
        self.until(lambda: self.driver.execute_script(PRESS, name))

    def drag(self, node: WebElement, *places: tuple[float, float]) -> None:
        """Press at the first place and move over the others; places are shares of width and height from the middle."""
        chain = ActionChains(self.driver, duration=50)
        points = [(round(x * node.size["width"]), round(y * node.size["height"])) for x, y in places]
        chain.move_to_element_with_offset(node, *points[0]).click_and_hold()
        for point in points[1:]:
            chain.move_to_element_with_offset(node, *point)
        chain.release().perform()

    def upload(self, index: int, path: Path) -> None:
        """Give a file to the place to drop pictures of that number in the open tab."""
        self.see("input[type=file]", index + 1)[index].send_keys(str(path))

    def until(self, found: Callable[[], Any], seconds: float = 90) -> Any:
        """What it finds, as soon as it finds something."""
        end = time.monotonic() + seconds
        while not (result := found()):
            assert time.monotonic() < end, f"waited in vain; the page says:\n{self.said()}"
            time.sleep(0.2)
        return result

    def picture(self, path: Path) -> None:
        """A screenshot of the whole page, when nothing more is being made."""
        self.until(lambda: not any(sign in self.said() for sign in ("processing", "queue: ")))
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
        path.write_bytes(base64.b64decode(shot["data"]))

    def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        return self.driver.execute_script("return document.documentElement.scrollWidth - innerWidth")

    def strangers(self) -> set[str]:
        """Addresses outside this machine that the page asked for."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}
        return {url for url in asked if not url.startswith(("http://127.0.0.1:", "file:", "data:", "blob:"))}

    def complaints(self) -> list[str]:
        """What went wrong in the page by the browser's console: errors of scripts, and what the page may not load."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


@contextmanager
def person() -> Iterator[Person]:
    """Start and end Chromium (Debian packages chromium and chromium-driver)."""
    tools.needs("chromedriver")
    options = webdriver.ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield Person(driver)
    finally:
        driver.quit()

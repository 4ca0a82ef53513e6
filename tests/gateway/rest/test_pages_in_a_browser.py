"""The API page in Chromium: accessible in light and dark, on a desk and on a phone, usable by keyboard and without a script."""

import shutil
from collections.abc import AsyncIterator

import pytest

playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
from axe_playwright_python.async_playwright import Axe  # noqa: E402

from tests.gateway.rest.serving import served_pages  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")

LOOKS = {"dark desk": ("dark", 1280, 900), "light phone": ("light", 360, 740)}
PAGES = ("/docs", "/docs?q=submit", "/docs/QuoteService", "/docs/AuditService", "/docs/reasons")


@pytest.fixture(scope="module")
async def url() -> AsyncIterator[str]:
    async with served_pages() as found:
        yield found


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator["playwright.Browser"]:
    async with playwright.async_playwright() as driver:
        opened = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        await opened.close()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("look", LOOKS)
async def test_a_page_is_accessible_and_fits(path: str, look: str, url: str, browser: "playwright.Browser") -> None:
    scheme, width, height = LOOKS[look]
    page = await browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(url + path)
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert errors == []
    await page.close()


async def test_typing_filters_the_methods_and_says_how_many_are_left(url: str, browser: "playwright.Browser") -> None:
    page = await browser.new_page()
    await page.goto(f"{url}/docs")
    await page.keyboard.press("/")
    await page.keyboard.type("quotes :submit")
    assert await page.locator("[data-text]:visible").count() == 1
    assert (await page.locator("#count").inner_text()).startswith("1 of ")
    await page.locator("[data-text]:visible a").focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/docs/QuoteService#SubmitQuote")
    await page.close()


async def test_without_a_script_a_search_is_a_form(url: str, browser: "playwright.Browser") -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{url}/docs/reasons")
    await page.get_by_label("Search methods").fill("withdraw")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/docs?q=withdraw")
    assert await page.locator("[data-text]").count() == 1
    assert await page.get_by_role("link", name="WithdrawQuote").count() == 1
    await context.close()


async def test_an_example_can_be_copied(url: str, browser: "playwright.Browser") -> None:
    context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    await page.goto(f"{url}/docs/QuoteService")
    await page.get_by_role("button", name="Copy the example of SubmitQuote").click()
    assert (await page.evaluate("navigator.clipboard.readText()")).startswith("curl -X POST")
    await context.close()

"""Parts of the page, as a person would name them."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.waiting import scaled


def row(page: Page, name: str) -> Locator:
    """An agent's row in the list."""
    return (
        page.get_by_role("navigation", name="Agents").get_by_role("link").filter(has=page.get_by_text(name, exact=True))
    )


def status(page: Page) -> Locator:
    """How the connection stands, in words."""
    return page.locator("header.top").get_by_role("status")


def terminal(page: Page) -> Locator:
    """The rows of the terminal."""
    return page.locator(".xterm-rows")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def expect_on_screen(page: Page, pattern: str, timeout_s: float = 10) -> None:
    """Wait until the terminal shows a line that matches."""
    line = terminal(page).locator("> div").filter(has_text=re.compile(pattern)).first
    expect(line).to_be_visible(timeout=scaled(timeout_s) * 1000)


def type_into_terminal(page: Page, text: str) -> None:
    """Type as a person does, once the terminal is attached."""
    expect(page.locator(".foot")).to_contain_text(re.compile(r"\d+ × \d+"))
    page.get_by_role("textbox", name="Terminal input").focus()
    page.keyboard.type(text)


def lines(page: Page) -> list[str]:
    """What a log shows now."""
    return page.locator(".line").all_text_contents()


def rows(page: Page) -> list[str]:
    """What the terminal shows now."""
    return [text.rstrip() for text in terminal(page).locator("> div").all_text_contents()]

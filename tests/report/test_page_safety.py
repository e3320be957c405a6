"""Text of tests is data: nothing that a test wrote can act in the report, in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from pytest_workflow_monitor.report import render_html
from pytest_workflow_monitor.report.links import web_link
from tests.report import sample

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.report.conftest import Reader, Show

ELEMENTS = """() => ({
  scripts: [...document.querySelectorAll("script")].filter(
    node => !["application/octet-stream"].includes(node.type)).length,
  images: document.querySelectorAll("img, iframe, object, embed, form:not(#toolbar), base").length,
  handlers: [...document.querySelectorAll("*")].filter(
    node => [...node.attributes].some(item => item.name.startsWith("on"))).length,
  styles: document.querySelectorAll("[style*=url], style").length,
  bold: document.querySelectorAll("main b:not(.case-number b)").length,
  links: [...document.querySelectorAll("a")].map(node => node.protocol),
})"""


def check(page: Page) -> None:
    """Nothing in the page was made by the hostile text."""
    found = page.evaluate(ELEMENTS)
    assert found["scripts"] == 2
    assert found["images"] == 0
    assert found["handlers"] == 0
    assert found["styles"] == 1
    assert found["bold"] == 0
    assert set(found["links"]) <= {"file:", "http:", "https:"}


@pytest.mark.parametrize("java_script_enabled", [True, False])
def test_hostile_text_makes_no_elements(show: Show, *, java_script_enabled: bool) -> None:
    """With hostile text in every field there is no foreign element, dialog, handler or link."""
    page = show(sample.hostile(), java_script_enabled=java_script_enabled)
    check(page)
    expect(page.locator("h1")).to_have_text("2 of 2 workflows need attention")


def test_hostile_text_stays_text_when_opened(show: Show) -> None:
    """The panels, the table and the filters show the same text as text."""
    page = show(sample.hostile())
    for index in range(2):
        page.locator(".case > summary").nth(index).click()
        expect(page.locator(".case .panel")).to_have_count(index + 1)
    page.locator(".row a").first.click()
    expect(page.locator("#rows .panel")).to_be_visible()
    check(page)
    expect(page.locator("#rows .panel")).to_contain_text("</script><script>alert(1)</script>")
    expect(page.locator("#rows .panel .sheet")).to_contain_text("javascript:alert(6)")
    for number in (8, 9):
        expect(page.locator("#rows .panel")).to_contain_text(f"javascript:alert({number})")
    addresses = page.locator("a").evaluate_all("nodes => nodes.map((node) => node.href)")
    assert not [address for address in addresses if "javascript" in address.split("?")[0][:20]]


def test_terminal_colours_vanish_and_control_characters_show(show: Show) -> None:
    """Escape sequences of terminals are not shown, other control characters are made visible."""
    page = show(sample.hostile())
    name = page.locator(".case h3").first.inner_text()
    assert "\ufffd\ufffdred" in name
    assert "\x1b" not in name
    assert "[31m" not in name


def test_the_policy_admits_only_the_page_itself() -> None:
    """No source of scripts, styles or connections but what is in the file, named by hash."""
    text = render_html(sample.six()).decode()
    found = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert found
    policy = found[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert len(re.findall(r"'sha256-[A-Za-z0-9+/]{43}='", policy)) == 3
    assert " style=" not in text
    assert "https://" not in re.sub(r'href="https://[^"]+"', "", text.split("<body", 1)[1])


def test_the_policy_stops_what_would_get_in_nevertheless(reader: Reader) -> None:
    """A script, a handler and a picture from the network are refused by the browser."""
    page = reader.show(sample.six())
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.intruder = 1";
          const box = document.createElement("div");
          box.innerHTML = '<button id="bad" onclick="window.intruder = 2">x</button>';
          const image = document.createElement("img");
          image.src = "https://example.invalid/x.png";
          document.body.append(script, box, image);
          document.getElementById("bad").click();
        }"""
    )
    assert page.evaluate("window.intruder") is None
    page.wait_for_function("() => document.images[0].complete")
    refused = [problem for problem in reader.problems if "Content Security Policy" in problem]
    others = [problem for problem in reader.problems if problem not in refused]
    assert len(refused) == 3
    assert others == ["request: https://example.invalid/x.png"]  # asked for, never sent
    reader.problems.clear()


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " https://example.com",
        "https://exam ple.com",
        "https://example.com/\n\n# heading",
        "data:text/html,x",
        "file:///etc/passwd",
        "//example.com",
        "http:",
        "https://[::1",
        "",
    ],
)
def test_only_web_addresses_become_links(address: str) -> None:
    """An address that is not plain http or https to a host stays text."""
    assert web_link(address) == ""


def test_web_addresses_are_links() -> None:
    """A runbook on the web is one."""
    assert web_link("https://wiki.example.com/a?b=c#d") == "https://wiki.example.com/a?b=c#d"

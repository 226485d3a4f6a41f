"""Pages for people: the documentation, and what each error code means."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from otp_service.web import explanations
from otp_service.web.error_handlers import STATUS

ERRORS = sorted({kind.code for kind in STATUS})


def test_each_page_says_which_it_is_and_in_which_language(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()
    pages = [
        path.replace("{code}", "invalid_json")
        for path, item in document["paths"].items()
        if "text/html" in item.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
    ]
    assert {"/docs", "/redoc", "/sandbox"} < set(pages)
    titles = {}
    for path in pages:
        html = client.get(path, headers={"Accept": "text/html"}).text
        assert '<html lang="en' in html, path
        titles[path] = re.findall("<title>(.*)</title>", html)
    assert len({title for (title,) in titles.values()}) == len(pages)
    assert titles["/docs"] == ["Swagger UI · WhatsApp OTP"]
    assert titles["/redoc"] == ["ReDoc · WhatsApp OTP"]


@pytest.mark.parametrize("code", ERRORS)
def test_each_code_has_a_page_with_its_rule_and_an_answer(client: FlaskClient, code: str) -> None:
    page = client.get(f"{explanations.PATH}/{code}")
    assert page.status_code == 200
    assert explanations.EXPLANATIONS[code].rule in unescape(page.text)
    assert f'"code": "{code}"' in unescape(page.text)
    assert "http://" not in page.text
    assert "https://" not in page.text


@pytest.mark.parametrize("code", ["nope", "a" * 65, "Invalid_OTP", "..", "%3Cb%3E"])
def test_a_code_that_is_none_has_no_page(client: FlaskClient, code: str) -> None:
    assert client.get(f"{explanations.PATH}/{code}").status_code == 404

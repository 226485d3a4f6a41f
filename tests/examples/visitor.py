"""A person with a browser that shows no pages: follows links, fills in forms."""

from __future__ import annotations

import copy
import html
import re
from dataclasses import dataclass

import requests

from tests.conftest import LiveServer


@dataclass(frozen=True)
class Page:
    path: str
    status: int
    text: str

    @property
    def heading(self) -> str:
        return "".join(re.findall(r"<h1>(.*)</h1>", self.text))

    @property
    def said(self) -> list[str]:
        """What stands above the form."""
        return [html.unescape(text) for text in re.findall(r'id="said"[^>]*>(.*?)</p>', self.text)]

    def seconds(self, name: str) -> int:
        """From where the element of this id counts down."""
        return int(re.findall(rf'id="{name}" data-seconds="(\d+)"', self.text)[0])


class Visitor:
    def __init__(self, site: LiveServer) -> None:
        self._url, self._session = site.url, requests.Session()
        self.page = self.open("/")

    def twin(self) -> Visitor:
        """The same page in the same browser, as it is now."""
        return copy.deepcopy(self)

    def open(self, path: str) -> Page:
        return self._seen(self._session.get(self._url + path, timeout=30))

    def fill_in(self, path: str, **fields: str) -> Page:
        """Send the form for this path, as the page that is open has it."""
        csrf = re.findall(r'name="csrf" value="(\w+)"', self.page.text)[0]
        fields = {"csrf": csrf, **fields}
        return self._seen(self._session.post(self._url + path, data=fields, timeout=30))

    def _seen(self, answer: requests.Response) -> Page:
        path = answer.url.removeprefix(self._url)
        self.page = Page(path, answer.status_code, answer.text)
        return self.page


def code(service: LiveServer, phone: str) -> str:
    """What the sandbox's phone shows."""
    shown = requests.get(f"{service.url}/sandbox/messages", timeout=30).json()["data"]["messages"]
    newest = max((each["sent_at"], each["code"]) for each in shown if each["phone_number"] == phone)
    return str(newest[1])

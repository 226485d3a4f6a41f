"""The head of an answer: what waitress writes, in a tenth of its time."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from waitress.utilities import build_http_date

if TYPE_CHECKING:
    from waitress.task import Task
else:
    Task = object

_BODILESS = ("1", "204", "304")  # statuses begin so
_ONCE = ("Content-Length", "Date")  # ours are last: what the application says comes first
_date = lru_cache(2)(build_http_date)  # of a whole second


class AnswerHead(Task):
    """For a task of waitress's. Headers are spelled alike, and sorted by their names."""

    response_headers: list[tuple[str, str]]
    version: str
    status: str
    chunked_response: bool
    content_length: int | None
    request: Any
    channel: Any
    start_time: float

    def build_response_header(self) -> bytes:
        has_body = not self.status.startswith(_BODILESS)
        self._tell_where_it_ends(self.content_length if has_body else None, has_body=has_body)
        self.response_headers.append(("Date", _date(int(self.start_time))))
        names, values = zip(*self.response_headers, strict=True)
        form, in_order = _form(names, has_body)
        return (form % (self.version, self.status, *in_order(values))).encode("latin-1")

    def _tell_where_it_ends(self, length: int | None, *, has_body: bool) -> None:
        """By its length, chunks or, as with all that have no length, the connection's end."""
        wish, is_new = self.request.headers.get("CONNECTION", "").lower(), self.version == "1.1"
        if length is not None:
            self.response_headers.append(("Content-Length", str(length)))
        elif is_new and has_body:
            self.response_headers.append(("Transfer-Encoding", "chunked"))
            self.chunked_response = True
        ends = wish == "close" if is_new else wish != "keep-alive"
        if length is None or ends or self.channel.server.is_closing:
            self.set_close_on_finish()
        elif not is_new:
            self.response_headers.append(("Connection", "Keep-Alive"))


@lru_cache(256)
def _form(names: tuple[str, ...], has_body: bool) -> tuple[str, Callable[[Any], Any]]:
    """A head to be filled in with version, status and values, and what brings these in order.

    An application's answers have few sets of headers, so each is spelled and sorted once.
    """
    spelled = ["-".join([part.capitalize() for part in name.split("-")]) for name in names]

    def counts(at: int) -> bool:
        if spelled[at] == "Content-Length" and not has_body:
            return False
        return spelled[at] not in _ONCE or spelled[at] not in spelled[:at]

    places = sorted(filter(counts, range(len(spelled))), key=spelled.__getitem__)
    lines = "".join(f"{spelled[at].replace('%', '%%')}: %s\r\n" for at in places)
    return f"HTTP/%s %s\r\n{lines}\r\n", itemgetter(*places)

"""Writing replies (page §3): envelope, faults, and the encodings that take turns (page §1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from xml.sax.saxutils import escape

from aiohttp import web

from mocks.one_stop.envelope import SOAP
from mocks.one_stop.refusal import SoapFault
from mocks.one_stop.schema import NAMESPACE

#: What can be written: an element's text, one element's items, or several elements of one name.
Value = str | Mapping[str, "Value"] | Sequence[Mapping[str, "Value"]]

_CARRIAGE_RETURN = {"\r": "&#13;"}


class Replies:
    """Makes the HTTP answers; every ``gb18030_every``-th is GB18030, with its charset missing or a lie."""

    def __init__(self, gb18030_every: int) -> None:
        self._every = gb18030_every
        self._numbers = count(1)

    def response(self, operation: str, items: Mapping[str, Value]) -> web.Response:
        """The response element of ``operation`` with ``items`` in their order; a list repeats its element."""
        content = f'<{operation}Response xmlns="{NAMESPACE}">{_elements(items)}</{operation}Response>'
        return self._answer(200, content)

    def fault(self, fault: SoapFault, *, status: int = 500) -> web.Response:
        """A Fault with errCode and retryAfter."""
        wait = "" if fault.retry_after is None else str(fault.retry_after)
        detail = (
            f'<detail><d:fault xmlns:d="{NAMESPACE}">'
            f"{_element('d:errCode', fault.code)}{_element('d:retryAfter', wait)}</d:fault></detail>"
        )
        return self._fault("Client" if fault.code in SoapFault.CLIENT else "Server", fault.text, detail, status)

    def bare_fault(self, who: str) -> web.Response:
        """A Fault without detail; ``who`` is ``Server`` or ``Client``."""
        return self._fault(who, "系统内部错误", "", 500)

    def _fault(self, who: str, text: str, detail: str, status: int) -> web.Response:
        content = f"<soap:Fault><faultcode>soap:{who}</faultcode>{_element('faultstring', text)}{detail}</soap:Fault>"
        return self._answer(status, content)

    def _answer(self, status: int, content: str) -> web.Response:
        number = next(self._numbers)
        envelope = f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>{content}</soap:Body></soap:Envelope>'
        if self._every and number % self._every == 0:
            charset = "; charset=utf-8" if number // self._every % 2 else ""
            body = f'<?xml version="1.0" encoding="GB18030"?>{envelope}'.encode("gb18030")
            return web.Response(status=status, body=body, headers={"Content-Type": f"text/xml{charset}"})
        # No declaration means UTF-8 as well, so both forms are sent.
        declaration = '<?xml version="1.0" encoding="UTF-8"?>' if number % 2 else ""
        body = f"{declaration}{envelope}".encode()
        return web.Response(status=status, body=body, headers={"Content-Type": "text/xml; charset=utf-8"})


def _elements(items: Mapping[str, Value]) -> str:
    return "".join(_element(name, value) for name, value in items.items())


def _element(name: str, value: Value) -> str:
    if isinstance(value, str):
        return f"<{name}>{escape(value, _CARRIAGE_RETURN)}</{name}>" if value else f"<{name}/>"
    if isinstance(value, Mapping):
        return f"<{name}>{_elements(value)}</{name}>"
    return "".join(_element(name, row) for row in value)


def written_size(items: Mapping[str, Value]) -> int:
    """Bytes that ``items`` take at most in a reply (GB18030 needs up to four for a character, UTF-8 too)."""
    return 4 * len(_elements(items))

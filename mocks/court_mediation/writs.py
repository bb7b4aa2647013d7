"""Decision documents 文书 and their links (court_mediation §5): 600 s, without cookie, on this host alone."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from mocks.court_mediation.moments import write_time
from mocks.court_mediation.paper import pdf
from mocks.court_mediation.reading import Denied
from mocks.court_mediation.settings import Settings

ADDRESS: Final = "/fayuan/a/ws/file"


@dataclass(frozen=True, slots=True)
class Writ:
    """One document: 文书名称, 文书编号, 法院名称."""

    title: str
    number: str
    court: str

    @property
    def content(self) -> bytes:
        """Its PDF, the same bytes at every call and after a restart."""
        return pdf([self.court, self.title, f"文书编号 {self.number}", "本文书由模拟平台生成，仅供测试"])


class Writs:
    """Issues documents and links. A link carries its own end and a seal, so a restart forgets none."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seal_key = hashlib.sha256(b"ws-link" + settings.key).digest()
        self._writs: dict[str, Writ] = {}
        self._count = 0

    def issue(self, title: str, court: str, now: datetime) -> dict[str, str]:
        """A new document with a fresh link, as an entry of `wslist`."""
        self._count += 1
        writ = Writ(title, f"WS{now:%Y%m%d}{self._count:06d}", court)
        self._writs[writ.number] = writ
        content = writ.content
        return {
            "c_wsmc": title,
            "c_wsbh": writ.number,
            "c_fymc": court,
            **self._link(writ.number, now),
            "wjdx": str(len(content)),
            "sha256": hashlib.sha256(content).hexdigest(),
        }

    def recall(self, entry: Mapping[str, Any]) -> None:
        """Know a document again from the `wslist` of a push in the journal."""
        number = entry.get("c_wsbh")
        if isinstance(number, str) and number[-6:].isdigit():
            self._count = max(self._count, int(number[-6:]))
            self._writs[number] = Writ(str(entry.get("c_wsmc", "")), number, str(entry.get("c_fymc", "")))

    def link(self, number: str, now: datetime) -> dict[str, str] | None:
        """`ws/link`: a fresh link, None for an unknown number."""
        return {"c_wsbh": number, **self._link(number, now)} if number in self._writs else None

    def fetch(self, number: str, end: str, seal: str, now: datetime) -> bytes:
        """The bytes behind a link. Raises Denied 403 once it ended, also for a link that was never given."""
        true_seal = hmac.compare_digest(self._seal(number, end).encode(), seal.encode())
        writ = self._writs.get(number)
        if writ is None or not true_seal or now.timestamp() >= float(end):
            raise Denied("403", "链接已失效")
        return writ.content

    def _link(self, number: str, now: datetime) -> dict[str, str]:
        end = now + timedelta(seconds=self._settings.link_life_s)
        stamp = f"{end.timestamp():.3f}"
        address = f"{self._settings.base_url.rstrip('/')}{ADDRESS}/{number}"
        return {"wjlj": f"{address}?e={stamp}&s={self._seal(number, stamp)}", "wjyxq": write_time(end)}

    def _seal(self, number: str, end: str) -> str:
        return hmac.new(self._seal_key, f"{number}\n{end}".encode(), hashlib.sha256).hexdigest()

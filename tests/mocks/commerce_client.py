"""A small client of the chambers' exchange tables and the rows it writes, written from the page."""

import asyncio
import base64
import json
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from copy import deepcopy
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
from gmalg import SM3

from mocks.commerce_federation import CommerceFederation
from mocks.server import MockServer

ORGANIZATION = "SD-QD-SH-003"
NUMBER = "370202-SH003-2026-00017"
PDF = b"%PDF-1.4\n1 0 obj\nendobj\n%%EOF\n"
PERIOD_S = 0.05
FAST = {"period_s": PERIOD_S, "watch_s": 0}

CASE: dict[str, Any] = {
    "ah": NUMBER,
    "twh": "青岛市市南区商会调解中心",
    "twhlx": "04",
    "qhdm": "370202",
    "ajly": "1",
    "sqfs": "1",
    "djrq": "2026-09-16 09:30:00",
    "slrq": "2026-09-17 10:00:00",
    "aydm": "205-5",
    "aymc": "追索劳动报酬纠纷",
    "jfjyqk": "申请人自2026年6月起未领到工资，至申请之日共拖欠三个月。",
    "qq": [{"qqlx": "01", "qqnr": "支付2026年6月至8月工资18600元", "je": "1.860000"}],
    "saje": "1.860000",
    "dsr": [
        {
            "ssdw": "4",
            "dsrlx": "0",
            "dsrxm": "王建国",
            "zjlx": "1",
            "zjhm": "370102********1238",
            "xb": "0",
            "nl": "36",
            "dh": "13853100001",
            "dz": "历下区文化东路1号1单元101",
        },
        {
            "ssdw": "5",
            "dsrlx": "1",
            "dsrxm": "济南泉城餐饮管理有限公司",
            "zjlx": "7",
            "zjhm": "91370102MA3C123456",
            "fddbr": "孙立",
            "lxr": "周芳",
            "dh": "0531-86000001",
            "dz": "历下区泉城路180号",
        },
    ],
    "tjy": [{"zsbh": "LDTJ-3702-2023-0101", "xm": "陈静"}],
}
MEDIATING: dict[str, Any] = {"zt": "5", "sj": "2026-09-20 09:00:00", "tjdd": "第二调解室"}
FAILED: dict[str, Any] = {"zt": "6", "sj": "2026-09-30 17:00:00", "tjjg": "0", "jsyy": "5", "bz": "双方分歧较大"}
AGREED: dict[str, Any] = {"zt": "6", "sj": "2026-09-25 09:00:00", "tjjg": "1", "jsyy": "1"}
AGREEMENT: dict[str, Any] = {
    "xy": {
        "xybh": "市南商调〔2026〕17号",
        "sxsj": "2026-09-25 09:00:00",
        "fs": "3",
        "jjfw": "1",
        "xynr": [
            {"xh": "1", "nr": "支付15000元", "je": "1.500000", "lxqx": "2026-10-31"},
            {"xh": "2", "nr": "放弃其余请求"},
        ],
    }
}
PERFORMANCE: dict[str, Any] = {
    "lx": {"xybh": "市南商调〔2026〕17号", "xh": "1", "lxzt": "1", "sj": "2026-10-30 10:00:00", "je": "1.500000"}
}
_ids = count(1)


def sm3(data: bytes) -> str:
    """By other hands than the mock's."""
    digest = SM3()
    digest.update(data)
    return str(digest.value().hex())


def digest_in(row: Mapping[str, Any]) -> str:
    names = ("IN_ID", "KIND", "OUT_ID", "CASE_KEY", "PLAT_NO", "ZT", "FAIL_CODE", "REASON", "HAPPENED_AT")
    return sm3("\n".join("" if row[name] is None else str(row[name]) for name in names).encode())


def digest_out(row: Mapping[str, Any]) -> str:
    names = ("OUT_ID", "BIZ_TYPE", "OPERATE_TYPE", "CASE_KEY", "ORG_CODE", "FILE_COUNT", "NR")
    return sm3("\n".join(str(row[name]) for name in names).encode("utf-8", "surrogatepass"))


def without(values: Mapping[str, Any], path: str) -> dict[str, Any]:
    """A copy without one key."""
    return changed(values, path, None)


def changed(values: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at ``a.0.b`` (``None``: without it)."""
    copy: Any = deepcopy(dict(values))
    *way, last = (int(part) if part.isdigit() else part for part in path.split("."))
    place = copy
    for part in way:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return dict(copy)


class Client:
    """The gateway's half of the page, over SQLite."""

    def __init__(self, server: MockServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.config = server.platform.config
        self.path = str(self.config["database_url"]).removeprefix("sqlite:///")
        self.session = session

    # --- database

    def _sql(self, statements: list[tuple[str, tuple[Any, ...]]], timeout_s: float) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.path, timeout=timeout_s, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA synchronous=FULL")
            reading = statements[0][0].startswith("SELECT")
            if not reading:
                connection.execute("BEGIN IMMEDIATE")
            rows = [[dict(row) for row in connection.execute(sql, values)] for sql, values in statements]
            if not reading:
                connection.execute("COMMIT")
            return rows[-1]

    async def sql(self, statement: str, *values: Any, timeout_s: float = 5) -> list[dict[str, Any]]:
        """One statement in a transaction of its own."""
        return await asyncio.to_thread(self._sql, [(statement, values)], timeout_s)

    def row(self, values: Any, biz: str = "01", operate: int = 1, **columns: Any) -> dict[str, Any]:
        """A row as it should be, but for ``columns``; ``DIGEST`` is right for them."""
        nr = {"ah": NUMBER} | values if isinstance(values, dict) and (biz, operate) != ("01", 3) else values
        row: dict[str, Any] = {
            "OUT_ID": f"msg_{next(_ids):026d}",
            "BIZ_TYPE": biz,
            "OPERATE_TYPE": operate,
            "CASE_KEY": f"{ORGANIZATION}#{NUMBER}",
            "SEQ_NO": None,
            "ORG_CODE": ORGANIZATION,
            "NR": nr if isinstance(nr, str) else json.dumps(nr, ensure_ascii=False, separators=(",", ":")),
            "FILE_COUNT": 0,
            "CREATED_AT": "2026-09-17 10:00:05",
        }
        row |= columns
        return {"DIGEST": digest_out(row)} | row

    async def insert(self, *rows: dict[str, Any]) -> str:
        """Write rows in one transaction; the last one's id."""
        work: list[tuple[str, tuple[Any, ...]]] = []
        for row in rows:
            names = [name for name in row if name != "SEQ_NO" or row[name] is not None]
            marks = ["?"] * len(names)
            values = [row[name] for name in names]
            if "SEQ_NO" not in names:
                names.append("SEQ_NO")
                marks.append("(SELECT COALESCE(MAX(SEQ_NO), 0) + 1 FROM TJ_OUT WHERE CASE_KEY = ?)")
                values.append(row["CASE_KEY"])
            sql = f"INSERT INTO TJ_OUT ({', '.join(names)}) VALUES ({', '.join(marks)})"  # noqa: S608 -- its own names
            work.append((f"{sql} ON CONFLICT (OUT_ID) DO NOTHING", tuple(values)))
        await asyncio.to_thread(self._sql, work, 5.0)
        return str(rows[-1]["OUT_ID"])

    async def send(self, values: Any, biz: str = "01", operate: int = 1, **columns: Any) -> str:
        """Write one row; its id."""
        return await self.insert(self.row(values, biz, operate, **columns))

    async def chunks(self, out_id: str, number: int, content: bytes, kind: str = "01", **columns: Any) -> None:
        """Write a file, each chunk in a transaction of its own."""
        size = int(self.config["chunk_size"])
        parts = [content[start : start + size] for start in range(0, len(content), size)]
        for place, part in enumerate(parts, 1):
            row = {
                "OUT_ID": out_id,
                "FILE_NO": number,
                "CHUNK_NO": place,
                "CHUNK_COUNT": len(parts),
                "FILE_KIND": kind,
                "FILE_NAME": "申请书.pdf",
                "FILE_SIZE": len(content),
                "FILE_SM3": sm3(content),
                "CHUNK_SM3": sm3(part),
                "CHUNK": base64.b64encode(part).decode(),
            } | columns
            marks = ", ".join("?" * len(row))
            await self.sql(
                f"INSERT INTO TJ_FILE ({', '.join(row)}) VALUES ({marks}) ON CONFLICT DO NOTHING",  # noqa: S608 -- its own names
                *row.values(),
            )

    async def out(self, out_id: str) -> dict[str, Any]:
        """The row of ``TJ_OUT``."""
        return (await self.sql("SELECT * FROM TJ_OUT WHERE OUT_ID = ?", out_id))[0]

    async def news(self, out_id: str | None = None) -> list[dict[str, Any]]:
        """Rows of ``TJ_IN`` (of one ``OUT_ID``), whose digests are right."""
        rows = await self.sql("SELECT * FROM TJ_IN ORDER BY IN_ID")
        return [row for row in rows if out_id is None or row["OUT_ID"] == out_id]

    async def until(self, out_id: str, *statuses: int, within_s: float = 10) -> dict[str, Any]:
        """The row once its status is one of these (2 or 3)."""
        async with asyncio.timeout(within_s):
            while True:
                row = await self.out(out_id)
                if row["UPLOAD_STATUS"] in (statuses or (2, 3)):
                    return row
                await asyncio.sleep(PERIOD_S / 2)

    async def done(self, values: Any, biz: str = "01", operate: int = 1, **columns: Any) -> str:
        """Send a row that is accepted; its ``PLAT_NO``."""
        row = await self.until(await self.send(values, biz, operate, **columns))
        assert row["UPLOAD_STATUS"] == 2, (row["FAIL_CODE"], row["FAIL_REASON"])
        return str(row["PLAT_NO"])

    async def failed(self, values: Any, biz: str = "01", operate: int = 1, **columns: Any) -> str:
        """Send a row that fails; code and place."""
        row = await self.until(await self.send(values, biz, operate, **columns))
        return f"{row['FAIL_CODE']} {row['FAIL_REASON']}"

    async def kinds(self, out_id: str) -> list[str]:
        """KIND of the rows about this id, by ``IN_ID``."""
        return [row["KIND"] for row in await self.news(out_id)]

    # --- control

    async def control(self, method: str, what: str, order: Any = None, status: int = 200) -> Any:
        async with self.session.request(method, f"{self.server.url}/_mock/{what}", json=order) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def fault(self, op: str, action: str, **more: Any) -> None:
        await self.control("POST", "faults", [{"op": op, "action": action, **more}])

    async def decide(self, ref: str, decision: str, **more: Any) -> Any:
        return await self.control("POST", "decide", {"ref": ref, "decision": decision, **more})

    async def lines(self, kind: str = "") -> list[dict[str, Any]]:
        """The journal."""
        lines: list[dict[str, Any]] = await self.control("GET", "journal")
        return [line for line in lines if kind in ("", line["kind"])]

    async def breaches(self) -> list[str]:
        """What the gateway did wrong."""
        return [line["payload"]["breach"] for line in await self.lines("conduct")]

    async def runs(self, number: int = 2) -> None:
        """Let the reader run so often."""
        assert isinstance(self.server.platform, CommerceFederation)
        for _ in range(number):
            await self.server.platform.reader.run()


@asynccontextmanager
async def running(data: Path, **settings: Any) -> AsyncIterator[Client]:
    """A mock in ``data``, quick unless ``settings`` say otherwise, and its client."""
    server = MockServer(CommerceFederation, data, settings=FAST | settings)
    await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Client(server, session)
    finally:
        await server.stop()

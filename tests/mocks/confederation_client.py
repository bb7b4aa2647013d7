"""A small client of the confederations' exchange directory and the batches it writes, written from the page."""

import asyncio
import csv
import io
import json
import os
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
from gmalg import SM3

from mocks.enterprise_confederation import EnterpriseConfederation
from mocks.server import MockServer

ORGANIZATION = "SD-WF-QL-002"
CASE_KEY = f"{ORGANIZATION}|370705-QL002-2026-00008"
PDF = b"%PDF-1.4\n1 0 obj\nendobj\n%%EOF\n"
CREATED = "2026-09-17 10:00:05"
HEADER = (
    "行号,操作,业务主键,案件主键,调解组织编码,调解组织名称,组织类型,行政区划,登记时间,受理时间,案由表,案由,涉案金额,涉及人数,"
    "申请人,申请人证件号,被申请人,统一社会信用代码,状态,办结原因,发生时间,明细文件,附件数"
)
NAMES = HEADER.split(",")
LIST: dict[str, str] = {
    "操作": "新增",
    "案件主键": CASE_KEY,
    "调解组织编码": ORGANIZATION,
    "调解组织名称": "潍坊市奎文区企业联合会调解中心",
    "组织类型": "企联调解组织",
    "行政区划": "370705",
    "登记时间": "2026-09-16 09:30:00",
    "受理时间": "2026-09-17 10:00:00",
    "案由表": "2025",
    "案由": "劳动争议/劳动合同纠纷/追索劳动报酬纠纷",
    "涉案金额": "18600.00",
    "涉及人数": "1",
    "申请人": "王建国",
    "申请人证件号": "370102********1238",
    "被申请人": "济南泉城餐饮管理有限公司",
    "统一社会信用代码": "91370102MA3C123456",
    "状态": "已登记",
    "发生时间": "2026-09-16 09:30:00",
    "附件数": "0",
}
DETAIL: dict[str, Any] = {
    "来源": "窗口",
    "申请方式": "书面",
    "案情": "申请人自2026年6月起未领到工资，至申请之日共拖欠三个月。",
    "请求": [{"类别": "劳动报酬", "内容": "支付2026年6月至8月工资18600元", "金额": "18600.00"}],
    "当事人": [
        {
            "角色": "申请人",
            "类型": "自然人",
            "名称": "王建国",
            "证件类型": "居民身份证",
            "证件号": "370102********1238",
            "性别": "男",
            "电话": "13853100001",
            "地址": "历下区文化东路1号1单元101",
            "区划": "370102",
        },
        {
            "角色": "被申请人",
            "类型": "用人单位",
            "名称": "济南泉城餐饮管理有限公司",
            "信用代码": "91370102MA3C123456",
            "电话": "0531-86000001",
            "地址": "历下区泉城路180号",
            "区划": "370102",
            "法定代表人": "孙立",
            "联系人": "周芳",
        },
    ],
    "调解员": [{"证书编号": "LDTJ-3707-2023-0033", "姓名": "于海"}],
}
_ids = count(1)


def sm3(data: bytes) -> str:
    """By other hands than the mock's."""
    digest = SM3()
    digest.update(data)
    return str(digest.value().hex())


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


def step(op: str, at: str, **more: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """List and detail of a step PROG, AGRE or PERF."""
    cells = {"操作": "新增", "案件主键": CASE_KEY, "调解组织编码": ORGANIZATION, "发生时间": at, "附件数": "0"}
    match op:
        case "PROG":
            cells |= {"状态": more["状态"], "办结原因": more.pop("办结原因", "")}
            return cells, {"时间": at, **more}
        case "AGRE":
            terms = [{"序号": "1", "内容": "支付15000元", "金额": "15000.00", "期限": "2026-10-31"}]
            cells |= {"状态": "已达成协议", "涉案金额": "15000.00"}
            told = {"协议编号": "潍企调〔2026〕8号", "事实": "双方确认欠薪。", "生效规则": "调解仲裁法", "生效时间": at}
            return cells, told | {"范围": "全部", "份数": "3", "条款": terms} | more
        case _:
            cells |= {"状态": "已履行", "涉案金额": "15000.00"}
            told = {"协议编号": "潍企调〔2026〕8号", "条款序号": "1", "履行状态": "已履行", "时间": at}
            return cells, told | {"金额": "15000.00"} | more


@dataclass(slots=True)
class Written:
    """A batch as bytes, before it is put."""

    stem: str
    data: dict[str, bytes]
    op: str
    rows: int
    manifest: dict[str, Any] = field(default_factory=dict)

    def sealed(self, **more: Any) -> dict[str, bytes]:
        """Every file in the order of writing; ``more`` overrides keys of the manifest."""
        files = [{"name": name, "size": len(data), "sm3": sm3(data)} for name, data in sorted(self.data.items())]
        told = {"stem": self.stem, "op": self.op, "rows": self.rows, "created_at": CREATED, "files": files} | more
        raw = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        return {
            **self.data,
            f"{self.stem}.manifest.json": raw,
            f"{self.stem}.ok": sm3(raw).encode() + b"\n",
        }


def table(rows: list[dict[str, str]]) -> bytes:
    """The list as bytes."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows([[row.get(name, "") for name in NAMES] for row in rows])
    return b"\xef\xbb\xbf" + f"{HEADER}\r\n{out.getvalue()}".encode()


def batch(
    *rows: tuple[Mapping[str, str], Mapping[str, Any]],
    op: str = "CASE",
    ids: list[str] | None = None,
    files: Mapping[str, bytes] | None = None,
    sender: str = "SDGW",
) -> Written:
    """A batch in good order, but for what the rows say. ``files``: ending behind the stem (``_001_01.pdf``) → bytes."""
    keys = ids or [f"msg_{next(_ids):026d}" for _ in rows]
    stem = f"QLTJ_{sender}_{op}_20260917_{sm3(keys[0].encode())[:32].upper()}"
    listed, data = [], {}
    for number, (key, (cells, detail)) in enumerate(zip(keys, rows, strict=True), 1):
        name = f"{stem}_{number:03d}.json"
        listed.append({"行号": str(number), "业务主键": key, "明细文件": name} | dict(cells))
        told = {"业务主键": key, "案件主键": cells["案件主键"]} | dict(detail)
        data[name] = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    data |= {f"{stem}{ending}": content for ending, content in (files or {}).items()}
    return Written(stem, {f"{stem}.csv": table(listed), **data}, op, len(rows))


def case(number: int = 8, **cells: str) -> tuple[dict[str, str], dict[str, Any]]:
    """A case of its own number."""
    return LIST | {"案件主键": f"{ORGANIZATION}|370705-QL002-2026-{number:05d}"} | cells, DETAIL


def zipped(written: Written) -> Written:
    """The same batch as a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(written.data.items()):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return Written(written.stem, {f"{written.stem}.zip": out.getvalue()}, written.op, written.rows)


class Client:
    """The gateway's half of the page."""

    def __init__(self, server: MockServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.root = Path(str(server.platform.config["root"]))
        self.session = session

    @property
    def platform(self) -> EnterpriseConfederation:
        platform = self.server.platform
        assert isinstance(platform, EnterpriseConfederation)
        return platform

    def put(self, name: str, data: bytes) -> None:
        """``.part``, flush, rename."""
        part = self.root / "up" / f"{name}.part"
        with part.open("wb") as file:
            file.write(data)
            os.fsync(file.fileno())
        os.link(part, self.root / "up" / name)
        part.unlink()

    def put_all(self, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():
            self.put(name, data)

    async def run(self) -> None:
        """The reader's next run."""
        await self.platform.reader.run()

    async def send(self, written: Written, **manifest: Any) -> list[dict[str, str]]:
        """Put a batch, let the reader run; the rows of the last reply."""
        self.put_all(written.sealed(**manifest))
        await self.run()
        return self.replies(written.stem)[-1]

    async def verdict(self, written: Written, **manifest: Any) -> str:
        """The code of row 1, or of the whole batch; else the result."""
        row = (await self.send(written, **manifest))[0]
        return row["错误码"] or row["结果"]

    def marks(self, ending: str = ".ok") -> list[str]:
        return sorted(path.name for path in (self.root / "down").glob(f"*{ending}"))

    def replies(self, stem: str) -> list[list[dict[str, str]]]:
        """Every reply about a batch, by nn, whose digests are right."""
        return [self.reply(name[:-3]) for name in self.marks() if name.startswith(f"{stem}.R")]

    def data(self, stem: str) -> tuple[str, bytes]:
        """Name and bytes of the one data file of a set, whose digests are right."""
        down = self.root / "down"
        raw = (down / f"{stem}.manifest.json").read_bytes()
        assert (down / f"{stem}.ok").read_bytes() == sm3(raw).encode() + b"\n"
        told = json.loads(raw)
        assert told["stem"] == stem
        [item] = told["files"]
        data = (down / item["name"]).read_bytes()
        assert (item["size"], item["sm3"]) == (len(data), sm3(data))
        return item["name"], data

    def reply(self, stem: str) -> list[dict[str, str]]:
        _, data = self.data(stem)
        assert data.startswith(b"\xef\xbb\xbf")
        return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))

    def words(self) -> list[dict[str, str]]:
        """The items of every status file, by name."""
        found = []
        for name in self.marks():
            if name.startswith("QLST_"):
                found += json.loads(self.data(name[:-3])[1])["items"]
        return found

    def where(self, stem: str) -> str:
        """The folder in which the marker of a batch stands."""
        [path] = (
            self.root.glob(f"*/{stem}.ok")
            if (self.root / "up" / f"{stem}.ok").exists()
            else self.root.glob(f"*/*/{stem}.ok")
        )
        return path.relative_to(self.root).parts[0]

    async def control(self, method: str, what: str, order: Any = None, status: int = 200) -> Any:
        async with self.session.request(method, f"{self.server.url}/_mock/{what}", json=order) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def fault(self, op: str, action: str, **more: Any) -> None:
        await self.control("POST", "faults", [{"op": op, "action": action, **more}])

    async def lines(self, kind: str) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = await self.control("GET", "journal")
        return [line for line in lines if line["kind"] == kind]

    async def breaches(self) -> list[str]:
        return [line["payload"]["breach"] for line in await self.lines("conduct")]


@asynccontextmanager
async def platform(data: Path, **settings: Any) -> AsyncIterator[Client]:
    """The mock with a reader that runs when it is told to."""
    server = MockServer(EnterpriseConfederation, data, settings={"period_s": 3600, **settings})
    await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            client = Client(server, session)
            await asyncio.sleep(0)
            await client.run()  # behind the run that every start begins with
            yield client
    finally:
        await server.stop()

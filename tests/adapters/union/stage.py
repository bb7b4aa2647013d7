"""The kit's stage for this platform: its mock, a sample of every message type, its callbacks and their forgeries."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from adapters.union import UnionPlatform
from contracts.adapter import InboundCall, Json
from contracts.case import Case
from contracts.conformance import Fault, Sample, Script, Verdict
from contracts.document import Document
from contracts.errors import RetryableError
from contracts.messages import MessageType as M
from contracts.transfer import Transfer
from mocks.union import Union as Mock
from tests.adapters.mock_stage import MockStage, changed
from tests.adapters.union import documents as docs
from tests.adapters.union import platform

_TAIL = "AAAAAAAAAAAAAAAAAAAAAA"
_ORGANIZATION = "SD-JN-LX-001"
_OFFERED, _ACCEPTED = "YJ3701022026000045", "YJ3701022026000046"
_BUSY_FOR = timedelta(seconds=5)


def _sample(number: int, kind: M, document: Document, *texts: str, about: str = docs.CASE_ID, **context: Any) -> Sample:
    sent = replace(docs.message(kind, document, about), id=f"msg_{number:04d}{_TAIL}")
    given = docs.context(
        delivery=f"dlv_{number:04d}{_TAIL}",
        **({"case": document} if isinstance(document, Case) else {}) | context,
    )
    return Sample(sent, given, texts)


def _task(task_no: str) -> dict[str, Any]:
    return {"about": docs.REFERRAL_ID, "referral_id": docs.REFERRAL_ID, "referral": docs.referral(task_no=task_no)}


_OF_AGREEMENT = {"about": docs.AGREEMENT_ID}
SCENE = (
    _sample(9001, M.CASE_SUBMITTED, docs.WAGES),
    _sample(9002, M.REFERRAL_ANSWERED, docs.ACCEPTED, **_task(_ACCEPTED)),
)
"""What the samples follow from."""
SAMPLES = (
    _sample(
        1,
        M.CASE_SUBMITTED,
        # Over the 1000 bytes of jq, with a number that must be masked before the text is cut, and rare characters.
        docs.wages(
            source_case_no="370102-LX001-2026-00124",
            facts="申请人𠮷田㐂，身份证３７０１０２ 19900307 1238，自2024年3月起任厨师。\n" * 40,
        ),
        "/facts",
        "/claims/0/text",
    ),
    _sample(2, M.CASE_REVISED, docs.WAGES, "/facts", registered_version=1),
    _sample(3, M.CASE_PROGRESSED, docs.PROGRESS, "/note"),
    _sample(4, M.CASE_ALERTED, docs.ALERT, "/situation", "/measures", case=docs.COLLECTIVE),
    _sample(5, M.AGREEMENT_CONCLUDED, docs.AGREEMENT, "/facts", "/terms/0/text", "/terms/1/text", **_OF_AGREEMENT),
    _sample(6, M.AGREEMENT_PERFORMED, docs.PERFORMANCE, **_OF_AGREEMENT),
    _sample(7, M.TRANSFER_REQUESTED, docs.TRANSFER, "/claims/0/text", about=docs.TRANSFER_ID),
    _sample(8, M.REFERRAL_ANSWERED, docs.DECLINED, "/reason", **_task(_OFFERED)),
    _sample(9, M.REFERRAL_RETURNED, docs.RESULT, "/report", **_task(_ACCEPTED)),
)
_TO_ARBITRATION = docs.sample(Transfer, "POST cases {id} transfers - to arbitration")
IMPOSSIBLE = (
    _sample(21, M.CASE_SUBMITTED, docs.wages(amount="1000000000000000.00")),
    _sample(22, M.CASE_SUBMITTED, docs.with_employer(contact={"name": "甲" * 31, "phone": "0531-86000001"})),
    _sample(23, M.TRANSFER_REQUESTED, _TO_ARBITRATION, about=docs.TRANSFER_ID),
    _sample(24, M.STATISTICS_REPORTED, docs.WAGES),
)

_STATUS = {
    "i1.ajbh": "370102-LX001-2026-00123",
    "i1.slh": platform.UNION_NO,
    "i1.zt": "05",
    "i1.sj": "20260930170000",
    "i1.sm": "已指派 调解员",
}
_HANDOVER = {
    "yjbh": _OFFERED,
    "jgdm": _ORGANIZATION,
    "dfqx": "20261005170000",
    "ajbh": "GH-2026-00077",
    "qh": "370102",
    "ly": "1",
    "sqsj": "20260928093000",
    "slsj": "",
    "lb": "1",
    "ay": "劳动争议/劳动合同纠纷/追索劳动报酬纠纷",
    "jq": "拖欠三个月工资。",
    "qq.1.lx": "01",
    "qq.1.nr": "支付工资18600元",
    "qq.1.je": "1860000",
    "je": "1860000",
    "rs": "12",
    "zd": "1",
    "dbr": "王建国、刘秀英",
    "sqr.1.xm": "王建国",
    "sqr.1.zjlx": "1",
    "sqr.1.zjhm": "370102199003071238",
    "sqr.1.csrq": "19900307",
    "sqr.1.xb": "男",
    "sqr.1.dh": "13853100001",
    "sqr.1.gz": "厨师",
    "sqr.1.dzqh": "370102",
    "sqr.1.dz": "历下区文化东路1号1单元101",
    "bsqr.1.mc": "济南泉城餐饮管理有限公司",
    "bsqr.1.xydm": "91370102MA0DEM013R",
    "bsqr.1.dzqh": "370102",
    "dlr.1.xm": "赵敏",
    "dlr.1.dsr": "0",
    "dlr.1.dlx": "1",
}


def _items(*items: Mapping[str, str]) -> dict[str, str]:
    flat = {f"i{number}.{name}": text for number, item in enumerate(items, 1) for name, text in item.items()}
    return {"n": str(len(items)), **flat}


def _result(*items: Mapping[str, str]) -> dict[str, str]:
    return {"method": "batch.result", "batchNo": platform.BATCH_NO, **_items(*items)}


_ACCEPTANCE = {"xlh": f"dlv_0001{_TAIL}", "jg": "1", "slh": platform.UNION_NO, "yy": "", "yysm": ""}
_REFUSAL = {"xlh": f"dlv_0002{_TAIL}", "jg": "0", "slh": "", "yy": "L4", "yysm": "案件 a&b=c 不存在"}
_ELEVEN = [_REFUSAL | {"xlh": f"dlv_{number:04d}{_TAIL}"} for number in range(1, 12)]


def _status(number: int, **changes: str) -> dict[str, str]:
    """``case.status``, an event of its own."""
    told = {f"i1.{name}": text for name, text in changes.items()}
    return {"method": "case.status", "n": "1", **_STATUS, "i1.sjbh": f"S20260930170503{number:06d}", **told}


_TOLD: tuple[tuple[str, str, dict[str, str], str | None], ...] = (
    ("accepted", "/result", _result(_ACCEPTANCE), None),
    ("refused", "/result", _result(_REFUSAL), None),
    ("one accepted, one refused", "/result", _result(_ACCEPTANCE, _REFUSAL), None),
    ("eleven refused", "/result", _result(*_ELEVEN), None),
    ("an unknown result", "/result", _result(_ACCEPTANCE | {"jg": "2"}), "2"),
    ("case status", "/result", _status(1), None),
    ("support filed", "/result", _status(2, zt="71"), None),
    ("an unknown status", "/result", _status(3, zt="88"), "88"),
    ("handover", "/handover", {"method": "case.handover", **_items(_HANDOVER)}, None),
    ("two handovers", "/handover", {"method": "case.handover", **_items(_HANDOVER, _HANDOVER | {"yjbh": "YJ2"})}, None),
    (
        "a task named twice",
        "/handover",
        {"method": "case.handover", **_items(_HANDOVER | {"jq": ""}, _HANDOVER)},
        None,
    ),
    (
        "recalls",
        "/handover",
        {"method": "case.recall", **_items({"yjbh": _OFFERED, "sm": "申请人 撤回"}, {"yjbh": _ACCEPTED, "sm": ""})},
        None,
    ),
)
"""The calls of page §5: name, address, business parameters, and the status that no table has."""


class UnionStage(MockStage):
    """The union with a case that it knows and two that it handed over, one of them accepted.

    §5: a result has no time of its own, so its word is of the time of the call that tells it. That time is another at every
    repeat; here our clock stands still, and the union's begins at the same moment.
    """

    adapter_type = UnionPlatform
    platform_type = Mock
    endpoint = platform.ENDPOINT
    clock = platform.NOW
    lacks: ClassVar[frozenset[Fault]] = frozenset({Fault.BUSINESS_REFUSAL})
    """§3: an answer says that the bytes came in; an item is refused in the callback only."""
    answers_name_the_filing: ClassVar[bool] = False
    """§3: it has the batch's number, which is the union's."""
    mock_settings: ClassVar[Json] = {
        "app_key": platform.APP_KEY,
        "secret": platform.SECRET,
        "organization_codes": [_ORGANIZATION],
        "rate_per_s": 0,
        "result_delay_s": 24 * 3600,
        "unknown_xlh_every": 0,
    }
    dialect: ClassVar[Mapping[Fault, Json]] = {
        Fault.BUSY: {"action": "business_error", "code": "C1"},
        Fault.OPERATOR_PROBLEM: {"action": "expire_session"},
    }

    async def set_the_scene(self) -> None:
        for task_no in (_OFFERED, _ACCEPTED):
            await self.server.platform.refer({"jgdm": _ORGANIZATION, "yjbh": task_no, "dfqx": "20261005170000"})
        await self.file(*SCENE)

    def booked(self) -> Iterable[str]:
        return [
            item["xlh"] for item in self.server.platform.records() if item.get("xlh") and item["state"] != "refused"
        ]

    def now(self) -> datetime:
        return platform.NOW

    def secrets(self) -> tuple[str, ...]:
        return (platform.SECRET,)

    def verdict(self, fault: Fault) -> Verdict:
        """§3: ``C1`` busy has no wait of its own, it is 5 s."""
        return Verdict(RetryableError, retry_after=_BUSY_FOR) if fault is Fault.BUSY else super().verdict(fault)

    def samples(self) -> Sequence[Sample]:
        return SAMPLES

    def impossible(self) -> Sequence[Sample]:
        return IMPOSSIBLE

    # ---- callbacks
    def scripts(self) -> Sequence[Script]:
        return [
            Script(name, plain, partial(_around, path), _other(plain), unknown)
            for name, path, parameters, unknown in _TOLD
            for plain in (json.dumps(parameters, ensure_ascii=False).encode(),)
        ]

    def forgeries(self, script: Script) -> Sequence[tuple[str, InboundCall]]:
        """§7 ``forge_callback``, and what else the page's order of checks (§2) refuses."""
        true = script.call()
        signed = platform.opened(true.body)
        bare = {name: text for name, text in signed.items() if name != "sign"}

        def sent(sign: str, **changes: str) -> InboundCall:
            return replace(true, body=platform.coded(bare | changes | ({"sign": sign} if sign else {})))

        def about(**changes: str) -> InboundCall:
            found = bare | changes
            return replace(true, body=platform.sealed({name: text for name, text in found.items() if text != "-"}))

        stamp = int(platform.STAMP)
        forged = [
            ("unsigned", sent("")),
            ("signed by another", sent(platform.digest(bare, "another-secret-0123456789"))),
            ("signed by nobody", sent(platform.digest(bare, ""))),
            ("lower case", sent(signed["sign"].lower())),
            ("not sorted", sent(_digest(reversed(bare.items())))),
            ("a parameter changed", sent(signed["sign"], n="9")),
            ("a parameter more", sent(signed["sign"], **{"i1.bz": "1"})),
            ("a parameter twice", replace(true, body=true.body + b"&n=1")),
            ("stale", about(timestamp=str(stamp - 300_001))),
            ("of the future", about(timestamp=str(stamp + 300_001))),
            ("seconds", about(timestamp=str(stamp // 1000))),
            ("without nonce", about(nonce="-")),
            ("a short nonce", about(nonce="a" * 15)),
            ("for another", about(appKey="GH370001")),
            ("of no method", about(method="case.notice")),
            ("a number too few", about(n=str(int(bare["n"]) + 1))),
            ("another place", replace(true, path="/handover" if true.path == "/result" else "/result")),
            ("no place", replace(true, path="/")),
            ("another method", replace(true, method="GET")),
        ]
        if not all(text.isascii() for text in bare.values()):
            forged.append(("signed over UTF-8", sent(platform.digest(bare, encoding="utf-8"))))
        if int(bare["n"]) > 10:
            forged.append(("sorted by numbers", sent(_digest(sorted(bare.items(), key=_by_number)))))
        return forged


def _around(path: str, plain: bytes) -> InboundCall:
    """A signed call around business parameters. What is none, or cannot be written in GB18030, stands in it as it came."""
    common = {"appKey": platform.APP_KEY, "timestamp": platform.STAMP, "nonce": secrets.token_hex(8)}
    try:
        found = json.loads(plain)
        business = {name: text if isinstance(text, str) else json.dumps(text) for name, text in found.items()}
        body = platform.sealed({**business, **common})
    except (ValueError, AttributeError):
        body = plain + b"&" + platform.sealed(common)
    return platform.call_of(body, path=path)


def _other(plain: bytes) -> bytes:
    """The same event with another content: its last text is another."""
    name = next(name for name in reversed(json.loads(plain)) if name.endswith((".yysm", ".sm", ".jq")))
    return changed(plain, **{name: "另一说明"})


def _digest(ordered: Iterable[tuple[str, str]]) -> str:
    """The page's digest over parameters in that order."""
    kept = "&".join(f"{name}={text}" for name, text in ordered if text)
    return platform.sm3(f"{kept}&key={platform.SECRET}".encode("gb18030"))


def _by_number(pair: tuple[str, str]) -> tuple[str, int, str]:
    found = re.fullmatch(r"(i)([0-9]+)\.(.*)", pair[0])
    return (found[1], int(found[2]), found[3]) if found else (pair[0], 0, "")

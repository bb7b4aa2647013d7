"""A small client of the hr_arbitration page for the tests of its mock: from the page, with other SM2 and SM4."""

import base64
import copy
import hashlib
import io
import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import aiohttp
import gmalg
import gmssl_fast

BEIJING = timezone(timedelta(hours=8))

CASE: dict[str, Any] = {
    "BZA001": "370102-LX001-2026-00123",
    "BZA002": "SD-JN-LX-001",
    "BZA003": "济南市历下区劳动人事争议仲裁院调解中心",
    "BZA004": "03",
    "AAB301": "370102",
    "BZA006": "1",
    "BZA007": "1",
    "BZA008": "0501",
    "BZA009": "2025:劳动争议/劳动合同纠纷/追索劳动报酬纠纷",
    "BZA010": "申请人要求支付拖欠的工资",
    "BZA013": "18600.00",
    "BZA020": "20260901090000",
    "BZA021": "20260901100000",
    "BZA014": "0",
    "BZQ000": [{"BZQ001": "1", "BZQ002": "01", "BZQ003": "支付工资18600元", "BZQ004": "18600.00"}],
    "BZM000": [{"BZM001": "TJ370102001", "BZM002": "赵敏"}],
    "BZP000": [
        {
            "BZP001": "0",
            "BZP002": "1",
            "BZP003": "1",
            "AAC003": "王建国",
            "AAC058": "01",
            "AAC147": "11010519491231002X",
            "AAC161": "CHN",
            "AAC004": "2",
            "AAC006": "19491231",
            "AAC005": "01",
            "AAE005": "13853100001",
            "AAB301": "370102",
            "AAE006": "历下区文化东路1号1单元101",
            "BZP100": [{"BZP101": "1", "AAC003": "李律师", "BZP102": "2"}],
        },
        {
            "BZP001": "1",
            "BZP002": "2",
            "BZP003": "2",
            "AAB004": "济南示例餐饮管理有限公司",
            "AAB003": "91350100M000100Y43",
            "AAB019": "10",
            "AAB020": "150",
            "AAB013": "孙立",
            "AAE004": "周宁",
            "AAE005": "0531-88880000",
            "AAB301": "370102001",
            "AAE006": "历下区泉城路2号",
        },
    ],
}
KEYS = {"BZA001": CASE["BZA001"], "BZA002": CASE["BZA002"]}
PROGRESS: dict[str, Any] = {
    **KEYS,
    "BZS001": "08",
    "AAE036": "20260930170000",
    "BZS005": "05",
    "AAE013": "双方就补偿金额分歧较大，申请人要求终止调解",
    "BZS010": "20260930140000",
    "BZS011": "20260930165000",
    "BZS012": "第二调解室",
    "BZS013": "1",
}
AGREEMENT: dict[str, Any] = {
    **KEYS,
    "BZD001": "历下劳人调〔2026〕123号",
    "BZD002": "双方确认拖欠工资的事实",
    "BZD003": "1",
    "BZD004": "20260925090000",
    "BZD005": "1",
    "BZD006": "3",
    "BZD007": "",
    "BZD100": [
        {
            "BZD101": "1",
            "BZD102": "1",
            "BZD103": "支付18600元",
            "BZD104": "18600.00",
            "BZD105": "20261030",
            "BZD106": "0",
            "BZD110": [{"BZD111": "9300.00", "BZD112": "20261015"}, {"BZD111": "9300.00", "BZD112": "20261030"}],
        }
    ],
    "BZD200": [
        {"BZD201": "1", "BZD202": "0", "BZD203": "王建国", "BZD204": "1", "BZD205": "20260925083000"},
        {"BZD201": "2", "BZD203": "赵敏", "BZD204": "4", "BZD205": "20260925084000"},
    ],
    "BZD210": "SEAL-1",
    "BZD211": "20260925090000",
}
PERFORMANCE = {**KEYS, "BZD001": AGREEMENT["BZD001"], "BZD101": "1", "BZD301": "1", "AAE036": "20261015100000"}
STATUS = {
    **KEYS,
    "BZS002": "2",
    "BZS003": "1",
    "BZS004": "TS20260929000001",
    "BZS001": "26",
    "AAE036": "20261010100000",
    "BZC009": "（2026）鲁0102诉前调确12号",
}
REVIEW: dict[str, Any] = {
    **KEYS,
    "BZC002": "cnf_01JB2Z9K7Q4N",
    "BZD001": AGREEMENT["BZD001"],
    "BZC003": "370102",
    "BZC004": "济南市历下区劳动人事争议仲裁委员会",
    "BZC011": ["0", "1"],
    "BZC012": "20260928100000",
    "BZC100": [{"BZP001": "0", "BZP005": "370102", "BZP006": "文化东路1号", "AAE005": "13853100001", "BZP007": "1"}],
    "BZF000": [],
}
SUPPLEMENT = {**KEYS, "BZC002": REVIEW["BZC002"], "AAE013": "补充身份证明"}
WITHDRAWAL = {**KEYS, "BZC002": REVIEW["BZC002"], "AAE013": "双方已履行", "AAE036": "20260930100000"}
TRANSFER = {
    **KEYS,
    "BZG001": "trf_01JB2Z9K7Q4N",
    "BZC003": "370102",
    "BZC004": "济南市历下区劳动人事争议仲裁委员会",
    "BZG002": "01",
}
ALERT = {
    **KEYS,
    "BZH001": "1",
    "BZA015": "120",
    "BZA013": "2400000.00",
    "BZH002": "约120人聚集",
    "BZH003": "已到场疏导",
    "AAE004": "周宁",
    "AAE005": "13853100009",
    "AAE036": "20260930100000",
}
MEDIATOR = {"BZM001": "TJ370102001", "BZM002": "赵敏", "BZA002": "SD-JN-LX-001", "AAC004": "2"}


def changed(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A deep copy with fields replaced; ``None`` takes one out. ``a__0__b`` = a[0].b."""
    result = copy.deepcopy(document)
    for path, value in changes.items():
        target: Any = result
        *way, last = path.split("__")
        for step in way:
            target = target[int(step) if step.isdigit() else step]
        if value is None:
            del target[last]
        else:
            target[last] = value
    return result


def text_to_sign(head: dict[str, str], body: str) -> bytes:
    names = sorted(name for name in head if name != "sign")
    return ("&".join(f"{name}={head[name]}" for name in names) + "&body=" + body).encode()


@dataclass
class Reply:
    """A reply as the gateway would see it; ``content`` in upper-case keys, ``raw`` as it came."""

    status: int
    head: dict[str, str]
    raw: Any
    text: str = ""

    @property
    def code(self) -> str:
        return self.head["code"]

    @property
    def content(self) -> dict[str, Any]:
        assert isinstance(self.raw, dict)
        return {key.upper(): value for key, value in self.raw.items()}

    @property
    def ref(self) -> str:
        return str(self.content["BZR001"])

    @property
    def findings(self) -> list[tuple[str, str]]:
        rows = [{key.upper(): value for key, value in row.items()} for row in self.content["BZR003"]]
        return [(row["BZR004"], row.get("BZR005", "")) for row in rows]


class Client:
    """Speaks for the gateway, both ways."""

    def __init__(self, config: dict[str, Any], session: aiohttp.ClientSession) -> None:
        self.config = config
        self.session = session
        private, public = config["gateway_private_key"], config["gateway_public_key"]
        # gmssl_fast signs under the ID 1234567812345678 alone, which is the gateway's; the platform's needs gmalg.
        assert config["gateway_signer_id"] == "1234567812345678"
        self.signer = gmssl_fast.SM2(private, public)
        self.platform = gmalg.SM2(
            None, config["platform_signer_id"].encode(), bytes.fromhex(config["platform_public_key"])
        )
        envelope = base64.b64decode(config["sm4_key_envelope"])
        assert (len(envelope), envelope[0]) == (113, 4)
        self.key = self.signer.decrypt(envelope[1:])
        self.skew = timedelta()
        self.count = 0

    def now(self) -> datetime:
        return datetime.now(BEIJING) + self.skew

    def serial(self) -> str:
        self.count += 1
        return f"dlv_{self.count:012d}"

    def head(self, service: str, serial: str, **changes: str | None) -> dict[str, str]:
        head: dict[str, Any] = {
            "appid": self.config["appid"],
            "serviceid": service,
            "serialno": serial,
            "timestamp": self.now().strftime("%Y%m%d%H%M%S"),
            "nonce": os.urandom(16).hex(),
            "version": "1.0.0",
            "enctype": "SM4/CBC/PKCS7",
            "signtype": "SM2",
            **changes,
        }
        return {name: value for name, value in head.items() if value is not None}

    def seal(self, plaintext: bytes, key: bytes | None = None) -> str:
        return base64.b64encode(gmssl_fast.SM4(key or self.key).encrypt(plaintext)).decode()

    def sign(self, head: dict[str, str], body: str) -> str:
        return base64.b64encode(self.signer.sign(text_to_sign(head, body))).decode()

    def envelope(self, head: dict[str, str], body: str) -> bytes:
        return json.dumps({"head": head | {"sign": self.sign(head, body)}, "body": body}, ensure_ascii=False).encode()

    async def post(self, data: bytes, **headers: str) -> Reply:
        all_headers = {"Content-Type": "application/json; charset=UTF-8", **headers}
        async with self.session.post(
            f"{self.config['base_url']}/ldzc/exchange", data=io.BytesIO(data), headers=all_headers
        ) as response:
            raw = await response.read()
            if response.status != 200:
                return Reply(response.status, {}, None, raw.decode("latin-1"))
            return self.read(raw, response.status)

    def read(self, raw: bytes, status: int = 200) -> Reply:
        envelope = json.loads(raw)
        head, body = envelope["head"], envelope["body"]
        signature = base64.b64decode(head["sign"])
        assert len(head["sign"]) == 88
        assert self.platform.verify(text_to_sign(head, body), signature[:32], signature[32:])
        return Reply(status, head, self.unseal(body) if body else None)

    def unseal(self, body: str) -> Any:
        return json.loads(gmssl_fast.SM4(self.key).decrypt(base64.b64decode(body)))

    async def send(self, service: str, content: Any, serial: str = "", **changes: str | None) -> Reply:
        head = self.head(service, serial or self.serial(), **changes)
        plaintext = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
        reply = await self.post(self.envelope(head, self.seal(plaintext)))
        if reply.status == 200:
            assert reply.head["reqnonce"] == head["nonce"]
            assert (reply.head["serviceid"], reply.head["serialno"]) == (service, head["serialno"])
        return reply

    async def done(self, service: str, content: Any) -> Reply:
        reply = await self.send(service, content)
        assert reply.code == "0000", (reply.code, reply.raw)
        return reply

    async def upload(self, data: bytes = b"%PDF-1.4 example", media: str = "application/pdf", **changes: str) -> Reply:
        digest = hashlib.sha256(data).hexdigest()
        content = {
            "BZF002": digest,
            "BZF003": media,
            "BZF004": str(len(data)),
            "BZF006": base64.b64encode(data).decode(),
        } | changes
        return await self.send("TJ9002", content, f"F{digest[:39]}")

    async def file(self) -> str:
        reply = await self.upload()
        assert reply.code in ("0000", "1001")
        return str(reply.content["BZF001"])

    async def agreed(self, case: dict[str, Any] = CASE) -> str:
        """Case and agreement are there; returns a file id."""
        file = await self.file()
        await self.done("TJ1001", case)
        await self.done("TJ1004", changed(AGREEMENT, BZD007=file))
        return file

    def review(self, file: str, **changes: Any) -> dict[str, Any]:
        papers = [{"BZF001": file, "BZF005": "01"}, {"BZF001": file, "BZF005": "05"}]
        return changed(REVIEW, **({"BZF000": papers} | changes))

    # --- the other direction

    def acknowledge(self, callback: dict[str, Any], **changes: str) -> bytes:
        asked = callback["head"]
        head = {
            "appid": asked["appid"],
            "serviceid": asked["serviceid"],
            "serialno": asked["serialno"],
            "reqnonce": asked["nonce"],
            "timestamp": self.now().strftime("%Y%m%d%H%M%S"),
            "nonce": os.urandom(16).hex(),
            "version": "1.0.0",
            "enctype": "SM4/CBC/PKCS7",
            "signtype": "SM2",
            "code": "0000",
            "message": "成功",
        } | changes
        return self.envelope(head, "")

    def check(self, data: bytes) -> tuple[str, Any]:
        """The code that a strict gateway would answer a callback with, and its plaintext."""
        envelope = json.loads(data)
        head, body = envelope["head"], envelope["body"]
        if "sign" not in head:
            return "3001", None
        sent = datetime.strptime(head["timestamp"], "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
        if abs((self.now() - sent).total_seconds()) > 300:
            return "3003", None
        signature = base64.b64decode(head["sign"])
        if len(signature) != 64 or not self.platform.verify(text_to_sign(head, body), signature[:32], signature[32:]):
            return "3004", None
        try:
            return "0000", self.unseal(body)
        except (ValueError, gmssl_fast.GmsslError):
            return "3006", None


async def decide(client: Client, ref: str, decision: str, **more: Any) -> None:
    """The platform's clerk decides about what was filed."""
    order = {"ref": ref, "decision": decision, **more}
    async with client.session.post(f"{client.config['base_url']}/_mock/decide", json=order) as response:
        assert response.status == 200, await response.text()


async def refer(client: Client, **order: Any) -> dict[str, Any]:
    """The platform hands a case over."""
    async with client.session.post(f"{client.config['base_url']}/_mock/refer", json=order) as response:
        assert response.status == 200, await response.text()
        return dict(await response.json())

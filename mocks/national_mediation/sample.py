"""Made-up cases that citizens filed on the platform: some say much, some hardly more than the page promises."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from mocks.national_mediation import moments
from mocks.national_mediation.reading import Json
from mocks.numbers import credit_code_check, resident_id_check

_SURNAMES: Final = ("王", "李", "张", "刘", "陈", "杨", "赵", "𠮷")
_GIVEN: Final = ("示例", "测试", "样本", "演示", "示范")
_UNITS: Final = ("济南示例餐饮有限公司", "山东示例物流有限公司", "示例建筑劳务（济南）有限公司")
_CLAIMS: Final = (
    ("20505", "劳动争议/劳动合同纠纷/追索劳动报酬纠纷", "01", "支付拖欠工资"),
    ("20506", "劳动争议/劳动合同纠纷/经济补偿金纠纷", "04", "支付解除劳动合同经济补偿"),
    ("20602", "劳动争议/社会保险纠纷/工伤保险待遇纠纷", "03", "支付工伤医疗费"),
)
_LINE_HEIGHT: Final = 24


def filed_case(number: int, channel: str, region: str, now: datetime) -> Json:
    """The ``number``-th case, in the form of the page's §5; every third has no numbers, no amount and no cause."""
    person = _SURNAMES[number % len(_SURNAMES)] + _GIVEN[number % len(_GIVEN)]
    unit = _UNITS[number % len(_UNITS)]
    cause, cause_name, kind, claim = _CLAIMS[number % len(_CLAIMS)]
    facts = f"{person}称{unit}未按约履行，要求{claim}。"
    applicant: Json = {"role": "1", "kind": "1", "name": person}
    respondent: Json = {"role": "2", "kind": "2", "name": unit}
    case: Json = {"sourceChannel": channel, "receivedAt": moments.write(now), "facts": facts}
    if number % 3 == 0:
        return case | {"parties": [applicant, respondent]}
    identity = f"{region}199{number % 10}0{number % 9 + 1}15{number % 1000:03d}"
    credit = f"91370102MA3{number % 1_000_000:06d}"
    amount = (number % 90 + 10) * 10_000
    return case | {
        "regionCode": region,
        "form": "1",
        "causeCode": cause,
        "causeName": cause_name,
        "claims": [{"kind": kind, "text": claim, "amountFen": amount}],
        "amountFen": amount,
        "parties": [
            applicant
            | {
                "idType": "01",
                "idNumber": identity + resident_id_check(identity),
                "sex": "1" if int(identity[-1]) % 2 else "2",
                "phone": f"1380000{number % 10_000:04d}",
                "address": {"regionCode": region, "detail": f"示例街道{number % 100 + 1}号"},
            },
            respondent
            | {
                "creditCode": credit + credit_code_check(credit),
                "contactName": "赵示例",
                "contactPhone": "0531-00000000",
                "address": {"regionCode": region, "detail": "示例路2号"},
            },
        ],
    }


def pdf(lines: Sequence[str]) -> bytes:
    """A real PDF of one page; what is not ASCII stands in it as question marks."""
    shown = []
    for line in lines[:28]:
        ascii_text = line.encode("ascii", "replace").decode("ascii")
        escaped = ascii_text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        shown.append(f"({escaped}) Tj T*")
    stream = f"BT /F1 14 Tf {_LINE_HEIGHT} TL 72 760 Td\n{chr(10).join(shown)}\nET".encode("ascii")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R "
        b"/Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    )
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places: list[int] = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for place in places:
        out += b"%010d 00000 n \n" % place
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)

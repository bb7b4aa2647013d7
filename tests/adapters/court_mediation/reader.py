"""A form read back into canonical words, by the page's tables written down a second time: value by JSON pointer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from contracts.adapter import Json

Leaves = dict[str, Any]

_DOCUMENTS = {
    ("09_00015-1", "身份证"): "resident_id",
    ("09_00015-7", "护照"): "passport",
    ("09_00015-255", "港澳居民来往内地通行证"): "hk_macao_permit",
    ("09_00015-255", "台湾居民来往大陆通行证"): "taiwan_permit",
    ("09_00015-255", "港澳台居民居住证"): "hk_macao_taiwan_residence_permit",
    ("09_00015-255", "外国人永久居留身份证"): "foreign_permanent_resident_card",
    ("09_00015-255", "其他"): "other",
}
_CLASSES = {
    "03": "mediation_application",
    "04": "service_address_confirmation",
    "05": "mediation_agreement",
    "06": "confirmation_application",
    "07": "mediation_record",
    "09": "rights_notice",
    "12": "other",
    "13": "mediation_presided_proof",
}
_SIDES = (
    ("applicantPartyList", "applicant", "applicant"),
    ("respondentPartyList", "respondent", "respondent"),
    ("thirdPartyList", "third", "third_party"),
)


def leaves(tree: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a document's JSON with its pointer; times in UTC, empty lists left out."""
    if isinstance(tree, dict):
        for key, below in tree.items():
            yield from leaves(below, f"{at}/{key}")
    elif isinstance(tree, list):
        for number, below in enumerate(tree):
            yield from leaves(below, f"{at}/{number}")
    elif tree is not None:
        yield at, same_moment(tree)


def same_moment(value: Any) -> Any:
    """A time by its moment, whatever its offset; every other value as it is."""
    if isinstance(value, str) and len(value) > 18 and value[4:5] == "-" and value[10:11] == "T":
        return datetime.fromisoformat(value)
    return value


class Reader:
    """Reads the keys of one object into leaves."""

    def __init__(self, payload: Json, into: Leaves, whole: Callable[[str, str], str], place: str = "") -> None:
        self.payload = payload
        self.into = into
        self.whole = whole
        self.place = place

    def take(self, key: str, pointer: str, read: Callable[[str], Any] = str) -> None:
        """One value, where it is there."""
        if key in self.payload:
            self.into[pointer] = read(self.payload[key])

    def take_long(self, key: str, pointer: str) -> None:
        """One long text, from its file where it is cut."""
        if key in self.payload:
            self.into[pointer] = self.whole(f"{self.place}{key}", self.payload[key])

    def rows(self, key: str) -> Iterator[tuple[int, Reader]]:
        """The objects of a list."""
        for number, row in enumerate(self.payload.get(key, [])):
            yield number, Reader(row, self.into, self.whole, f"{self.place}{key}[{number}].")


def reader(payload: Json, into: Leaves) -> Reader:
    """The reader of a whole form."""
    files = {entry["wjmc"]: entry["text"] for entry in payload.get("docList", []) if "text" in entry}

    def whole(place: str, shown: str) -> str:
        text = files.get(f"{place}.txt")
        if text is None or text == shown:
            return shown
        assert shown == text[:4980] + "（全文见附件）"
        return str(text)

    return Reader(payload, into, whole)


def minute(text: str) -> datetime:
    """``yyyyMMdd HH:mm`` of Beijing."""
    return datetime.strptime(text + "+0800", "%Y%m%d %H:%M%z")


def day(text: str) -> str:
    """``yyyyMMdd``."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"


def of(**words: str) -> Callable[[str], str]:
    """A code table, ``c1="word"`` for the code 1."""
    return lambda code: words[f"c{code}"]


FLAG = {"1": True, "0": False}.__getitem__


def read_case(form: Reader, at: str, number_key: str, places: dict[str, list[int]]) -> None:
    """The case keys. ``places`` tells which party of the case each row of a side is."""
    form.take(number_key, f"{at}/source_case_no")
    form.take("jgdm", f"{at}/organization/code")
    form.take("jgmc", f"{at}/organization/name")
    form.take("money", f"{at}/amount")
    form.take("startTimeStr", f"{at}/received_at", minute)
    form.take_long("dispute", f"{at}/facts")
    for number, row in form.rows("claims"):
        row.take("lx", f"{at}/claims/{number}/kind")
        row.take_long("nr", f"{at}/claims/{number}/text")
        row.take("je", f"{at}/claims/{number}/amount")
    form.take("mediatorId", f"{at}/mediators/0/certificate_no")
    for number, value in enumerate(form.payload.get("otherMediators", []), start=1):
        form.into[f"{at}/mediators/{number}/certificate_no"] = value
    form.take("sjrs", f"{at}/collective/worker_count", int)
    for number, value in enumerate(form.payload.get("dbr", [])):
        form.into[f"{at}/collective/representatives/{number}"] = value
    read_parties(form, f"{at}/parties", places)


def read_parties(form: Reader, at: str, places: dict[str, list[int]]) -> None:
    """The three lists."""
    for key, prefix, role in _SIDES:
        for number, row in form.rows(key):
            here = f"{at}/{places[role][number]}"
            form.into[f"{here}/role"] = role
            _read_party(row, prefix, here)


def _read_party(row: Reader, prefix: str, at: str) -> None:
    kind = {"0": "person", "1": "employer", "2": "other_organization"}[row.payload[f"{prefix}Type"]]
    row.into[f"{at}/kind"] = kind
    row.take(f"{prefix}Name", f"{at}/name")
    row.take("areaCode", f"{at}/address/region_code")
    row.take(f"{prefix}Address", f"{at}/address/detail")
    credentials = (row.payload["credentialsType"], row.payload["credentialsName"])
    if kind == "person":
        row.take(f"{prefix}Tel", f"{at}/phone")
        row.into[f"{at}/id_type"] = _DOCUMENTS[credentials]
        row.take(f"{prefix}IDCardNo", f"{at}/id_number")
        row.take(f"{prefix}Sex", f"{at}/sex", of(c0="male", c1="female"))
        row.take(f"{prefix}Birthday", f"{at}/birth_date", day)
        row.take(f"{prefix}Nation", f"{at}/ethnic_group")
        row.take(f"{prefix}Sddz", f"{at}/service_address/region_code", lambda text: text.partition(" ")[0])
        row.take(f"{prefix}Sddz", f"{at}/service_address/detail", lambda text: text.partition(" ")[2])
        row.take(f"{prefix}Dzsd", f"{at}/service_address/electronic_consent", FLAG)
    else:
        assert credentials == ("09_00015-255", "统一社会信用代码证")
        row.take(f"{prefix}Tel", f"{at}/contact/phone")
        landline = row.payload[f"{prefix}Tel"].startswith("0")
        assert (f"{prefix}StaticPhone" in row.payload) is landline
        row.take(f"{prefix}IDCardNo", f"{at}/credit_code")
        row.take(f"{prefix}Fddbr", f"{at}/legal_representative/name")
        row.take(f"{prefix}Fddbrzw", f"{at}/legal_representative/position")
        row.take(f"{prefix}Lxr", f"{at}/contact/name")
    for number, agent in row.rows("agentList"):
        _read_agent(agent, f"{at}/agents/{number}")


def _read_agent(row: Reader, at: str) -> None:
    row.take("dllx", f"{at}/kind", of(c1="lawyer", c2="legal_worker", c3="employee", c4="close_relative", c5="citizen"))
    row.take("xm", f"{at}/name")
    codes = {"09_00015-1": "resident_id", "09_00015-7": "passport", "09_00015-255": "other"}
    row.take("credentialsType", f"{at}/id_type", codes.__getitem__)
    row.take("zjhm", f"{at}/id_number")
    row.take("dh", f"{at}/phone")
    row.take("dlqx", f"{at}/authority", of(c1="general", c2="special"))


def read_agreement(form: Reader, at: str) -> None:
    """The agreement keys."""
    form.take("xybh", f"{at}/agreement_no")
    form.take("successState", f"{at}/settled_claims", of(c1="all", c2="partial"))
    form.take("sxgz", f"{at}/effect_rule", of(c1="labor_law", c2="court_delegated_paper", c3="court_online"))
    form.take("gzsj", f"{at}/organization_seal/sealed_at", minute)
    form.take("fs", f"{at}/copies", int)
    form.take("gzssj", f"{at}/performance_notice_sent_at", minute)
    lines = [""]
    for number, row in form.rows("xyx"):
        here = f"{at}/terms/{number}"
        row.take("xh", f"{here}/no", int)
        row.take("lx", f"{here}/kind")
        row.take_long("nr", f"{here}/text")
        row.take("je", f"{here}/amount")
        row.take("lxqx", f"{here}/due_date", day)
        row.take("skr", f"{here}/payee/account_name")
        row.take("khh", f"{here}/payee/bank")
        row.take("zh", f"{here}/payee/account_no")
        for count, part in row.rows("fq"):
            part.take("je", f"{here}/installments/{count}/amount")
            part.take("rq", f"{here}/installments/{count}/due_date", day)
        lines.append(f"{row.into[f'{here}/no']}. {row.into[f'{here}/text']}")
    form.take_long("agreement", f"{at}/facts")
    # The terms stand in the text again, after the facts.
    form.into[f"{at}/facts"] = form.into[f"{at}/facts"].removesuffix("\n".join(lines))
    for number, row in form.rows("qm"):
        here = f"{at}/signatures/{number}"
        row.take("xm", f"{here}/name")
        row.take("lx", f"{here}/signer", of(c1="party", c2="mediator"))
        row.take("fs", f"{here}/method", of(c1="handwritten", c2="seal", c3="fingerprint", c4="electronic"))
        row.take("sj", f"{here}/signed_at", minute)


def read_files(form: Reader, at: str, most: int) -> None:
    """The first entries of ``docList`` as references to attachments."""
    for number, entry in enumerate(form.payload.get("docList", [])[:most]):
        form.into[f"{at}/{number}/id"] = entry["attachment"]
        form.into[f"{at}/{number}/name"] = entry["wjmc"]
        form.into[f"{at}/{number}/kind"] = _CLASSES[entry["fjlx"]]

"""What is checked of people beyond the tables (court_mediation §4, §8.2): identity documents, sex, keys by kind."""

from mocks.court_mediation import codes
from mocks.court_mediation.check import Findings, objects_of, text_of
from mocks.court_mediation.forms import SIDES
from mocks.court_mediation.reading import Document
from mocks.numbers import is_resident_id


def check_parties(document: Document, findings: Findings) -> None:
    """Every party of the three lists, and their agents."""
    for key, prefix in SIDES.items():
        for path, party in objects_of(document, key):
            _check_party(party, prefix, findings, f"{path}.")


def check_mediator(document: Document, findings: Findings) -> None:
    """调解员: the identity number and the sex written in it."""
    number = text_of(document, "zjhm")
    _check_number(text_of(document, "credentialsType"), number, "zjhm", findings)
    _check_sex(text_of(document, "credentialsType"), number, text_of(document, "xb"), "xb", findings)


def _check_party(party: Document, prefix: str, findings: Findings, path: str) -> None:
    kind = text_of(party, f"{prefix}Type")
    id_type = text_of(party, "credentialsType")
    id_name = text_of(party, "credentialsName")
    number = text_of(party, f"{prefix}IDCardNo")
    if kind == codes.PERSON:
        for key in (f"{prefix}Sex", f"{prefix}Birthday"):
            if text_of(party, key) == "":
                findings.add(f"{path}{key}", "自然人必填")
    if kind == codes.EMPLOYER and (id_type, id_name) != (codes.OTHER_DOCUMENT, codes.UNIT_CERTIFICATE):
        findings.add(f"{path}credentialsType", "用人单位应为 09_00015-255 统一社会信用代码证")
    fixed = codes.ID_DOCUMENTS.get(id_type)
    if fixed is not None and id_name not in ("", fixed):
        findings.add(f"{path}credentialsName", "与证件类型不符")
    _check_number(id_type, number, f"{path}{prefix}IDCardNo", findings)
    _check_sex(id_type, number, text_of(party, f"{prefix}Sex"), f"{path}{prefix}Sex", findings)
    for place, agent in objects_of(party, "agentList"):
        _check_number(text_of(agent, "credentialsType"), text_of(agent, "zjhm"), f"{path}{place}.zjhm", findings)


def _check_number(id_type: str, number: str, path: str, findings: Findings) -> None:
    if id_type == codes.RESIDENT_ID and number != "" and not is_resident_id(number):
        findings.add(path, "身份证号校验不通过")


def _check_sex(id_type: str, number: str, sex: str, path: str, findings: Findings) -> None:
    if id_type != codes.RESIDENT_ID or sex not in codes.SEXES or not is_resident_id(number):
        return
    if sex != (codes.MALE if int(number[16]) % 2 else codes.FEMALE):
        findings.add(path, "与身份证号第17位不符")

"""The platform's code tables (page §6), both ways; site tables, replaced by the platform's own at a real site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

from adapters.tables import Losses, Table
from contracts import causes
from contracts.lists import CauseTable, IdType

KIND = Table("party type", {"person": "0", "employer": "1", "other_organization": "2"})
SEX = Table("sex", {"male": "0", "female": "1"})

# ------------------------------------------------------------------------------------------------------- id documents

_RESIDENT, _PASSPORT, _OTHER_DOCUMENT = "09_00015-1", "09_00015-7", "09_00015-255"
CREDIT_CODE_DOCUMENT = (_OTHER_DOCUMENT, "统一社会信用代码证")
"""``credentialsType`` and ``credentialsName`` of a unit."""

_DOCUMENTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        IdType.RESIDENT_ID: (_RESIDENT, "身份证"),
        IdType.PASSPORT: (_PASSPORT, "护照"),
        IdType.HK_MACAO_PERMIT: (_OTHER_DOCUMENT, "港澳居民来往内地通行证"),
        IdType.TAIWAN_PERMIT: (_OTHER_DOCUMENT, "台湾居民来往大陆通行证"),
        IdType.HK_MACAO_TAIWAN_RESIDENCE_PERMIT: (_OTHER_DOCUMENT, "港澳台居民居住证"),
        IdType.FOREIGN_PERMANENT_RESIDENT_CARD: (_OTHER_DOCUMENT, "外国人永久居留身份证"),
        IdType.OTHER: (_OTHER_DOCUMENT, "其他"),
    }
)
_NAMED_DOCUMENTS = {name: IdType(kind) for kind, (code, name) in _DOCUMENTS.items() if code == _OTHER_DOCUMENT}
# Documents of the court's table that the canonical list does not tell apart (军官证 … 工作证, 律师执业证).
_FOREIGN_DOCUMENTS = frozenset(f"09_00015-{number}" for number in (2, 3, 4, 5, 6, 8))


def id_document(kind: IdType) -> tuple[str, str]:
    """``credentialsType`` and ``credentialsName`` of a kind of identity document (证件类型)."""
    return _DOCUMENTS[kind]


def id_type(code: str, name: str) -> IdType | None:
    """The canonical kind of a document; ``None`` where the code is not of the court's table."""
    if code == _RESIDENT:
        return IdType.RESIDENT_ID
    if code == _PASSPORT:
        return IdType.PASSPORT
    if code == _OTHER_DOCUMENT:
        return _NAMED_DOCUMENTS.get(name, IdType.OTHER)
    return IdType.OTHER if code in _FOREIGN_DOCUMENTS else None


ID_WITHOUT_NAME = Table(
    "id documents",
    {IdType.RESIDENT_ID: _RESIDENT, IdType.PASSPORT: _PASSPORT, IdType.OTHER: _OTHER_DOCUMENT},
    other=_OTHER_DOCUMENT,
)
"""Where ``credentialsType`` stands alone (agents, mediators), the documents that only a name tells apart are "other"."""

# ------------------------------------------------------------------------------------------------------- small tables

AGENT_KIND = Table(
    "agent dllx", {"lawyer": "1", "legal_worker": "2", "employee": "3", "close_relative": "4", "citizen": "5"}
)
AGENT_AUTHORITY = Table("power dlqx", {"general": "1", "special": "2"})
SETTLED_CLAIMS = Table("successState", {"all": "1", "partial": "2"})
EFFECT_RULE = Table("sxgz", {"labor_law": "1", "court_delegated_paper": "2", "court_online": "3"})
SIGNER = Table("signer", {"party": "1", "mediator": "2"})
SIGNATURE_METHOD = Table("signature", {"handwritten": "1", "seal": "2", "fingerprint": "3", "electronic": "4"})
PERFORMANCE_STATUS = Table("lxzt", {"performed": "1", "partly_performed": "2", "breached": "3"})
REFERRAL_ANSWER = Table("jieguo", {"accept": "1", "decline": "0"})
REFERRAL_OUTCOME = Table("tjjg", {"agreed": "1", "partly_agreed": "2", "failed": "0", "withdrawn": "0"})
REFERRAL_KIND = Table("wplx", {"court_delegated": "1", "court_entrusted": "2"})
END_REASON = Table(
    "end reasons jsyy",
    {
        "agreement_reached": "1",
        "self_settled_withdrawn": "2",
        "unreachable": "3",
        "unwilling": "4",
        "large_divergence": "5",
        "expired": "6",
        "refused_to_sign": "7",
        "other": "8",
    },
)
TRANSFER_REASON = Table(
    "transfer yy", {"mediation_failed": "1", "limit_passed": "2", "not_performed": "3", "other": "9"}, other="9"
)

OTHER_FILE = "12"
FILE_CLASS = Table(
    "file class fjlx",
    {
        "mediation_application": "03",
        "service_address_confirmation": "04",
        "mediation_agreement": "05",
        "confirmation_application": "06",
        "mediation_record": "07",
        "rights_notice": "09",
        "mediation_presided_proof": "13",
        "other": OTHER_FILE,
    },
    other=OTHER_FILE,
)
"""01 and 02 are one side's materials, and an attachment does not say whose it is; 08, 10, 11 have no canonical kind."""

# -------------------------------------------------------------------------------------------------------------- causes

NO_CAUSE = "9999-0-0"
_SOCIAL_INSURANCE = ("养老保险待遇", "工伤保险待遇", "医疗保险待遇", "生育保险待遇", "失业保险待遇")
_LABOUR_CONTRACT = (
    "确认劳动关系",
    "集体合同",
    "劳务派遣合同",
    "非全日制用工",
    "追索劳动报酬",
    "经济补偿金",
    "竞业限制",
)
_CAUSES_2025: Mapping[str, tuple[int, tuple[str, ...]]] = MappingProxyType(
    {
        "劳动合同": (205, _LABOUR_CONTRACT),
        "社会保险": (206, _SOCIAL_INSURANCE),
        "福利待遇": (207, ()),
        "超龄劳动者用工": (208, ()),
        "承包人、被挂靠人用工主体责任": (209, ()),
        "聘用合同": (210, ()),
        "聘任合同": (211, ()),
        "辞职": (212, ()),
        "辞退": (213, ()),
    }
)
_NEW = "新就业形态"
_CAUSES_NEW: Mapping[str, tuple[int, tuple[str, ...]]] = MappingProxyType(
    {
        "用工合同": (214, ("确认劳动关系", "追索劳动报酬")),
        "社会保险": (215, ("工伤保险待遇",)),
        "职业伤害保障": (216, ()),
    }
)
"""Level 3 with its level 4 under 新就业形态用工; names without their leading 新就业形态."""
_NUMBERS_2020 = {205: 186, 206: 187, 207: 188, 210: 189, 211: 190, 212: 191, 213: 192}
_GROUPS = frozenset({"劳动争议", "人事争议"})
_ARBITRATION = {
    "确认劳动关系": "2025-205-1",
    "劳动报酬": "2025-205-5",
    "经济补偿": "2025-205-6",
    "赔偿金": "2025-205-6",
    "社会保险": "2025-206-0",
    "福利": "2025-207-0",
}
_OTHER_ARBITRATION = "2025-205-0"


def cause_code(table: CauseTable, path: Sequence[str], losses: Losses, at: str, place: str) -> str:
    """``causeCode`` of a cause (案由); ``disputeType`` carries its last name beside it.

    ``at``: pointer of the cause in its document."""
    code = _court_code(table, tuple(path)) if table is not CauseTable.ARBITRATION else _arbitration_code(path)
    if code == NO_CAUSE:
        losses.coded(f"{at}/path", place, "causes: no row, went as other; disputeType keeps the last name")
        return code
    if cause_path(code) == (table, tuple(path)):
        losses.carried(f"{at}/table")
        losses.carried(f"{at}/path")
    else:
        losses.mapped(f"{at}/table", place, "went by the court's table of 2025")
        losses.mapped(f"{at}/path", place, "the nearest row of that table; disputeType keeps the last name")
    return code


def cause_path(code: str) -> tuple[CauseTable, tuple[str, ...]] | None:
    """Table and path of a ``causeCode``; ``None`` for a code that is no row."""
    return _paths().get(code)


def _arbitration_code(path: Sequence[str]) -> str:
    return _ARBITRATION.get(causes.last_name(path), _OTHER_ARBITRATION)


def _court_code(table: CauseTable, path: tuple[str, ...]) -> str:
    names = [name.removesuffix("纠纷") for name in path]
    if len(names) not in (2, 3):
        return NO_CAUSE
    if names[0].startswith(_NEW):
        rows, names = _CAUSES_NEW, [name.removeprefix(_NEW) for name in names]
    elif names[0] in _GROUPS:
        rows = _CAUSES_2025
    else:
        return NO_CAUSE
    number, below = rows.get(names[1], (0, ()))
    if table is CauseTable.COURT_2020:
        number = _NUMBERS_2020.get(number, 0)
    if not number or (len(names) == 3 and names[2] not in below):
        return NO_CAUSE
    return f"{table}-{number}-{below.index(names[2]) + 1 if len(names) == 3 else 0}"


@cache
def _paths() -> Mapping[str, tuple[CauseTable, tuple[str, ...]]]:
    found: dict[str, tuple[CauseTable, tuple[str, ...]]] = {}
    for matter in causes.matters():
        for table, path in matter.paths.items():
            if table is not CauseTable.ARBITRATION and (code := _court_code(table, path)) != NO_CAUSE:
                found.setdefault(code, (table, path))
    return MappingProxyType(found)

"""The field tables of every service (court_mediation §4), as data."""

from collections.abc import Mapping
from typing import Final

from mocks.court_mediation import codes
from mocks.court_mediation.codes import Service
from mocks.court_mediation.fields import (
    Field,
    Form,
    Table,
    code,
    constant,
    date,
    digits,
    long_text,
    money,
    objects,
    text,
    texts,
    time,
)

TEXT_KEY: Final = "mediationFormStr"
"""The one form field of services, query and link."""

SIDES: Final[Mapping[str, str]] = {
    "applicantPartyList": "applicant",
    "respondentPartyList": "respondent",
    "thirdPartyList": "third",
}
"""List of parties → prefix of its keys (申请人, 被申请人, 第三人)."""

_HEAD: Final[Table] = (
    text("tjbh", 40, required=True),
    text("fydm", 10, required=True),
    text("jgdm", 32, required=True),
    text("jgmc", 100, required=True),
)

_FILE: Final[Table] = (
    text("fileId", required=True),
    code("fjlx", codes.FILE_CLASSES, required=True),
    text("wjmc", required=True),
)


def _files(*, required: bool = False, at_least: int | None = None) -> Field:
    return objects("docList", _FILE, required=required, at_least=at_least)


_ID_TYPE: Final = frozenset(codes.ID_DOCUMENTS)

_AGENT: Final[Table] = (
    code("dllx", codes.AGENT_KINDS),
    text("xm", required=True),
    code("credentialsType", _ID_TYPE),
    text("zjhm"),
    text("dh"),
    code("dlqx", codes.AGENT_POWERS),
)


def _party(prefix: str) -> Table:
    # Sex and Birthday are required of persons alone: parties.py asks for them by Type.
    return (
        code(f"{prefix}Type", codes.PARTY_TYPES, required=True),
        text(f"{prefix}Name", 100, required=True),
        text(f"{prefix}Tel", 20, required=True),
        text(f"{prefix}StaticPhone"),
        code("credentialsType", _ID_TYPE, required=True),
        text("credentialsName", required=True),
        text(f"{prefix}IDCardNo", 30, required=True),
        code(f"{prefix}Sex", codes.SEXES),
        date(f"{prefix}Birthday"),
        text(f"{prefix}Nation", 20),
        text("areaCode", 12, required=True),
        text(f"{prefix}Address", 200, required=True),
        text(f"{prefix}Sddz", 212),
        code(f"{prefix}Dzsd", codes.YES_NO),
        text(f"{prefix}Fddbr", 50),
        text(f"{prefix}Fddbrzw", 50),
        text(f"{prefix}Lxr", 50),
        objects("agentList", _AGENT),
    )


_PARTIES: Final[Table] = tuple(objects(key, _party(prefix)) for key, prefix in SIDES.items())

_CAUSE: Final[Table] = (
    code("causeCode", codes.CAUSES, required=True),
    text("disputeType", 100, required=True),
)

_CLAIM: Final[Table] = (text("lx"), long_text("nr"), money("je"))

_CASE: Final[Table] = (
    Field("year", Form.YEAR, required=True),
    constant("type", "1"),
    constant("draftFlag", "0"),
    constant("caseCatalog", "9901"),
    *_CAUSE,
    money("money", required=True),
    money("claimMoney"),
    time("startTimeStr", required=True),
    time("endTimeStr", required=True),
    long_text("dispute", required=True),
    objects("claims", _CLAIM),
    text("mediatorId", required=True),
    texts("otherMediators"),
    constant("state", "3"),
    code("successState", codes.SUCCESS_STATES, required=True),
    *_PARTIES,
    digits("sjrs"),
    texts("dbr"),
)

_INSTALMENT: Final[Table] = (money("je"), date("rq"))

_TERM: Final[Table] = (
    text("xh"),
    text("lx"),
    long_text("nr"),
    money("je"),
    date("lxqx"),
    text("skr"),
    text("khh"),
    text("zh"),
    objects("fq", _INSTALMENT),
)

_SIGNATURE: Final[Table] = (
    text("xm"),
    code("lx", codes.SIGNER_KINDS),
    code("fs", codes.SIGNATURE_KINDS),
    time("sj"),
)

_AGREEMENT: Final[Table] = (
    text("xybh", 60, required=True),
    long_text("agreement", required=True),
    objects("xyx", _TERM, required=True),
    code("sxgz", codes.EFFECT_RULES, required=True),
    time("sxsj", required=True),
    objects("qm", _SIGNATURE, required=True),
    time("gzsj", required=True),
    digits("fs"),
    _files(required=True),
    time("gzssj"),
    text("rwbh"),
)

_SERVICE_ADDRESS: Final[Table] = (
    text("xm"),
    text("dqdm"),
    text("dz"),
    text("dh"),
    code("dzsd", codes.YES_NO),
)

FORMS: Final[Mapping[Service, Table]] = {
    Service.FILE_AGREEMENT: (*_HEAD, text("mediationCaseNo", 60, required=True), *_CASE, *_AGREEMENT),
    Service.REPORT_PERFORMANCE: (
        *_HEAD,
        text("xybh", 60, required=True),
        text("xh", required=True),
        code("lxzt", codes.PERFORMANCE_STATES, required=True),
        time("sj", required=True),
        money("je"),
        _files(),
    ),
    Service.APPLY: (
        *_HEAD,
        text("tjzh", 60, required=True),
        *_CASE,
        *_AGREEMENT,
        text("sqbh", 40, required=True),
        text("slfymc", required=True),
        time("sqsj", required=True),
        objects("sddzList", _SERVICE_ADDRESS, required=True),
        text("yqyy", 500),
    ),
    Service.SUPPLEMENT: (
        *_HEAD,
        text("sqbh", 40, required=True),
        text("uuid", required=True),
        _files(),
        long_text("bz"),
    ),
    Service.WITHDRAW: (
        *_HEAD,
        text("sqbh", 40, required=True),
        text("uuid", required=True),
        text("yy", 500, required=True),
        time("sqsj", required=True),
    ),
    Service.ANSWER_TASK: (
        *_HEAD,
        text("rwbh", required=True),
        code("jieguo", codes.YES_NO, required=True),
        text("yy", 500),
    ),
    # docList is no row of task/finish, but the long-text rule (∞ of qkbg) puts the whole text there.
    Service.FINISH_TASK: (
        *_HEAD,
        text("rwbh", required=True),
        code("tjjg", codes.OUTCOMES, required=True),
        code("jsyy", codes.END_REASONS, required=True),
        long_text("qkbg", required=True),
        text("xybh", 60),
        _files(),
    ),
    Service.TRANSFER: (
        *_HEAD,
        text("ysbh", 40, required=True),
        text("tjzh", 60, required=True),
        text("rwbh"),
        long_text("ssqq", required=True),
        code("yy", codes.TRANSFER_REASONS, required=True),
        *_PARTIES,
        money("bdje", required=True),
        *_CAUSE,
        # The key is required, but §4 names no class that a transfer must hold.
        _files(required=True, at_least=0),
    ),
    Service.LIST_MEDIATOR: (
        *_HEAD,
        text("zsbh", 40, required=True),
        text("xm", required=True),
        code("xb", codes.SEXES),
        text("dh"),
        code("credentialsType", _ID_TYPE),
        text("zjhm"),
    ),
}

QUERY_FORM: Final[Table] = (text("tjbh", 40, required=True),)
LINK_FORM: Final[Table] = (text("c_wsbh", required=True),)

NEEDED_CLASSES: Final[Mapping[Service, frozenset[str]]] = {
    Service.FILE_AGREEMENT: frozenset({codes.CLASS_AGREEMENT}),
    Service.APPLY: frozenset({codes.CLASS_AGREEMENT, codes.CLASS_APPLICATION, codes.CLASS_PRESIDED_PROOF}),
}
"""File classes that `docList` must hold (§4)."""

AMOUNT_KEYS: Final[Mapping[Service, str]] = {
    Service.FILE_AGREEMENT: "money",
    Service.APPLY: "money",
    Service.REPORT_PERFORMANCE: "je",
    Service.TRANSFER: "bdje",
}
"""Amount that a query shows again, as a decimal fraction without its second nought (§7, oddities)."""

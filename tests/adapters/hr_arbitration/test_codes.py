"""The tables against the closed lists of the contract and against the page's own words."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from adapters.hr_arbitration import codes
from adapters.tables import Losses, Table
from contracts import causes, lists, status
from contracts.adapter import LossKind
from contracts.lists import CauseTable

WHOLE: list[tuple[Table, Iterable[str]]] = [
    (codes.SEX, lists.Sex),
    (codes.ID_TYPE, lists.IdType),
    (codes.ORGANIZATION_TYPE, lists.OrganizationType),
    (codes.CHANNEL, lists.Channel),
    (codes.APPLICATION_FORM, lists.ApplicationForm),
    (codes.ROLE, lists.PartyRole),
    (codes.KIND, lists.PartyKind),
    (codes.AGENT_KIND, lists.AgentKind),
    (codes.AGENT_AUTHORITY, lists.AgentAuthority),
    (codes.CLAIM_KIND, lists.ClaimKind),
    (codes.UNIT_TYPE, lists.UnitType),
    (codes.UNIT_SIZE, lists.UnitSize),
    (codes.SESSION_METHOD, lists.SessionMethod),
    (codes.CASE_STATUS, [one for one in status.CaseStatus if one != "unknown"]),
    (codes.CONFIRMATION_STATUS, [one for one in status.ConfirmationStatus if one != "unknown"]),
    (codes.TRANSFER_STATUS, [one for one in status.TransferStatus if one != "unknown"]),
    (codes.FULFILMENT_STATUS, [one for one in status.FulfilmentStatus if one != "unknown"]),
    (codes.END_REASON, lists.EndReason),
    (codes.EFFECT_RULE, lists.EffectRule),
    (codes.SETTLED_CLAIMS, lists.SettledClaims),
    (codes.SIGNER, lists.SignerRole),
    (codes.SIGNATURE_METHOD, lists.SignatureMethod),
    (codes.ALERT_LEVEL, lists.AlertLevel),
    (codes.REFERRAL_ANSWER, lists.ReferralDecision),
    (codes.REFERRAL_OUTCOME, lists.ReferralOutcome),
]


@pytest.mark.parametrize(("table", "values"), WHOLE, ids=lambda one: one.name if isinstance(one, Table) else "")
def test_every_value_of_the_list_has_its_row_and_no_other_has(table: Table, values: Iterable[str]) -> None:
    assert set(table.rows) == {str(value) for value in values}
    for value in table.rows:
        losses = Losses()
        code = table.code(value, losses, "/x", "X")
        shared = [other for other in table.rows if table.rows[other] == code]
        assert table.value(code) == shared[0]
        assert [loss.kind for loss in losses] == ([] if value == shared[0] else [LossKind.MAPPED])


@pytest.mark.parametrize(
    ("table", "values", "without"),
    [
        (
            codes.TERM_KIND,
            lists.TermKind,
            {"reinstatement", "contract_termination", "certificate", "social_insurance", "apology"},
        ),
        (
            codes.FILE_CLASS,
            lists.AttachmentKind,
            {"rights_notice", "mediation_presided_proof", "performance_notice", "mediation_proposal", "decision"},
        ),
        (codes.TRANSFER_REASON, lists.TransferReason, {"unwilling"}),
    ],
    ids=["term", "file", "transfer"],
)
def test_values_without_row_go_as_other(table: Table, values: Iterable[str], without: set[str]) -> None:
    assert {str(value) for value in values} - set(table.rows) == without
    for value in without:
        losses = Losses()
        assert table.code(value, losses, "/x", "X") == table.other
        assert [loss.kind for loss in losses] == [LossKind.CODED]


def test_claims_are_numbered_in_the_order_of_the_contract() -> None:
    in_order = [str(kind) for kind in lists.ClaimKind if kind != "other"]
    assert [codes.CLAIM_KIND.rows[kind] for kind in in_order] == [f"{n:02d}" for n in range(1, 15)]


def test_the_end_reasons_are_numbered_in_the_order_of_the_list() -> None:
    assert [codes.END_REASON.rows[reason] for reason in lists.EndReason] == [f"{n:02d}" for n in range(1, 9)]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("汉族", "01"),
        ("汉", "01"),
        ("土家族", "15"),
        ("土族", "30"),
        ("高山族", "23"),
        ("怒族", "42"),
        ("基诺族", "56"),
    ],
)
def test_ethnic_groups(name: str, code: str) -> None:
    losses = Losses()
    assert codes.ethnic_group_code(name, losses, "/x", "X") == code
    assert losses.report() == ()
    assert codes.ethnic_group_name(code) == name.removesuffix("族") + "族"


def test_there_are_56_ethnic_groups() -> None:
    assert list(codes.ETHNIC_GROUP.rows.values()) == [*(f"{n:02d}" for n in range(1, 57)), "97", "98"]
    losses = Losses()
    for stranger in ("族", "穿青人", "未知"):
        assert codes.ethnic_group_code(stranger, losses, "/x", "X") == "97"
    assert [loss.kind for loss in losses] == [LossKind.CODED] * 3
    assert codes.ethnic_group_name("97") == "其他"
    assert codes.ethnic_group_name("77") is None


COURT = CauseTable.COURT_2025


@pytest.mark.parametrize(
    ("table", "path", "code"),
    [
        (COURT, ["劳动争议", "劳动合同纠纷", "确认劳动关系纠纷"], "0101"),
        (COURT, ["劳动争议", "劳动合同纠纷"], "0206"),
        (COURT, ["劳动争议", "劳动合同纠纷", "竞业限制纠纷"], "0206"),
        (COURT, ["劳动争议", "劳动合同纠纷", "追索劳动报酬纠纷"], "0501"),
        (COURT, ["劳动争议", "劳动合同纠纷", "经济补偿金纠纷"], "0503"),
        (COURT, ["劳动争议", "社会保险纠纷", "工伤保险待遇纠纷"], "0403"),
        (COURT, ["劳动争议", "福利待遇纠纷"], "0404"),
        (COURT, ["劳动争议", "超龄劳动者用工纠纷"], "0702"),
        (COURT, ["劳动争议", "承包人、被挂靠人用工主体责任纠纷"], "0703"),
        (COURT, ["人事争议", "辞退纠纷"], "0302"),
        (COURT, ["人事争议", "聘任合同纠纷"], "0602"),
        (COURT, ["新就业形态用工纠纷", "新就业形态用工合同纠纷", "新就业形态确认劳动关系纠纷"], "0701"),
        (COURT, ["劳动争议"], "9900"),
        (CauseTable.COURT_2020, ["劳动争议", "社会保险纠纷", "失业保险待遇纠纷"], "0403"),
    ],
)
def test_causes_by_their_last_name(table: CauseTable, path: list[str], code: str) -> None:
    assert causes.exists(table, path)
    losses = Losses()
    assert codes.cause_code(path, losses, "/cause/path", "BZA008") == code
    assert [loss.kind for loss in losses] == ([LossKind.CODED] if code == "9900" else [])


def test_every_arbitration_cause_has_the_code_of_its_article() -> None:
    found = {}
    for matter in causes.matters():
        path = matter.paths.get(CauseTable.ARBITRATION)
        if path is not None and len(path) == 2:
            found[path[-1]] = codes.cause_code(path, Losses(), "/x", "X")
    assert found == {
        "确认劳动关系": "0101",
        "订立劳动合同": "0201",
        "履行劳动合同": "0202",
        "变更劳动合同": "0203",
        "解除劳动合同": "0204",
        "终止劳动合同": "0205",
        "除名": "0301",
        "辞退": "0302",
        "辞职": "0303",
        "离职": "0304",
        "工作时间": "0401",
        "休息休假": "0402",
        "社会保险": "0403",
        "福利": "0404",
        "培训": "0405",
        "劳动保护": "0406",
        "劳动报酬": "0501",
        "工伤医疗费": "0502",
        "经济补偿": "0503",
        "赔偿金": "0504",
        "其他劳动争议": "9900",
    }


def test_other_enterprise_reads_as_other() -> None:
    assert codes.UNIT_TYPE.value("10/190") == "other"
    assert codes.UNIT_TYPE.value("10/150") == "limited_company"
    assert codes.UNIT_TYPE.value("10") is None

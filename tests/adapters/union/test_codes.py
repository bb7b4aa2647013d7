"""The code tables of page §6 against the closed lists of the contract."""

from __future__ import annotations

from enum import StrEnum

import pytest

from adapters.tables import Losses, Table
from adapters.union import codes
from contracts import causes, lists
from contracts.adapter import LossKind
from contracts.status import CaseStatus, FulfilmentStatus

COMPLETE: list[tuple[Table, type[StrEnum], set[str]]] = [
    (codes.ID_TYPE, lists.IdType, set()),
    (codes.SEX, lists.Sex, {"unknown"}),
    (codes.CLAIM_KIND, lists.ClaimKind, set()),
    (codes.ORGANIZATION_TYPE, lists.OrganizationType, set()),
    (codes.CHANNEL, lists.Channel, set()),
    (codes.CASE_STATUS, CaseStatus, {"unknown"}),
    (codes.FULFILMENT_STATUS, FulfilmentStatus, {"unknown"}),
    (codes.END_REASON, lists.EndReason, set()),
    (codes.SUPPORT_REASON, lists.TransferReason, {"unwilling"}),
    (codes.LEVEL, lists.AlertLevel, set()),
    (codes.UNIT_SIZE, lists.UnitSize, set()),
    (codes.AGENT_KIND, lists.AgentKind, set()),
    (codes.SETTLED, lists.SettledClaims, set()),
    (codes.DECISION, lists.ReferralDecision, set()),
    (codes.OUTCOME, lists.ReferralOutcome, set()),
]


@pytest.mark.parametrize(("table", "values", "without"), COMPLETE, ids=[entry[0].name for entry in COMPLETE])
def test_each_value_of_the_contract_has_its_row(table: Table, values: type[StrEnum], without: set[str]) -> None:
    assert set(table.rows) == {value.value for value in values} - without


def test_claims_are_numbered_in_the_contracts_order() -> None:
    kinds = [kind.value for kind in lists.ClaimKind]
    assert list(codes.CLAIM_KIND.rows) == kinds
    assert [codes.CLAIM_KIND.rows[kind] for kind in kinds] == [f"{number:02d}" for number in range(1, 15)] + ["99"]


def test_channels_that_share_a_code_are_not_guessed() -> None:
    shared = [code for code in codes.CHANNEL.rows.values() if list(codes.CHANNEL.rows.values()).count(code) > 1]
    assert set(codes.CHANNELS_READ) == set(codes.CHANNEL.rows.values()) - set(shared)
    assert all(codes.CHANNEL.rows[value] == code for code, value in codes.CHANNELS_READ.items())


LABOUR = ("劳动争议", "劳动合同纠纷")
INSURANCE = ("劳动争议", "社会保险纠纷")
CONTRACT = "订立、履行、变更、解除和终止劳动合同"
LEAVING = "除名、辞退和辞职、离职"
PAY = "劳动报酬、工伤医疗费、经济补偿或者赔偿金"
REST = "工作时间、休息休假、社会保险、福利、培训以及劳动保护"
NEW = ("新就业形态用工纠纷",)

CLASSES: list[tuple[tuple[str, ...], str]] = [
    ((*LABOUR, "追索劳动报酬纠纷"), "1"),
    ((PAY, "劳动报酬"), "1"),
    (INSURANCE, "2"),
    ((REST, "社会保险"), "2"),
    *(((*INSURANCE, f"{name}保险待遇纠纷"), "2") for name in ("养老", "医疗", "生育", "失业")),
    ((*LABOUR, "确认劳动关系纠纷"), "3"),
    (("确认劳动关系",), "3"),
    ((*LABOUR, "集体合同纠纷"), "3"),
    ((*LABOUR, "劳务派遣合同纠纷"), "3"),
    ((*LABOUR, "非全日制用工纠纷"), "3"),
    ((*LABOUR, "竞业限制纠纷"), "3"),
    *(((CONTRACT, name), "3") for name in ("订立", "履行", "变更", "解除", "终止")),
    *(((CONTRACT, f"{name}劳动合同"), "3") for name in ("订立", "履行", "变更", "解除", "终止")),
    *(((LEAVING, name), "3") for name in ("除名", "辞退", "辞职", "离职")),
    (("人事争议", "辞职纠纷"), "3"),
    ((PAY, "工伤医疗费"), "4"),
    ((*INSURANCE, "工伤保险待遇纠纷"), "4"),
    ((*LABOUR, "经济补偿金纠纷"), "5"),
    ((PAY, "经济补偿"), "5"),
    ((PAY, "赔偿金"), "5"),
    *(((REST, name), "6") for name in ("工作时间", "休息休假", "福利", "培训", "劳动保护")),
    (("劳动争议", "福利待遇纠纷"), "6"),
    (("人事争议", "聘用合同纠纷"), "7"),
    (("人事争议", "聘任合同纠纷"), "7"),
    (NEW, "8"),
    ((*NEW, "新就业形态用工合同纠纷", "新就业形态追索劳动报酬纠纷"), "8"),
    ((*NEW, "职业伤害保障纠纷"), "8"),
    ((*NEW, "新就业形态社会保险纠纷", "工伤保险待遇纠纷"), "8"),
    (LABOUR, "9"),
    (("劳动争议",), "9"),
    (("劳动争议", "超龄劳动者用工纠纷"), "9"),
    ((LEAVING,), "9"),
]


@pytest.mark.parametrize(("path", "code"), CLASSES, ids=["/".join(path) for path, _ in CLASSES])
def test_classes(path: tuple[str, ...], code: str) -> None:
    assert any(causes.exists(table, path) for table in lists.CauseTable) or path == (LEAVING,)
    losses = Losses()
    assert codes.dispute_class(path, losses, "/cause/path") == code
    assert [loss.kind for loss in losses] == ([LossKind.CODED] if code == "9" else [])


def test_a_class_by_name_alone() -> None:
    assert codes.dispute_class(("劳动争议", "职业伤害保障纠纷"), Losses(), "/cause/path") == "4"

"""The code tables of page §6 against the closed lists of the contract."""

from __future__ import annotations

from enum import StrEnum

import pytest

from adapters.one_stop import codes
from adapters.tables import Losses, Table
from contracts import causes, lists
from contracts.adapter import LossKind
from contracts.status import CaseStatus, ConfirmationStatus, FulfilmentStatus, TransferStatus

COMPLETE: list[tuple[Table, type[StrEnum], set[str]]] = [
    (codes.SEX, lists.Sex, set()),
    (codes.ROLE, lists.PartyRole, set()),
    (codes.ID_TYPE, lists.IdType, set()),
    (codes.ORGANIZATION_TYPE, lists.OrganizationType, set()),
    (codes.CHANNEL, lists.Channel, set()),
    (codes.CLAIM, lists.ClaimKind, set()),
    (codes.CASE_STATUS, CaseStatus, {"unknown"}),
    (codes.CONFIRMATION_STATUS, ConfirmationStatus, {"unknown"}),
    (codes.TRANSFER_STATUS, TransferStatus, {"unknown"}),
    (codes.FULFILMENT_STATUS, FulfilmentStatus, {"unknown"}),
    (codes.END_REASON, lists.EndReason, set()),
    (codes.TRANSFER_REASON, lists.TransferReason, {"unwilling"}),
    (codes.TRANSFER_TO, lists.TransferTo, set()),
    (codes.LEVEL, lists.AlertLevel, set()),
    (codes.EFFECT_RULE, lists.EffectRule, set()),
    (codes.SESSION_METHOD, lists.SessionMethod, set()),
    (codes.SETTLED, lists.SettledClaims, set()),
    (codes.ANSWER, lists.ReferralDecision, set()),
    (codes.OUTCOME, lists.ReferralOutcome, set()),
]


@pytest.mark.parametrize(("table", "values", "without"), COMPLETE, ids=[entry[0].name for entry in COMPLETE])
def test_each_value_of_the_contract_has_its_row(table: Table, values: type[StrEnum], without: set[str]) -> None:
    assert set(table.rows) == {value.value for value in values} - without


def test_the_words_of_fulfilment_are_complete() -> None:
    assert set(codes.FULFILMENT_WORD) == set(codes.FULFILMENT_STATUS.rows)


@pytest.mark.parametrize(
    ("name", "code"),
    [("汉族", "01"), ("汉", "01"), ("蒙古族", "02"), ("回", "03"), ("藏", "04"), ("维吾尔族", "05"), ("苗", "06"),
     ("彝", "07"), ("壮", "08"), ("布依", "09"), ("朝鲜族", "10"), ("满", "11"), ("高山族", "23"), ("基诺族", "56"),
     ("其他", "97"), ("外国血统", "98"), ("未识别", None), ("族", None), ("", None), ("汉族族", None)],
)  # fmt: skip
def test_nations(name: str, code: str | None) -> None:
    assert codes.nation_code(name) == code


def test_nations_come_back() -> None:
    known = [f"{number:02d}" for number in range(1, 57)]
    names = [codes.nation_name(code) for code in known]
    assert len(set(names)) == 56
    assert [codes.nation_code(name or "") for name in names] == known
    assert codes.nation_name("97") == "其他"
    assert codes.nation_name("57") is None


@pytest.mark.parametrize(
    ("persons", "code"), [(1, "01"), (2, "02"), (9, "02"), (10, "03"), (29, "03"), (30, "04"), (99, "04"), (100, "05")]
)
def test_scale(persons: int, code: str) -> None:
    assert codes.scale(persons) == code


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (("劳动争议", "劳动合同纠纷", "追索劳动报酬纠纷"), "0701"),
        (("劳动报酬、工伤医疗费、经济补偿或者赔偿金", "劳动报酬"), "0701"),
        (("劳动争议", "社会保险纠纷"), "0702"),
        (("劳动争议", "社会保险纠纷", "养老保险待遇纠纷"), "0702"),
        (("劳动争议", "社会保险纠纷", "工伤保险待遇纠纷"), "0704"),
        (("劳动争议", "福利待遇纠纷"), "0702"),
        (("劳动争议", "劳动合同纠纷", "确认劳动关系纠纷"), "0703"),
        (("订立、履行、变更、解除和终止劳动合同", "解除"), "0703"),
        (("除名、辞退和辞职、离职", "辞职"), "0703"),
        (("人事争议", "辞职纠纷"), "0706"),
        (("人事争议", "聘用合同纠纷"), "0706"),
        (("劳动报酬、工伤医疗费、经济补偿或者赔偿金", "工伤医疗费"), "0704"),
        (("劳动报酬、工伤医疗费、经济补偿或者赔偿金", "赔偿金"), "0705"),
        (("劳动争议", "劳动合同纠纷", "经济补偿金纠纷"), "0705"),
        (("新就业形态用工纠纷", "新就业形态用工合同纠纷", "新就业形态追索劳动报酬纠纷"), "0707"),
        (("新就业形态用工纠纷", "职业伤害保障纠纷"), "0707"),
        (("劳动争议", "超龄劳动者用工纠纷"), "0708"),
        (("劳动争议", "承包人、被挂靠人用工主体责任纠纷"), "0708"),
    ],
)
def test_dispute_class(path: tuple[str, ...], code: str) -> None:
    losses = Losses()
    assert codes.dispute_class(path, losses, "/cause") == code
    assert losses.report() == ()


def test_every_labour_cause_but_these_has_its_class() -> None:
    general = {"劳动争议", "工作时间", "休息休假", "培训", "劳动保护"}
    general |= {"超龄劳动者劳务合同", "船员劳动合同", "船员劳务派遣合同"}
    for matter in causes.matters():
        for path in matter.paths.values():
            losses = Losses()
            code = codes.dispute_class(path, losses, "/cause")
            if [loss.kind for loss in losses] == [LossKind.CODED]:
                # Filings in court are no labour disputes.
                assert causes.last_name(path) in general or "申请" in path[-1]
                assert code == "0799"

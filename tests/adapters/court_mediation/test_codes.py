"""The code tables: every canonical value has a code or is refused by name, and what comes back is what went out."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from adapters.court_mediation import codes
from adapters.tables import Losses, Table
from contracts import causes, lists
from contracts.adapter import LossKind
from contracts.lists import CauseTable, IdType
from contracts.titled import Titled


@pytest.mark.parametrize(
    ("table", "values", "without_row"),
    [
        (codes.KIND, lists.PartyKind, set()),
        (codes.SEX, lists.Sex, {"unknown"}),
        (codes.AGENT_KIND, lists.AgentKind, set()),
        (codes.AGENT_AUTHORITY, lists.AgentAuthority, set()),
        (codes.SETTLED_CLAIMS, lists.SettledClaims, set()),
        (codes.EFFECT_RULE, lists.EffectRule, set()),
        (codes.SIGNER, lists.SignerRole, set()),
        (codes.SIGNATURE_METHOD, lists.SignatureMethod, set()),
        (codes.REFERRAL_ANSWER, lists.ReferralDecision, set()),
        (codes.REFERRAL_OUTCOME, lists.ReferralOutcome, set()),
        (codes.END_REASON, lists.EndReason, set()),
    ],
)
def test_tables_are_whole(table: Table, values: type[Titled], without_row: set[str]) -> None:
    assert set(table.rows) == {str(value) for value in values} - without_row


@pytest.mark.parametrize(
    ("table", "values", "other"),
    [
        (codes.TRANSFER_REASON, lists.TransferReason, {"unwilling"}),
        (
            codes.FILE_CLASS,
            lists.AttachmentKind,
            {
                "identity_proof",
                "power_of_attorney",
                "evidence",
                "termination_proof",
                "performance_notice",
                "mediation_proposal",
                "decision",
            },
        ),
    ],
)
def test_what_goes_as_other_is_told(table: Table, values: Iterable[Titled], other: set[str]) -> None:
    losses = Losses()
    for value in values:
        assert table.code(str(value), losses, f"/{value}", "x")
    assert {loss.pointer[1:] for loss in losses if loss.kind is LossKind.CODED} == other


def test_sex_is_zero_for_men_here() -> None:
    assert (codes.SEX.rows["male"], codes.SEX.rows["female"]) == ("0", "1")


@pytest.mark.parametrize("kind", IdType)
def test_id_documents_come_back(kind: IdType) -> None:
    assert codes.id_type(*codes.id_document(kind)) is kind


@pytest.mark.parametrize(
    ("code", "name", "kind"),
    [
        ("09_00015-1", "", IdType.RESIDENT_ID),
        ("09_00015-7", "护照", IdType.PASSPORT),
        ("09_00015-2", "军官证", IdType.OTHER),
        ("09_00015-8", "律师执业证", IdType.OTHER),
        ("09_00015-255", "港澳居民来往内地通行证", IdType.HK_MACAO_PERMIT),
        ("09_00015-255", "户口簿", IdType.OTHER),
        ("09_00015-9", "", None),
        ("", "", None),
    ],
)
def test_id_documents_of_the_court(code: str, name: str, kind: IdType | None) -> None:
    assert codes.id_type(code, name) is kind


def _code(table: CauseTable, *path: str) -> str:
    return codes.cause_code(table, path, Losses(), "/cause", "causeCode")


_LABOUR, _NEW = "劳动争议", "新就业形态用工纠纷"


@pytest.mark.parametrize(
    ("table", "path", "code"),
    [
        ("2025", (_LABOUR, "劳动合同纠纷"), "2025-205-0"),
        ("2025", (_LABOUR, "劳动合同纠纷", "确认劳动关系纠纷"), "2025-205-1"),
        ("2025", (_LABOUR, "劳动合同纠纷", "集体合同纠纷"), "2025-205-2"),
        ("2025", (_LABOUR, "劳动合同纠纷", "劳务派遣合同纠纷"), "2025-205-3"),
        ("2025", (_LABOUR, "劳动合同纠纷", "非全日制用工纠纷"), "2025-205-4"),
        ("2025", (_LABOUR, "劳动合同纠纷", "追索劳动报酬纠纷"), "2025-205-5"),
        ("2025", (_LABOUR, "劳动合同纠纷", "经济补偿金纠纷"), "2025-205-6"),
        ("2025", (_LABOUR, "劳动合同纠纷", "竞业限制纠纷"), "2025-205-7"),
        ("2025", (_LABOUR, "社会保险纠纷", "养老保险待遇纠纷"), "2025-206-1"),
        ("2025", (_LABOUR, "社会保险纠纷", "工伤保险待遇纠纷"), "2025-206-2"),
        ("2025", (_LABOUR, "社会保险纠纷", "医疗保险待遇纠纷"), "2025-206-3"),
        ("2025", (_LABOUR, "社会保险纠纷", "生育保险待遇纠纷"), "2025-206-4"),
        ("2025", (_LABOUR, "社会保险纠纷", "失业保险待遇纠纷"), "2025-206-5"),
        ("2025", (_LABOUR, "福利待遇纠纷"), "2025-207-0"),
        ("2025", (_LABOUR, "超龄劳动者用工纠纷"), "2025-208-0"),
        ("2025", (_LABOUR, "承包人、被挂靠人用工主体责任纠纷"), "2025-209-0"),
        ("2025", ("人事争议", "聘用合同纠纷"), "2025-210-0"),
        ("2025", ("人事争议", "聘任合同纠纷"), "2025-211-0"),
        ("2025", ("人事争议", "辞职纠纷"), "2025-212-0"),
        ("2025", ("人事争议", "辞退纠纷"), "2025-213-0"),
        ("2025", (_NEW, "新就业形态用工合同纠纷"), "2025-214-0"),
        ("2025", (_NEW, "新就业形态用工合同纠纷", "新就业形态确认劳动关系纠纷"), "2025-214-1"),
        ("2025", (_NEW, "新就业形态用工合同纠纷", "追索劳动报酬纠纷"), "2025-214-2"),
        ("2025", (_NEW, "新就业形态社会保险纠纷"), "2025-215-0"),
        ("2025", (_NEW, "新就业形态社会保险纠纷", "工伤保险待遇纠纷"), "2025-215-1"),
        ("2025", (_NEW, "职业伤害保障纠纷"), "2025-216-0"),
        ("2025", (_LABOUR,), "9999-0-0"),
        ("2025", (_NEW,), "9999-0-0"),
        ("2025", ("合同纠纷", "劳务合同纠纷", "超龄劳动者劳务合同纠纷"), "9999-0-0"),
        ("2025", ("海事海商纠纷", "船员劳动合同纠纷"), "9999-0-0"),
        ("2020", (_LABOUR, "劳动合同纠纷", "追索劳动报酬纠纷"), "2020-186-5"),
        ("2020", (_LABOUR, "社会保险纠纷"), "2020-187-0"),
        ("2020", (_LABOUR, "福利待遇纠纷"), "2020-188-0"),
        ("2020", ("人事争议", "聘用合同纠纷"), "2020-189-0"),
        ("2020", ("人事争议", "聘任合同纠纷"), "2020-190-0"),
        ("2020", ("人事争议", "辞职纠纷"), "2020-191-0"),
        ("2020", ("人事争议", "辞退纠纷"), "2020-192-0"),
        ("arbitration", ("确认劳动关系", "确认劳动关系"), "2025-205-1"),
        ("arbitration", ("劳动报酬、工伤医疗费、经济补偿或者赔偿金", "劳动报酬"), "2025-205-5"),
        ("arbitration", ("劳动报酬、工伤医疗费、经济补偿或者赔偿金", "经济补偿"), "2025-205-6"),
        ("arbitration", ("劳动报酬、工伤医疗费、经济补偿或者赔偿金", "赔偿金"), "2025-205-6"),
        ("arbitration", ("工作时间、休息休假、社会保险、福利、培训以及劳动保护", "社会保险"), "2025-206-0"),
        ("arbitration", ("工作时间、休息休假、社会保险、福利、培训以及劳动保护", "福利"), "2025-207-0"),
        ("arbitration", ("劳动报酬、工伤医疗费、经济补偿或者赔偿金", "工伤医疗费"), "2025-205-0"),
        ("arbitration", ("除名、辞退和辞职、离职", "辞退"), "2025-205-0"),
    ],
)
def test_causes(table: str, path: tuple[str, ...], code: str) -> None:
    assert causes.exists(CauseTable(table), path)
    assert _code(CauseTable(table), *path) == code


def test_every_cause_of_the_tables_has_a_code_that_comes_back_or_is_told() -> None:
    for matter in causes.matters():
        for table, path in matter.paths.items():
            losses = Losses()
            code = codes.cause_code(table, path, losses, "/cause", "causeCode")
            told = {loss.kind for loss in losses}
            if codes.cause_path(code) == (table, path):
                assert not told
            elif code == codes.NO_CAUSE:
                assert told == {LossKind.CODED}
            else:
                assert told == {LossKind.MAPPED}


@pytest.mark.parametrize("code", ["9999-0-0", "2020-208-0", "2025-300-1", "", "x"])
def test_codes_without_a_cause(code: str) -> None:
    assert codes.cause_path(code) is None

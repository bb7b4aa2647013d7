"""The page's code tables, row by row (§5, §7): each list in the page's own order, numbered as it numbers them."""

from __future__ import annotations

import pytest

from adapters.national_mediation import codes
from adapters.tables import Losses, Table
from contracts.lists import CauseTable

NUMBERED: tuple[tuple[Table, int, str], ...] = (
    (
        codes.ORGANIZATION_TYPE,
        2,
        "enterprise_committee township arbitration_mediation_center chamber_of_commerce enterprise_confederation "
        "new_employment_one_stop enterprise_alliance small_business_liaison union_negotiation_room peoples_mediation",
    ),
    (codes.CHANNEL, 1, "window phone web app mini_program official_account referral"),
    (
        codes.CLAIM,
        2,
        "labor_remuneration overtime work_injury_medical economic_compensation damages social_insurance "
        "contract_conclusion contract_change contract_termination labor_relation working_time welfare training "
        "labor_protection other",
    ),
    (
        codes.ID_TYPE,
        2,
        "resident_id passport hk_macao_permit taiwan_permit hk_macao_taiwan_residence_permit "
        "foreign_permanent_resident_card",
    ),
    (codes.APPLICATION_FORM, 1, "written oral"),
    (codes.ROLE, 1, "applicant respondent third_party"),
    (codes.KIND, 1, "person employer other_organization"),
    (codes.SETTLED, 1, "all partial"),
    (codes.PERFORMANCE, 1, "performed partly_performed breached"),
    (codes.RESULT, 1, "agreed partly_agreed failed withdrawn terminated"),
    (codes.ROUTE, 1, "judicial_confirmation arbitration_review"),
    (
        codes.END_REASON,
        1,
        "agreement_reached self_settled_withdrawn unreachable unwilling large_divergence expired refused_to_sign other",
    ),
)


@pytest.mark.parametrize(("table", "digits", "words"), NUMBERED, ids=[table.name for table, _, _ in NUMBERED])
def test_numbered_tables(table: Table, digits: int, words: str) -> None:
    assert dict(table.rows) == {word: f"{number:0{digits}}" for number, word in enumerate(words.split(), 1)}


def test_the_other_tables() -> None:
    assert dict(codes.SEX.rows) == {"male": "1", "female": "2", "unknown": "9"}
    assert dict(codes.EFFECT_RULE.rows) == {"labor_law": "A", "court_delegated_paper": "B", "court_online": "C"}
    assert {
        code: {word for word, own in codes.CONFIRMATION.rows.items() if own == code} for code in ("12", "13", "14")
    } == {
        "12": {"requested", "accepted", "correction_required", "reviewing", "objected"},
        "13": {"confirmed"},
        "14": {"not_accepted", "rejected", "withdrawn", "deemed_withdrawn"},
    }
    assert dict(codes.FILE_KIND.rows) == {
        "mediation_application": "01",
        "mediation_agreement": "02",
        "mediation_record": "03",
        "identity_proof": "04",
        "service_address_confirmation": "05",
        "other": "99",
    }


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("确认劳动关系", "20501"),
        ("劳动报酬", "20505"),
        ("经济补偿", "20506"),
        ("赔偿金", "20506"),
        ("社会保险", "20600"),
        ("工伤医疗费", "20602"),
        ("福利", "20700"),
        ("除名", "20500"),
    ],
)
def test_causes_of_arbitration(name: str, code: str) -> None:
    assert codes.cause_code(CauseTable.ARBITRATION, ("其组", name), Losses(), "/cause", "causeCode") == code


@pytest.mark.parametrize(
    ("code", "name"),
    [
        *(("20501", "确认劳动关系"), ("20502", "集体合同"), ("20503", "劳务派遣合同"), ("20504", "非全日制用工")),
        *(
            ("20505", "追索劳动报酬"),
            ("20506", "经济补偿金"),
            ("20507", "竞业限制"),
            ("20601", "养老"),
            ("20602", "工伤"),
        ),
        *(("20603", "医疗"), ("20604", "生育"), ("20605", "失业保险待遇"), ("20700", "福利待遇")),
        *(("20800", "超龄劳动者用工"), ("20900", "用工主体责任"), ("21000", "聘用"), ("21100", "聘任合同")),
        *(("21200", "辞职"), ("21300", "辞退"), ("21401", "确认劳动关系"), ("21402", "追索劳动报酬")),
        *(("21501", "工伤保险待遇"), ("21600", "职业伤害保障")),
    ],
)
def test_causes_of_2025(code: str, name: str) -> None:
    path = codes.cause_path(code)
    assert path is not None
    assert name in path[-1]

"""A message becomes list and detail (page §2 to §4), the page's own example byte for byte."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from adapters.enterprise_confederation.wire import BOM, batch_of, guarded, list_bytes, unguarded
from adapters.masking import mask
from contracts.errors import PermanentError
from contracts.messages import MessageType as M

from . import documents as d
from .exchange import PDF, adapter, wire_of

HERE = Path("/srv/exchange")


def test_the_pages_example_byte_for_byte() -> None:
    batch = batch_of(wire_of(HERE), [])
    listed, detail = batch.parts
    assert batch.stem == d.STEM
    assert (listed.name, listed.data) == (f"{d.STEM}.csv", BOM + d.LIST.encode())
    assert (detail.name, detail.data) == (f"{d.STEM}_001.json", d.DETAIL.encode())
    assert batch.manifest.data == d.MANIFEST.encode()
    assert (batch.marker, batch.digits) == (f"{d.STEM}.ok", d.DIGITS)


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("370102199003071238", "370102********1238"),
        ("G12345678", "G1*****78"),
        ("12345", "12*45"),
        ("1234", "****"),
        ("1", "*"),
        ("", ""),
    ],
)
def test_masks(number: str, masked: str) -> None:
    assert mask(number) == masked


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert guarded(cell) == "'" + cell
    assert unguarded(guarded(cell)) == cell
    assert unguarded("'plain") == "'plain"


def test_cells_have_no_line_breaks_and_are_quoted() -> None:
    made = list_bytes(("a", "b"), [{"a": 'x\r\ny,"z"', "b": "\r=1"}])
    assert made == BOM + b'a,b\r\n"x y,""z""", =1\r\n'


def test_a_revision_is_an_edit_once_they_hold_the_case() -> None:
    assert wire_of(HERE, M.CASE_REVISED).payload["list"]["操作"] == "修改"
    assert wire_of(HERE, M.CASE_REVISED, registered_version=None).payload["list"]["操作"] == "新增"


def test_a_step_that_ended() -> None:
    wire = wire_of(HERE, M.CASE_PROGRESSED)
    row, detail = wire.payload["list"], wire.payload["detail"]
    assert wire.payload["stem"].startswith("QLTJ_SDGW_PROG_20260917_")
    assert (row["状态"], row["办结原因"], row["发生时间"]) == ("未达成协议", "分歧较大", "2026-09-30 17:00:00")
    assert "调解组织名称" not in row
    assert "申请人" not in row
    assert detail["场次"] == {
        "开始": "2026-09-30 14:00:00",
        "结束": "2026-09-30 16:50:00",
        "地点": "第二调解室",
        "方式": "现场",
    }


def test_an_agreement_with_its_paper_and_without_accounts() -> None:
    wire = wire_of(HERE, M.AGREEMENT_CONCLUDED)
    row, detail = wire.payload["list"], wire.payload["detail"]
    assert (row["涉案金额"], row["状态"], row["发生时间"]) == ("15000.00", "已达成协议", "2026-09-25 09:00:00")
    assert row["附件数"] == "1"
    assert detail["生效规则"] == "调解仲裁法"
    assert detail["条款"][0] == {
        "序号": "1",
        "内容": "被申请人于2026年10月31日前一次性支付申请人工资15000元",
        "金额": "15000.00",
        "期限": "2026-10-31",
    }
    assert "6222020000000000000" not in str(wire.payload)
    assert wire.files == (d.PAPER,)
    assert [part.name[-4:] for part in batch_of(wire, [PDF]).parts] == [".csv", "json", ".pdf"]


def test_an_agreement_without_terms_is_the_senders() -> None:
    with pytest.raises(PermanentError, match="required_missing"):
        wire_of(HERE, M.AGREEMENT_CONCLUDED, d.agreement(terms=[]))


def test_a_cell_is_on_one_line_before_it_is_cut() -> None:
    name = "王" * 48 + "\r\n" + "建国"
    wire = wire_of(HERE, document=d.wages(source_case_no="8\n1", parties=[d.person(name=name), d.unit()]))
    row, detail = wire.payload["list"], wire.payload["detail"]
    assert row["申请人"] == "王" * 48 + " 建"
    assert detail["当事人"][0]["名称"] == name
    assert row["案件主键"] == detail["案件主键"] == "SD-WF-QL-002|8 1"


def test_a_performance() -> None:
    wire = wire_of(HERE, M.AGREEMENT_PERFORMED)
    assert wire.payload["list"]["状态"] == "已履行"
    assert wire.payload["detail"] == {
        "业务主键": d.MESSAGE,
        "案件主键": d.CASE_KEY,
        "协议编号": "历下劳人调〔2026〕123号",
        "条款序号": "1",
        "履行状态": "已履行",
        "时间": "2026-10-30 16:00:00",
        "金额": "15000.00",
    }


def test_losses_name_what_is_masked_cut_and_dropped() -> None:
    wire = wire_of(HERE, document=d.wages(facts="事" * 3001))
    found = {loss.pointer: loss.kind.value for loss in wire.losses}
    assert found["/facts"] == "cut"
    assert found["/parties/0/id_number"] == "masked"
    for pointer in ("birth_date", "ethnic_group", "occupation", "service_address", "agents"):
        assert found[f"/parties/0/{pointer}"] == "dropped"
    for pointer in ("unit_type", "industry", "size", "legal_representative/position"):
        assert found[f"/parties/1/{pointer}"] == "dropped"
    assert found["/consents"] == "dropped"
    assert len(wire.payload["detail"]["案情"]) == 3000


def test_an_employer_applies() -> None:
    parties = [d.unit(role="applicant"), d.person(role="respondent")]
    row = wire_of(HERE, document=d.wages(parties=parties)).payload["list"]
    assert "申请人证件号" not in row
    assert "统一社会信用代码" not in row
    assert row["涉及人数"] == "0"


def test_long_keys_and_odd_words_are_refused() -> None:
    odd = d.wages(parties=[d.person(id_type="other", id_number="X1234567"), d.unit()])
    with pytest.raises(PermanentError, match="code_without_row"):
        wire_of(HERE, document=odd)
    with pytest.raises(PermanentError, match="code_without_row"):
        wire_of(HERE, M.CASE_PROGRESSED, d.progress(status="correction_required", reason_code=None))
    with pytest.raises(PermanentError, match="required_missing"):
        wire_of(HERE, M.CASE_PROGRESSED, d.progress(reason_code=None))
    with pytest.raises(PermanentError, match="context_missing"):
        wire_of(HERE, M.AGREEMENT_PERFORMED, agreement=None)
    with pytest.raises(PermanentError, match="file_type"):
        wire_of(HERE, M.AGREEMENT_CONCLUDED, attachments={d.PAPER: d.file("text/plain")})
    with pytest.raises(PermanentError, match="file_too_large"):
        wire_of(HERE, M.AGREEMENT_CONCLUDED, attachments={d.PAPER: d.file(size=21 * 1024 * 1024)})
    with pytest.raises(PermanentError, match="type_not_taken"):
        adapter(HERE).translate(d.message(M.CASE_ALERTED, d.wages()), d.context())
    with pytest.raises(PermanentError, match="not_taken"):
        adapter(HERE, organizations=["OTHER"]).translate(d.message(M.CASE_SUBMITTED, d.wages()), d.new())


def test_a_large_batch_is_one_zip_the_same_each_time() -> None:
    wire = wire_of(HERE, M.AGREEMENT_CONCLUDED)
    paper = PDF + bytes(range(256)) * (6 * 1024 * 4)
    first, second = batch_of(wire, [paper]), batch_of(wire, [paper])
    assert [part.name for part in first.parts] == [f"{first.stem}.zip"]
    assert first == second


def test_money_has_two_decimals() -> None:
    assert wire_of(HERE, document=d.wages(amount="0.5")).payload["list"]["涉案金额"] == f"{Decimal('0.5'):.2f}"

"""The papers: what each must say is in the PDF and in the DOCX, literally, legibly, and the same every time."""

from __future__ import annotations

import asyncio
import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from fontTools.ttLib import TTFont
from pypdf import PdfReader

from contracts.agreement import Agreement, Payee, Term
from contracts.attachment import AttachmentReference
from contracts.case import Case, CaseProgress
from contracts.confirmation import ConfirmationRequest
from contracts.deadlines import Law
from contracts.lists import AttachmentKind, ConfirmationRoute
from gateway.flow.moving.order import Refused
from gateway.flow.printing import press as press_room
from gateway.flow.printing.blocks import read
from gateway.flow.printing.fonts import Typefaces
from gateway.flow.printing.pages import print_pdf
from gateway.flow.printing.press import Form, Press
from gateway.flow.printing.word import template_of, write
from gateway.flow.printing.wording import (
    Filing,
    Paper,
    Sheet,
    application,
    performance_notice,
    presided_proof,
    termination_proof,
)
from tests.flow import papers

ATTACHMENT = "att_01M7Q5CQG057N683VPG2HEWAGG"
FACTS = (
    "王建国",
    "370102199003071238",
    "1990年3月7日出生",
    "山东省济南市历下区文化东路1号1单元101",
    "济南泉城餐饮管理有限公司",
    "91370102MA0DEM013R",
    "孙立",
    "370102-LX001-2026-00123",
    "济南市历下区劳动人事争议仲裁院调解中心",
    "追索劳动报酬纠纷",
)
AGREED = ("历下劳人调〔2026〕123号", "2026年9月24日", "2026年9月25日")
DUTY = (
    "被申请人于2026年10月31日前一次性支付申请人工资15000元",
    "人民币15000.00元（大写：壹万伍仟元整）",
    "2026年10月31日",
    "中国工商银行济南历下支行",
    "6222020000000000000",
)


def filed(name: str, *kinds: AttachmentKind, changes: dict[str, Any] | None = None) -> Filing:
    request = papers.document(ConfirmationRequest, name, changes)
    return Filing(request.route, request, tuple(AttachmentReference(id=ATTACHMENT, kind=k, name="x") for k in kinds))


def sheets(case: Case | None = None, agreement: Agreement | None = None) -> dict[Paper, Sheet]:
    """Every paper of the samples."""
    case, agreement = case or papers.case(), agreement or papers.agreement()
    held = (AttachmentKind.MEDIATION_AGREEMENT, AttachmentKind.IDENTITY_PROOF, AttachmentKind.IDENTITY_PROOF)
    made = (
        application(case, agreement, filed("arbitration", *held)),
        application(case, agreement, filed("judicial", *held, AttachmentKind.MEDIATION_PRESIDED_PROOF)),
        presided_proof(case, agreement, filed("judicial")),
        performance_notice(case, agreement, Law()),
        termination_proof(case, papers.document(CaseProgress, "failed")),
    )
    return {sheet.paper: sheet for sheet in made}


EXPECTED: dict[Paper, tuple[str, ...]] = {
    Paper.ARBITRATION_REVIEW: (
        *FACTS,
        *AGREED,
        *DUTY,
        "仲裁审查申请书",
        "济南市历下区劳动人事争议仲裁委员会",
        "《劳动人事争议仲裁办案规则》第七十四条",
        "此致",
        "2．身份或者资格证明，2份",
        "王建国（签名）：",
        "济南泉城餐饮管理有限公司（盖章）：",
        "赵敏，基层法律服务工作者",
    ),
    Paper.JUDICIAL_CONFIRMATION: (
        *FACTS,
        *AGREED,
        *DUTY,
        "司法确认申请书",
        "济南市历下区人民法院",
        "第二百零五条",
        "没有恶意串通、规避法律的行为",
        "1．调解协议书（历下劳人调〔2026〕123号），1份",
        "2．调解组织主持调解的证明，1份",
        "3．身份或者资格证明，2份",
        "同意电子送达",
        "二〇二六年十月九日",
    ),
    Paper.PRESIDED_PROOF: (
        *FACTS,
        *AGREED,
        "李明（调解员证编号：LDTJ-3701-2023-0456）",
        "1137010200DEM004X4",
        "一式3份",
        "济南市历下区人民法院：",
        "特此证明。",
        "（盖章）",
        "二〇二六年九月二十五日",
    ),
    Paper.PERFORMANCE_NOTICE: (
        *AGREED,
        *DUTY,
        "履行告知书",
        "2026年10月10日前",  # 15 days from 25 September; the Saturday is a working day (调休)
        "2026年10月26日前",  # 30 days end on a Sunday
        "支付令",
        "强制执行",
    ),
    Paper.TERMINATION_PROOF: (
        *FACTS,
        "支付2026年6月至8月工资18600元",
        "壹万捌仟陆佰元整",
        "分歧较大",
        "2026年9月30日",
        "第二调解室",
        "申请仲裁",
    ),
}


@pytest.fixture
async def press() -> Any:
    made = Press()
    yield made
    await made.close()


def pdf_text(data: bytes) -> str:
    """All words of a PDF, line ends taken out as they fall where the paper is narrow; page numbers apart."""
    reader = PdfReader(io.BytesIO(data))
    words = []
    for number, page in enumerate(reader.pages, 1):
        text = page.extract_text()
        assert f"— {number} —" in text
        words.append(text.replace(f"— {number} —", ""))
    return "".join(words).replace("\n", "")


def docx_text(data: bytes) -> str:
    return "\n".join(paragraph.text for paragraph in Document(io.BytesIO(data)).paragraphs)


@pytest.mark.parametrize("paper", list(Paper))
async def test_each_datum_is_in_the_pdf_and_in_the_word_paper(press: Press, paper: Paper) -> None:
    sheet = sheets()[paper]
    pdf, word = await press.print(sheet), await press.print(sheet, Form.DOCX)
    assert (pdf.name, word.name) == (f"{paper.zh}.pdf", f"{paper.zh}.docx")
    for text in (pdf_text(pdf.data), docx_text(word.data)):
        for datum in (*EXPECTED[paper], "（本件由对接网关依据所报数据自动生成）"):
            assert datum in text, datum
        assert "{" not in text


@pytest.mark.parametrize("paper", list(Paper))
async def test_the_same_data_are_the_same_bytes(press: Press, paper: Paper) -> None:
    first = {form: (await press.print(sheets()[paper], form)).data for form in Form}
    again = Press()
    assert {form: (await again.print(sheets()[paper], form)).data for form in Form} == first
    await again.close()
    with zipfile.ZipFile(io.BytesIO(first[Form.DOCX])) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert Document(io.BytesIO(first[Form.DOCX])).core_properties.created == sheets()[paper].at


@pytest.mark.parametrize("form", list(Form))
async def test_other_data_are_other_bytes(press: Press, form: Form) -> None:
    made = {(await press.print(sheet, form)).data for sheet in sheets().values()}
    assert len(made) == len(Paper)


async def test_pdf_brings_its_font_and_says_what_it_is(press: Press) -> None:
    data = (await press.print(sheets()[Paper.JUDICIAL_CONFIRMATION])).data
    reader = PdfReader(io.BytesIO(data))
    assert reader.metadata is not None
    assert reader.metadata.title == "司法确认申请书"
    assert [round(float(side)) for side in reader.pages[0].mediabox] == [0, 0, 595, 842]
    fonts = reader.pages[0]["/Resources"]["/Font"]  # type: ignore[index] # pypdf's dictionaries are untyped
    composite = [font for font in (one.get_object() for one in fonts.values()) if "/DescendantFonts" in font]
    embedded = [font["/DescendantFonts"][0]["/FontDescriptor"]["/FontFile2"].get_data() for font in composite]
    assert [TTFont(io.BytesIO(file))["maxp"].numGlyphs > 5 for file in embedded] == [True, True]  # 宋体 and 黑体
    assert len(data) < 200_000


HOSTILE = "张{{ 7*7 }}{% if x %}{%p for a in b %}{# c #}<w:t>&amp;</w:t>{_{y}_}%_}"


async def test_markup_and_template_signs_come_out_as_they_are(press: Press) -> None:
    case = papers.case({"/parties/0/name": HOSTILE, "/facts": f"一\r\n二\t三{HOSTILE}"})
    agreement = papers.agreement({"/facts": HOSTILE, "/terms/0/text": f"{HOSTILE}\n下一行"})
    for sheet in sheets(case, agreement).values():
        word = docx_text((await press.print(sheet, Form.DOCX)).data)
        pdf = pdf_text((await press.print(sheet)).data)
        assert HOSTILE in word
        assert HOSTILE.replace(" ", "") in pdf.replace(" ", "")
        assert "49" not in word.replace(sheet.paper.zh, "").split("涉案金额")[0][:60]


async def test_rare_characters_appear_and_what_cannot_is_named(press: Press) -> None:
    rare = "㛃䶮·𰻞龘〇"
    case = papers.case({"/parties/0/name": f"{rare}𠮷\u202e甲\U0010fffd\ufe0f"})
    sheet = sheets(case)[Paper.PRESIDED_PROOF]
    pdf = pdf_text((await press.print(sheet)).data)
    assert rare in pdf
    assert "𠮷" in pdf or "〔U+20BB7〕" in pdf  # by the fonts of the machine
    assert "〔U+202E〕甲〔U+10FFFD〕" in pdf
    word = docx_text((await press.print(sheet, Form.DOCX)).data)
    assert f"{rare}𠮷〔U+202E〕甲" in word


def test_without_any_font_the_readers_own_is_asked_for() -> None:
    case = papers.case({"/parties/0/name": "㛃𠮷"})
    sheet = sheets(case)[Paper.JUDICIAL_CONFIRMATION]
    layout = read(write(template_of(sheet.paper), sheet.paper.zh, sheet.fields, sheet.at))
    data = print_pdf(layout, Typefaces({}))
    assert data == print_pdf(layout, Typefaces({}))
    assert b"STSong-Light" in data
    text = pdf_text(data)
    assert "㛃〔U+20BB7〕" in text
    assert "第二百零五条" in text


async def test_an_agreement_of_a_thousand_terms_goes_over_many_pages(press: Press) -> None:
    terms = papers.agreement().terms
    many = tuple(terms[0].model_copy(update={"no": n, "text": f"第{n}件：支付工资"}) for n in range(1, 1001))
    sheet = sheets(None, papers.agreement().model_copy(update={"terms": many}))[Paper.ARBITRATION_REVIEW]
    began = time.monotonic()
    printed = await press.print(sheet)
    assert time.monotonic() - began < 30
    text = pdf_text(printed.data)  # every page has its number
    assert text.count("人民币15000.00元（大写：壹万伍仟元整）") == 1000
    assert all(f"第{n}件：支付工资" in text for n in range(1, 1001))
    assert text.count("此致") == 1


async def test_empty_lines_and_endless_characters_do_not_hold_the_press(press: Press) -> None:
    strange = "".join(chr(code) for code in range(0x4E00, 0x4E00 + 20_000))
    for facts in ("甲" + "\n" * 19_999, strange, "，" * 20_000, "a" * 20_000):
        sheet = sheets(None, papers.agreement({"/facts": facts}))[Paper.JUDICIAL_CONFIRMATION]
        began = time.monotonic()
        assert len(PdfReader(io.BytesIO((await press.print(sheet)).data)).pages) < 100
        assert time.monotonic() - began < 20


async def test_both_sides_are_applicants_and_others_keep_their_standing(press: Press) -> None:
    third = papers.body("wages")["parties"][1] | {"role": "third_party", "name": "山东某劳务派遣有限公司"}
    case = papers.case({"/parties/-": third})
    text = docx_text((await press.print(sheets(case)[Paper.JUDICIAL_CONFIRMATION], Form.DOCX)).data)
    assert "申请人（调解申请人）：王建国" in text
    assert "申请人（调解被申请人）：济南泉城餐饮管理有限公司" in text
    assert "第三人：山东某劳务派遣有限公司" in text
    assert "山东某劳务派遣有限公司（盖章）" not in text


async def test_a_draft_leaves_open_what_is_not_known(press: Press) -> None:
    case, agreement = papers.case(), papers.agreement()
    for route in ConfirmationRoute:
        sheet = application(case, agreement, Filing(route))
        text = docx_text((await press.print(sheet, Form.DOCX)).data)
        assert "此致\n＿＿＿＿" in text
        assert "年　　月　　日" in text
        assert ("调解组织主持调解的证明" in text) is (route is ConfirmationRoute.JUDICIAL_CONFIRMATION)
        assert "人民法院：" not in text


async def test_collective_cases_instalments_and_late_reasons_are_told(press: Press) -> None:
    collective = papers.case(None, "collective")
    text = docx_text(
        (await press.print(termination_proof(collective, papers.document(CaseProgress, "failed")), Form.DOCX)).data
    )
    assert collective.collective is not None
    assert f"涉及劳动者{collective.collective.worker_count}人" in text
    assert "、".join(collective.collective.representatives) in text
    parts = [{"amount": "5000.50", "due_date": "2026-10-31"}, {"amount": "9999.50", "due_date": "2026-11-30"}]
    agreement = papers.agreement({"/terms/0/installments": parts})
    late = filed("judicial", changes={"/late_reason": "因不可抗力延误"})
    text = docx_text((await press.print(application(papers.case(), agreement, late), Form.DOCX)).data)
    assert "第1期：2026年10月31日前，人民币5000.50元（大写：伍仟元伍角整）" in text
    assert "第2期：2026年11月30日前" in text
    assert "逾期申请的理由\n因不可抗力延误" in text


def test_nothing_of_the_samples_terms_is_left_unsaid() -> None:
    """Whatever a term may hold has its place: a field that is added to the contract must be thought of here."""
    assert set(Term.model_fields) == {"no", "kind", "text", "amount", "payee", "due_date", "installments"}
    assert set(Payee.model_fields) == {"party", "account_name", "bank", "account_no"}


# ------------------------------------------------------------------------------------------------------------ the press


async def test_own_templates_take_the_packaged_ones_place_and_broken_ones_do_not(tmp_path: Path) -> None:
    own = Document(io.BytesIO(template_of(Paper.PERFORMANCE_NOTICE)))
    own.add_paragraph("本中心电话：0531-86000000，案号{{ case_no }}")
    own.save(str(tmp_path / "performance_notice.docx"))
    wrong = Document(io.BytesIO(template_of(Paper.PRESIDED_PROOF)))
    wrong.add_paragraph("{{ nobody_knows_this }}")
    wrong.save(str(tmp_path / "presided_proof.docx"))
    (tmp_path / "termination_proof.docx").write_bytes(b"no archive")
    press = Press(templates=tmp_path)
    for form, text_of in ((Form.DOCX, docx_text), (Form.PDF, pdf_text)):
        notice = text_of((await press.print(sheets()[Paper.PERFORMANCE_NOTICE], form)).data)
        assert "0531-86000000，案号370102-LX001-2026-00123" in notice
    for paper in (Paper.PRESIDED_PROOF, Paper.TERMINATION_PROOF):
        assert "特此证明。" in docx_text((await press.print(sheets()[paper], Form.DOCX)).data)
    await press.close()


async def test_a_template_of_ones_own_reaches_nothing_but_its_fields(tmp_path: Path) -> None:
    bold = Document(io.BytesIO(template_of(Paper.PRESIDED_PROOF)))
    bold.add_paragraph("{{ case_no.__class__.__mro__ }}")
    bold.save(str(tmp_path / "presided_proof.docx"))
    press = Press(templates=tmp_path)
    text = docx_text((await press.print(sheets()[Paper.PRESIDED_PROOF], Form.DOCX)).data)
    assert "class" not in text
    await press.close()


async def test_the_loop_goes_on_while_a_paper_is_printed(press: Press) -> None:
    sheet = sheets()[Paper.JUDICIAL_CONFIRMATION]
    await press.print(sheet)
    printing = asyncio.create_task(press.print(sheet))
    turns = 0
    while not printing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
    assert (await printing).data.startswith(b"%PDF")


async def test_more_papers_than_may_wait_are_refused(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(press_room, "_MAY_WAIT", 3)
    sheet = sheets()[Paper.PERFORMANCE_NOTICE]
    asked = [press.print(sheet, Form.DOCX) for _ in range(5)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert [(one.status, one.code) for one in refused] == [(503, "busy")] * 2
    assert (await press.print(sheet, Form.DOCX)).data  # and afterwards there is room again


@pytest.mark.parametrize("paper", list(Paper))
def test_templates_name_only_fields_that_there_are(paper: Paper) -> None:
    """With everything empty that may be empty, a template still fills: no branch asks for more."""
    case = papers.case({"/accepted_at": papers.DROP, "/mediators": []})
    made = {**sheets(case), **_bare(case)}
    data = write(template_of(paper), paper.zh, made[paper].fields, made[paper].at)
    assert "：\n：" not in docx_text(data)
    assert json.dumps(docx_text(data), ensure_ascii=False).count("{{") == 0


def _bare(case: Case) -> dict[Paper, Sheet]:
    agreement = papers.agreement({"/organization_seal/seal_id": papers.DROP})
    bare = [application(case, agreement, Filing(route)) for route in ConfirmationRoute]
    return {sheet.paper: sheet for sheet in bare}


async def test_a_press_that_embeds_nothing_asks_for_the_readers_font() -> None:
    press = Press(embed=False)
    sheet = sheets()[Paper.PERFORMANCE_NOTICE]
    light = (await press.print(sheet)).data
    assert b"STSong-Light" in light
    assert b"FontFile2" not in light
    assert len(light) < 10_000
    assert "支付令" in pdf_text(light)
    await press.close()

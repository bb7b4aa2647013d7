"""The register of findings: every code has its texts, and a finding says what it should."""

from __future__ import annotations

import re
import string

import pytest

from contracts.findings import Code, Expected, Finding, Language, Measure, Severity, Signer, register
from contracts.lists import AttachmentKind, PartyRole
from contracts.titled import Titled

WARNINGS = {
    Code.IDENTITY_NUMBER_MISMATCH,
    Code.REGION_UNKNOWN,
    Code.REGION_ABOLISHED,
    Code.PAPER_MISSING,
    Code.VAGUE_TERM,
}


def test_every_code_is_in_the_table_and_no_other() -> None:
    assert set(register()) == set(Code)


def test_warnings_are_the_contracts() -> None:
    assert {code for code, entry in register().items() if entry.severity is Severity.WARNING} == WARNINGS


@pytest.mark.parametrize("code", list(Code))
def test_texts_are_whole_in_both_languages(code: Code) -> None:
    entry = register()[code]
    for language in Language:
        texts = entry.texts(language)
        for text in (texts.title, texts.message, texts.cause, texts.cure):
            assert text.strip() == text != ""
            assert bool(re.search(r"[\u4e00-\u9fff]", text)) or language is Language.EN
        fields = {name for _, name, _, _ in string.Formatter().parse(texts.message) if name is not None}
        assert fields == entry.params
        assert not {"{", "}"} & set(texts.title + texts.cause + texts.cure)
    assert re.match(r"[A-Z]", entry.en.message)


def test_parameters_are_checked_when_a_finding_is_made() -> None:
    with pytest.raises(ValueError, match="too_long takes the parameters"):
        Finding.of("/facts", Code.TOO_LONG, limit=3)
    with pytest.raises(ValueError, match="missing takes the parameters"):
        Finding.of("/facts", Code.MISSING, limit=3)


@pytest.mark.parametrize(
    ("finding", "english", "chinese"),
    [
        (
            Finding.of("/facts", Code.TOO_LONG, limit=3, measure=Measure.CHARACTERS),
            "Over the limit: at most 3 characters.",
            "超过上限：最多 3 个字符。",
        ),
        (
            Finding.of("/x", Code.NOT_IN_LIST, allowed=("written", "oral")),
            "The value is not in the list; allowed: written, oral.",
            "值不在允许的范围内；允许值：written、oral。",
        ),
        (
            Finding.of("/x", Code.NOT_IN_LIST, allowed=()),
            "The value is not in the list; allowed: none.",
            "值不在允许的范围内；允许值：无。",
        ),
        (
            Finding.of("/x", Code.NOT_IN_LIST, allowed=tuple(map(str, range(1, 1001)))),
            "The value is not in the list; allowed: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, ….",
            "值不在允许的范围内；允许值：1、2、3、4、5、6、7、8、9、10、11、12、13、14、15、16、…。",
        ),
        (
            Finding.of("/x", Code.WRONG_TYPE, expected=Expected.LIST),
            "The value has the wrong type or form; expected: a list.",
            "值的类型或者形式不对，应为：数组。",
        ),
        (
            Finding.of("/parties", Code.SIDE_MISSING, side=PartyRole.RESPONDENT),
            "There must be at least one respondent.",
            "至少应有一名被申请人。",
        ),
        (
            Finding.of("/signatures", Code.SIGNATURE_MISSING, signer=Signer.PARTY, place=" /parties/0"),
            "A signature or seal is missing: party /parties/0.",
            "缺少签名或者盖章：当事人 /parties/0。",
        ),
        (
            Finding.of("/attachments", Code.PAPER_MISSING, paper=AttachmentKind.IDENTITY_PROOF),
            "The confirmation lacks a paper: identity or capacity proof.",
            "确认申请缺少材料：身份或者资格证明。",
        ),
    ],
)
def test_messages(finding: Finding, english: str, chinese: str) -> None:
    assert finding.message(Language.EN) == english
    assert finding.message(Language.ZH) == chinese
    assert finding.as_error() == {
        "pointer": finding.pointer,
        "code": str(finding.code),
        "message": english,
        "message_zh": chinese,
        "cure": register()[finding.code].en.cure,
        "cure_zh": register()[finding.code].zh.cure,
    }


def test_findings_are_values() -> None:
    one = Finding.of("/x", Code.TOO_LONG, limit=3, measure=Measure.ITEMS)
    assert one == Finding.of("/x", Code.TOO_LONG, limit=3, measure=Measure.ITEMS)
    assert len({one, Finding.of("/x", Code.TOO_LONG, limit=4, measure=Measure.ITEMS)}) == 2
    assert one.is_error
    assert not Finding.of("/x", Code.REGION_UNKNOWN).is_error


@pytest.mark.parametrize("words", [Expected, Measure, Signer])
def test_words_in_messages_have_both_languages(words: type[Titled]) -> None:
    for word in words:
        assert word.zh
        assert word.en

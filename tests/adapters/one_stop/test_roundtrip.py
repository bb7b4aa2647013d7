"""What the platform reads, pages joined, is what the document said, up to the declared losses: for any Unicode."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.one_stop.translate import translate
from adapters.one_stop.wire import build
from contracts.adapter import LossKind, Wire
from contracts.case import Case
from contracts.messages import MessageType as M

from . import documents as d
from .platform import NOW

FORBIDDEN = {*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0xFFFE, 0xFFFF}
LIMITS = {
    "简述": 1000,
    "内容": 300,
    "姓名": 50,
    "单位名称": 100,
    "居住详址": 200,
    "地址": 200,
    "化解组织": 100,
    "化解情况": 1000,
    "名称": 100,
    "涉及单位": 100,
}

CHARACTERS = st.one_of(
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from("𠮷吉\r\n\t \u0085\u2028\ufffe\uffff\x00\x0b<>&]'\""),
)


def texts(longest: int) -> st.SearchStrategy[str]:
    """Short texts of anything, and long ones that are cut."""
    short = st.text(CHARACTERS, min_size=1, max_size=30)
    long = st.builds(lambda text, times: (text * times)[:longest], short, st.integers(1, 400))
    return st.one_of(short, long).filter(lambda text: as_sent(text).strip() != "")


def as_sent(text: str) -> str:
    """The text without what XML cannot carry, told independently of the code under test."""
    return "".join(character for character in text if ord(character) not in FORBIDDEN)


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def platform_reads(raw: bytes) -> dict[str, str]:
    """Every item by its path, continuation pages joined, as the platform's own XML parser would see it."""
    request = etree.fromstring(raw)[0][0]
    found: dict[str, str] = {}
    continued: dict[str, list[tuple[int, int, str]]] = {}
    for item in request:
        name = etree.QName(item).localname
        if name == "续页列表":
            for page in item:
                place, number, total, text = (field.text or "" for field in page)
                continued.setdefault(place, []).append((int(number), int(total), text))
        elif len(item) and name.endswith("列表"):
            for position, row in enumerate(item, start=1):
                for field in row:
                    path = f"{etree.QName(row).localname}[{position}]/{etree.QName(field).localname}"
                    found[path] = field.text or ""
        else:
            found[name] = item.text or ""
    for place, pages in continued.items():
        assert [number for number, _, _ in pages] == list(range(2, len(pages) + 2))
        assert {total for _, total, _ in pages} == {len(pages) + 1}
        assert all(utf16(text) <= 1000 for _, _, text in pages)
        limit = LIMITS[place.rpartition("/")[2]]
        assert utf16(found[place]) in (limit, limit - 1)
        found[place] += "".join(text for _, _, text in pages)
    for path, text in found.items():
        if path not in continued:
            assert utf16(text) <= LIMITS.get(path.rpartition("/")[2], 10**9)
    return found


def request_of(wire: Wire) -> bytes:
    return build(wire.operation, wire.payload, NOW)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """The sample of wages with other texts everywhere; unvalidated, so that even what intake refuses is translated."""
    case = d.case()
    person, employer = case.parties

    def detail() -> Any:
        return {"detail": draw(texts(500))}

    return case.model_copy(
        update={
            "facts": draw(texts(9_000)),
            "organization": case.organization.model_copy(update={"name": draw(texts(100))}),
            "claims": tuple(
                case.claims[0].model_copy(update={"text": draw(texts(2_000))}) for _ in range(draw(st.integers(1, 3)))
            ),
            "parties": (
                person.model_copy(
                    update={"name": draw(texts(100)), "address": person.address.model_copy(update=detail())}
                ),
                employer.model_copy(
                    update={"name": draw(texts(100)), "address": employer.address.model_copy(update=detail())}
                ),
            ),
        }
    )


@settings(max_examples=60, deadline=None)
@given(cases())
def test_no_text_of_a_case_is_lost(case: Case) -> None:
    wire = translate(d.message(M.CASE_SUBMITTED, case), d.context(case))
    read = platform_reads(request_of(wire))
    cut = {loss.pointer for loss in wire.losses if loss.kind is LossKind.CUT}
    person, employer = case.parties
    sent = {
        "/facts": ("简述", case.facts),
        "/organization/name": ("化解组织", case.organization.name),
        "/parties/0/name": ("主要当事人[1]/姓名", person.name),
        "/parties/1/name": ("单位当事人[1]/单位名称", employer.name),
        **{
            f"/claims/{number}/text": (f"请求事项[{number + 1}]/内容", claim.text)
            for number, claim in enumerate(case.claims)
        },
    }
    for pointer, (path, text) in sent.items():
        assert read[path] == as_sent(text)
        assert (pointer in cut) == (as_sent(text) != text)
    for pointer, path, party in (
        ("/parties/0/address/detail", "主要当事人[1]/居住详址", person),
        ("/parties/1/address/detail", "单位当事人[1]/地址", employer),
    ):
        assert read[path] == f"{party.address.region_code} {as_sent(party.address.detail)}"
        assert (pointer in cut) == (as_sent(party.address.detail) != party.address.detail)
    assert read["名称"] == as_sent(f"{person.name}与{employer.name}·{case.cause.path[-1]}")
    assert read["涉及单位"] == as_sent(employer.name)


@settings(max_examples=40, deadline=None)
@given(texts(5_000), st.lists(texts(2_000), min_size=1, max_size=4))
def test_no_text_of_an_agreement_is_lost(facts: str, terms: list[str]) -> None:
    agreement = d.agreement()
    agreement = agreement.model_copy(
        update={
            "facts": facts,
            "terms": tuple(
                agreement.terms[1].model_copy(update={"no": number, "text": text})
                for number, text in enumerate(terms, start=1)
            ),
        }
    )
    wire = translate(d.message(M.AGREEMENT_CONCLUDED, agreement), d.context(d.case()))
    lines = [as_sent(facts), *(f"{number}. {as_sent(text)}" for number, text in enumerate(terms, start=1))]
    assert platform_reads(request_of(wire))["化解情况"] == "\n".join(lines)

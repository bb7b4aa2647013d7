"""Papers at the interface: drafts before filing, what was filed once more, as PDF and as Word, for their owner alone."""

from __future__ import annotations

import hashlib
import io
from base64 import b64encode
from urllib.parse import unquote

import httpx
import pytest
from docx import Document
from pypdf import PdfReader

from gateway.flow.printing.press import Form
from tests.flow import papers
from tests.web.site import Site, accepted
from tests.web.test_ops import trail

DOCX = {"Accept": Form.DOCX.media_type}


def text_of(response: httpx.Response) -> str:
    """The words of a paper, whatever its form."""
    assert response.status_code == 200, response.text
    if response.headers["content-type"] == Form.PDF.media_type:
        pages = PdfReader(io.BytesIO(response.content)).pages
        return "".join(page.extract_text() for page in pages).replace("\n", "")
    assert response.headers["content-type"] == Form.DOCX.media_type
    return "\n".join(paragraph.text for paragraph in Document(io.BytesIO(response.content)).paragraphs)


@pytest.mark.parametrize(
    ("kind", "query", "title", "datum"),
    [
        ("confirmation_application", "?route=judicial_confirmation", "司法确认申请书", "第二百零五条"),
        ("confirmation_application", "?route=arbitration_review", "仲裁审查申请书", "第七十四条"),
        ("mediation_presided_proof", "", "调解组织主持调解的证明", "特此证明"),
        ("performance_notice", "", "履行告知书", "支付令"),
    ],
)
async def test_a_draft_before_anything_is_filed(site: Site, kind: str, query: str, title: str, datum: str) -> None:
    agreement = await site.agreement(await site.case())
    for headers in ({}, DOCX):
        response = await site.up.get(f"/v1/agreements/{agreement}/papers/{kind}{query}", headers=headers)
        text = text_of(response)
        assert title in text
        assert datum in text
        assert "王建国" in text
        ending = "docx" if headers else "pdf"
        disposition = response.headers["content-disposition"]
        assert unquote(disposition.partition("''")[2]) == f"{title}.{ending}"
        digest = b64encode(hashlib.sha256(response.content).digest()).decode()
        assert response.headers["repr-digest"] == f"sha-256=:{digest}:"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["vary"] == "Accept"


@pytest.mark.parametrize("route", ["arbitration", "judicial"])
async def test_what_was_filed_is_given_as_word_with_the_same_words(site: Site, route: str) -> None:
    case = await site.case()
    confirmation = await site.confirmation(await site.agreement(case), route)
    revised = site.case_body({"/parties/0/phone": "13853109999"})
    held = (await site.up.get(f"/v1/cases/{case}")).json()
    revised["source_case_no"] = held["document"]["source_case_no"]
    assert (await site.put(f"/v1/cases/{case}", revised, headers={"If-Match": '"1"'})).status_code == 202
    document = (await site.up.get(f"/v1/confirmations/{confirmation}")).json()["document"]
    kinds = [one["kind"] for one in document["attachments"]]
    assert kinds[0] == "confirmation_application"
    assert ("mediation_presided_proof" in kinds) is (route == "judicial")
    for one in document["attachments"]:
        if one["kind"] == "mediation_agreement":
            continue
        sent = await site.up.get(f"/v1/attachments/{one['id']}")
        again = await site.up.get(f"/v1/confirmations/{confirmation}/papers/{one['kind']}")
        assert again.content == sent.content
        word = text_of(await site.up.get(f"/v1/confirmations/{confirmation}/papers/{one['kind']}", headers=DOCX))
        assert "".join(word.split()) in "".join(text_of(sent).split()).replace("—1—", "").replace("—2—", "").replace(
            "—3—", ""
        )
        assert "13853109999" not in word


async def test_the_application_lists_what_goes_with_it(site: Site) -> None:
    proofs = [await site.upload(kind="identity_proof", name=f"{n}.pdf") for n in range(2)]
    held = [{"id": one, "kind": "identity_proof", "name": "身份证.pdf"} for one in proofs]
    agreement = await site.agreement(await site.case({"/attachments": held}))
    confirmation = await site.confirmation(agreement, "judicial")
    text = text_of(await site.up.get(f"/v1/confirmations/{confirmation}/papers/confirmation_application", headers=DOCX))
    assert "2．调解组织主持调解的证明，1份\n3．身份或者资格证明，2份" in text


async def test_a_proof_of_termination_when_the_case_has_ended(site: Site) -> None:
    case = await site.case()
    path = f"/v1/cases/{case}/papers/termination_proof"
    early = await site.up.get(path)
    assert (early.status_code, early.json()["code"]) == (409, "paper_not_ready")
    accepted(await site.post(f"/v1/cases/{case}/progress", papers.raw("failed")))
    text = text_of(await site.up.get(path))
    assert "调解终止证明" in text
    assert "分歧较大" in text
    agreed = await site.case()
    await site.agreement(agreed)
    assert (await site.up.get(f"/v1/cases/{agreed}/papers/termination_proof")).status_code == 409


async def test_papers_are_their_owners_alone(site: Site) -> None:
    case = await site.case()
    agreement = await site.agreement(case)
    path = f"/v1/agreements/{agreement}/papers/performance_notice"
    assert (await site.stranger.get(path)).status_code == 404
    assert (await site.nobody.get(path)).status_code == 401
    for other in (
        f"/v1/agreements/{case}/papers/performance_notice",
        f"/v1/cases/{agreement}/papers/performance_notice",
        f"/v1/cases/{case}/papers/performance_notice",
        f"/v1/agreements/{agreement}/papers/termination_proof",
        f"/v1/agreements/{agreement}/papers/evidence",
        f"/v1/agreements/{agreement}/papers/nothing",
        "/v1/agreements/agr_01M7Q5CQG057N683VPG2HEWAGG/papers/performance_notice",
    ):
        assert (await site.up.get(other)).status_code == 404, other


async def test_other_forms_and_routes_are_refused(site: Site) -> None:
    agreement = await site.agreement(await site.case())
    base = f"/v1/agreements/{agreement}/papers"
    unknown = await site.up.get(f"{base}/performance_notice", headers={"Accept": "text/html"})
    assert (unknown.status_code, unknown.json()["code"]) == (406, "not_acceptable")
    assert Form.DOCX.media_type in unknown.json()["offered"]
    for query in ("", "?route=", "?route=notary"):
        wrong = await site.up.get(f"{base}/confirmation_application{query}")
        assert (wrong.status_code, wrong.json()["code"], wrong.json()["parameter"]) == (400, "parameter", "route")


async def test_reading_a_paper_is_audited_without_what_it_says(site: Site) -> None:
    agreement = await site.agreement(await site.case())
    path = f"/v1/agreements/{agreement}/papers/confirmation_application?route=arbitration_review"
    assert (await site.up.get(path, headers=DOCX)).status_code == 200
    assert ("up", "paper.read", agreement, None) in await trail(site)
    rows = await site.house.store.rows("audit_after", 0, 1000)
    (facts,) = [row["data"] for row in rows if row["act"] == "paper.read"]
    assert facts == '{"kind":"confirmation_application","form":"docx","route":"arbitration_review"}'


async def test_the_description_names_the_papers(site: Site) -> None:
    described = (await site.op.get("/v1/openapi.json")).json()["paths"]
    call = described["/v1/agreements/{id}/papers/{kind}"]["get"]
    assert {(one["in"], one["name"]) for one in call["parameters"]} == {
        ("path", "id"),
        ("path", "kind"),
        ("query", "route"),
    }

"""A document goes to a thing of the kind that it belongs to: every other id is the same 404, whoever owns it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.web.api.documents import CALLS
from tests.flow import papers
from tests.web.site import Site

BODIES: dict[str, dict[str, Any]] = {
    "progress": papers.body("failed"),
    "alerts": papers.body("alert"),
    "transfers": papers.body("transfer", {"/to": "court"}),
    "follow-ups": {
        "schema_version": "1.0",
        "party": 0,
        "reason": "履行回访",
        "at": "2026-10-09T10:00:00+08:00",
        "situation": "已履行",
        "visitor": "李明",
    },
    "confirmations": papers.body("arbitration"),
    "performances": papers.body("performed", {"/at": "2026-10-01T10:00:00+08:00", "/evidence": []}),
    "supplements": {"schema_version": "1.0", "at": "2026-10-09T10:00:00+08:00", "note": "已补正", "attachments": []},
    "withdrawal": {"schema_version": "1.0", "at": "2026-10-10T10:00:00+08:00", "reason": "双方自行和解"},
    "answer": {"schema_version": "1.0", "answer": "accept", "at": "2026-10-09T10:00:00+08:00"},
    "result": {
        "schema_version": "1.0",
        "outcome": "failed",
        "at": "2026-10-09T10:00:00+08:00",
        "reason_code": "unwilling",
        "report": "未达成",
    },
}
TAKERS = [(call.method, call.path) for call in CALLS if call.path.startswith("/v1/") and "{id}" in call.path]


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path in TAKERS if "mediators" not in path])
async def test_a_thing_of_another_kind_is_not_found(site: Site, method: str, path: str) -> None:
    case = await site.case()
    agreement = await site.agreement(case)
    things = {
        "cases": case,
        "agreements": agreement,
        "confirmations": await site.confirmation(agreement),
        "transfers": (await site.post(f"/v1/cases/{case}/transfers", papers.raw("transfer"))).json()["id"],
    }
    _, _, home, _, *rest = path.split("/")
    wanted: dict[str, Any] = {
        **BODIES,
        "cases": site.case_body(),
        "agreements": await site.agreement_body(),
        "confirmations": papers.body("judicial"),
    }
    body = wanted[rest[0] if rest else home]
    before = await site.counts()
    for other in sorted(things.keys() - {home}):
        address = path.replace("{id}", things[other])
        headers = {"If-Match": "*"} if method == "PUT" else {}
        answer = await (site.put if method == "PUT" else site.post)(address, body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), address
    assert await site.counts() == before

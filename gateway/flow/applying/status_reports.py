"""What the platforms that hold a case are told of another one's word (状态通报): one ``StatusReport``."""

from __future__ import annotations

from contracts.report import StatusReport
from contracts.update import StatusUpdate
from gateway.flow.moving.speaker import Speaker
from gateway.store.casefile import Matter


def report_of(matter: Matter, speaker: Speaker, update: StatusUpdate) -> StatusReport:
    """The report of a word about a matter: whose word it was, its status as said and as understood, and its numbers."""
    numbers = {found.kind: found.value for found in update.references}
    return StatusReport.model_validate(
        {
            "schema_version": "1.0",
            "source_endpoint": speaker.endpoint,
            "source_platform": speaker.adapter,
            "event_id": update.event_id,
            "about": update.about.value,
            "status": update.status,
            "raw_status": update.raw_status,
            "at": update.at,
            "about_id": matter.id.partition("/")[0],
            "term_no": update.term_no,
            "reason_code": update.reason_code,
            "document_no": numbers.get("document_no"),
            "case_no": numbers.get("case_no"),
            "references": [{"kind": found.kind, "value": found.value} for found in update.references],
        },
        strict=False,
    )

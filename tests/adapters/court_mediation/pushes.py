"""Pushes of the court, and what the adapter reads in them."""

from __future__ import annotations

from typing import Any

from adapters.court_mediation import callbacks
from adapters.court_mediation.translate import translate
from contracts.adapter import InboundCall, Json
from contracts.messages import MessageType
from contracts.update import Inbound, StatusUpdate
from tests.adapters.court_mediation import documents as docs
from tests.adapters.court_mediation.platform import push
from tests.adapters.court_mediation.platform import settings as configured

WRIT: Json = {
    "c_wsmc": "民事裁定书",
    "c_wsbh": "WS20261012001",
    "c_fymc": "济南市历下区人民法院",
    "wjlj": "http://127.0.0.1:9102/fayuan/a/file/get/WS1?t=abc",
    "wjyxq": "20261012 10:10",
    "wjdx": "18233",
    "sha256": "AB" * 32,
}


def read(call: InboundCall) -> Inbound:
    """The one thing that a push says."""
    (found,) = callbacks.parse(call, "court")
    return found


def update(kind: str, content: Json, **changes: Any) -> StatusUpdate:
    """The status that a push tells."""
    found = read(push(kind, content, **changes))
    assert isinstance(found, StatusUpdate)
    return found


def task(**changes: Any) -> Json:
    """A task as the platform words it: the party and case keys of a filing, and its own."""
    case = docs.wages(facts="拖欠三个月工资")
    wire = translate(
        docs.message(MessageType.AGREEMENT_CONCLUDED, docs.AGREEMENT), docs.context(case=case), configured()
    )
    kept = (
        "mediationCaseNo causeCode disputeType money startTimeStr dispute claims applicantPartyList respondentPartyList"
    )
    content = {key: wire.payload[key] for key in kept.split()}
    content |= {
        "rwbh": "WP20260928000123",
        "wplx": "1",
        "ah": "（2026）鲁0102诉前调12号",
        "jgdm": "SD-JN-LX-001",
        "qrqx": "20261015 17:00",
        "tjqx": "20261111",
        "wslist": [WRIT],
    }
    return {key: value for key, value in (content | changes).items() if value is not None}

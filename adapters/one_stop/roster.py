"""调解员: a mediator of the roster as the items of ``saveMediator`` (page §4)."""

from __future__ import annotations

from adapters.one_stop.codes import SEX
from adapters.one_stop.scribe import Scribe
from contracts.adapter import Context, Json
from contracts.mediator import Mediator


def mediator_values(mediator: Mediator, context: Context, scribe: Scribe) -> Json:
    """The values of ``saveMediator``. 所属组织 is the organisation's name, its code where the name is not known."""
    scribe.losses.carried("/organization_code")
    name = context.organization.name if context.organization else None
    if name is None:
        scribe.losses.mapped("/organization_code", "所属组织", "the organisation's name is not known: its code went")
    return {
        "证号": scribe.text(mediator.certificate_no, "/certificate_no", "证号"),
        "姓名": scribe.text(mediator.name, "/name", "姓名"),
        "性别": scribe.code(SEX, mediator.sex, "/sex", "性别"),
        "联系方式": scribe.text(mediator.phone, "/phone", "联系方式"),
        "所属组织": scribe.text(name or mediator.organization_code, "", "所属组织"),
    }

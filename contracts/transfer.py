"""The transfer (移送, 转立案) of a case to arbitration, a court, legal aid or labour inspection."""

from __future__ import annotations

from typing import Annotated

from contracts.attachment import AttachmentReference
from contracts.case import Claim
from contracts.confirmation import Authority
from contracts.document import Document, named
from contracts.lists import TransferReason, TransferTo
from contracts.values import LIST_LIMIT


class Transfer(Document):
    """A case goes on elsewhere (移送). Without ``claims`` those of the case go with it."""

    to: Annotated[TransferTo, named("移送去向", "To")]
    authority: Annotated[Authority, named("受理机关", "Authority")]
    reason_code: Annotated[TransferReason, named("移送原因", "Reason")]
    claims: Annotated[tuple[Claim, ...] | None, named("请求事项", "Claims", max_length=LIST_LIMIT)] = None
    attachments: Annotated[tuple[AttachmentReference, ...], named("附件", "Attachments", max_length=LIST_LIMIT)] = ()

"""Attachments that were taken, and whether the house stands (附件、就绪)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from contracts.lists import AttachmentKind, MediaType
from gateway.web.api.shapes.parts import AttachmentId, Count, Home, Shown, told


class Uploaded(Shown):
    """An attachment that is kept (附件)."""

    id: Annotated[AttachmentId, told("附件编号，文书以此引用", "the attachment's id, by which documents name it")]
    kind: Annotated[AttachmentKind, told("附件类别", "what kind of paper it is")]
    name: Annotated[str, told("文件名", "the file's name")]
    media_type: Annotated[MediaType, told("媒体类型，由内容判定", "its media type, by its content")]
    size: Annotated[Count, told("字节数", "its bytes")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$"), told("SHA-256（十六进制）", "its SHA-256 in hex")]
    links: Annotated[Home, told("链接", "where it is read")]


class Readiness(Shown):
    """Whether this process takes work (就绪)."""

    ready: Annotated[bool, told("是否就绪", "whether it is ready")]
    stuck: Annotated[list[str], told("停滞的工作", "work that stands still")]
    storage: Annotated[bool, told("存储是否可写", "whether the store takes writes")]

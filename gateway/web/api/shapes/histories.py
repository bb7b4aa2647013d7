"""What happened and who knew (全程、各平台所知、事件): the timeline, the platforms' views, the feed of events."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from contracts.deliveries import DeliveryState
from contracts.event_values import titles
from contracts.events import CloudEvent
from contracts.identifiers import IdPrefix, id_pattern
from contracts.messages import MessageType
from gateway.web.api.shapes.parts import (
    CODE,
    ENDPOINT,
    CaseId,
    Count,
    DeliveryId,
    EventId,
    Listing,
    Moment,
    Shown,
    absent,
    told,
)


class TimelineEntry(Shown):
    """One thing that happened (全程中的一件事)."""

    sequence: Annotated[int, Field(ge=1), told("案内序号", "its place within the case")]
    id: Annotated[EventId, told("事件编号", "the event's id")]
    type: Annotated[str, told("事件类型", "the event's type")]
    about: Annotated[str, told("所涉事项", "what it is about")]
    at: Annotated[Moment, told("记录时间", "when it was noted")]
    published: Annotated[bool, told("是否对外发布", "whether it is published")]
    data: Annotated[dict[str, Any], told("数据，见此类事件的模式", "its data, by the schema of its type")]


class Timeline(Listing[TimelineEntry]):
    """Everything that happened to a case, in order, over all platforms (案件全程)."""

    case: Annotated[CaseId, told("案件编号", "the case's id")]


class Told(Shown):
    """What a platform was told (向平台报送的)."""

    type: Annotated[MessageType, told("消息类型", "the message's type")]
    about: Annotated[str, told("所涉事项", "what it is about")]
    state: Annotated[DeliveryState, told("投递状态", "the delivery's state")]
    delivery: Annotated[DeliveryId, told("投递编号", "the delivery's id")]
    code: Annotated[str, CODE] = absent()
    attempts: Annotated[Count, told("尝试次数（未送达）", "how often it was tried, while it is not there")] = absent()
    requires: Annotated[DeliveryId, told("须先送达的投递", "the delivery that must have arrived before it")] = absent()


class Said(Shown):
    """What a platform said (平台告知的)."""

    type: Annotated[str, told("事件类型", "the event's type")]
    about: Annotated[str, told("所涉事项", "what it is about")]
    status: Annotated[str | None, told("状态", "the status that it named")]
    at: Annotated[Moment | None, told("平台所称时间", "when, by its word")]


class Reference(Shown):
    """A number that the platform had given by then (此时已有的平台编号)."""

    kind: Annotated[
        str, told("编号类别，平台特有的为其自身名称", "what kind of number; a platform's own ones by its name")
    ]
    value: Annotated[str, told("编号", "the number")]
    about: Annotated[str, told("所涉事项", "what it is a number of")]


class PlatformView(Shown):
    """What one platform knew and had said (一个平台所知)."""

    endpoint: Annotated[str, ENDPOINT]
    told: Annotated[list[Told], told("向其报送的", "what it was told")]
    said: Annotated[list[Said], told("其告知的", "what it said")]
    external_refs: Annotated[list[Reference], told("平台编号", "numbers that it gave")] = absent()


class Platforms(Shown):
    """What each platform knew at a moment (各平台所知)."""

    case: Annotated[CaseId, told("案件编号", "the case's id")]
    platforms: Annotated[list[PlatformView], told("各平台", "the platforms")]


class Event(CloudEvent):
    """An event, a CloudEvent 1.0 (事件). ``data`` is by the schema that ``dataschema`` leads to."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    sequence: Annotated[str, Field(pattern="^[0-9]{20}$"), titles("案内序号", "Sequence within the case")] = absent()
    partitionkey: Annotated[str, Field(pattern=id_pattern(IdPrefix.CASE)), titles("案件标识", "Case id")] = absent()
    cursor: Annotated[str, Field(pattern="^[0-9]{1,18}$"), titles("游标", "Cursor")]
    traceparent: Annotated[
        str,
        Field(pattern="^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"),
        titles("链路标识", "Trace of the event's making"),
    ] = absent()
    data: Annotated[dict[str, Any], titles("数据", "Data")]


class EventPage(Listing[Event]):
    """One page of the feed of events (事件)."""

    cursor: Annotated[
        str,
        Field(pattern="^[0-9]{16,18}$"),
        told("读到此处，下次从这里读起", "where to read on; also after an empty page"),
    ]

"""Subscriptions as they are read (订阅)."""

from __future__ import annotations

from typing import Annotated, Literal

from contracts.webhook import Kind
from gateway.web.api.shapes.parts import Address, Count, Home, Listing, Moment, Shown, WebhookId, absent, told


class LastFailure(Shown):
    """How sending failed last (最近一次失败)."""

    at: Annotated[Moment, told("失败时间", "when")]
    code: Annotated[str | None, told("失败代码", "the code of what went wrong")]


class WebhookView(Shown):
    """A subscription (订阅)."""

    id: Annotated[WebhookId, told("订阅编号", "the subscription's id")]
    url: Annotated[
        Address, told("接收地址；封存密钥已更换的没有", "the address; absent where its sealing key is gone")
    ] = absent()
    description: Annotated[str, told("说明", "a word on it")] = absent()
    events: Annotated[list[str], told("事件类型，或者 case.* 这样的一类", "types of events, or all of a noun: case.*")]
    organizations: Annotated[list[str], told("所限的调解组织，没有即为全部", "the organisations; absent: all")] = (
        absent()
    )
    signing: Annotated[list[Kind], told("签名方式", "how it is signed")]
    state: Annotated[
        Literal["unverified", "verified", "failed", "unhealthy", "disabled", "paused"], told("订阅状态", "its state")
    ]
    reason: Annotated[str, told("此状态的原因", "why it is in this state")] = absent()
    enabled: Annotated[bool, told("是否启用", "whether it is enabled")]
    public_key: Annotated[str, told("公钥（Ed25519）", "the public key, Ed25519")] = absent()
    rotation_ends_at: Annotated[Moment, told("旧密钥至此时有效", "until when the old keys hold")] = absent()
    created_at: Annotated[Moment, told("生成时间", "when it was made")]
    links: Annotated[Home, told("链接", "where it is read")]
    last_success_at: Annotated[Moment, told("最近一次成功时间", "when sending last succeeded")] = absent()
    last_failure: Annotated[LastFailure, told("最近一次失败", "how it failed last")] = absent()


class FreshWebhook(WebhookView):
    """A subscription with the secret of its fresh keys, which is shown this once (订阅及其新密钥)."""

    secret: Annotated[str, told("密钥，只显示这一次", "the secret, shown this once")] = absent()


class Webhooks(Listing[WebhookView]):
    """The client's subscriptions (订阅列表)."""


class WebhookTest(Shown):
    """How a test went (测试结果)."""

    status: Annotated[
        int, told("接收方的 HTTP 状态，没有答复的没有", "the receiver's HTTP status; absent: no answer")
    ] = absent()
    duration_ms: Annotated[Count, told("用时（毫秒）", "how long it took, in ms")]
    code: Annotated[str, told("失败代码，成功的没有", "the code of what went wrong; absent: nothing")] = absent()

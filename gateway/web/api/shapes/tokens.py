"""A token as it is given (访问令牌)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway.web.api.shapes.parts import Shown, told


class AccessToken(Shown):
    """An access token, RFC 6749 §5.1 (访问令牌)."""

    access_token: Annotated[str, told("访问令牌", "the token")]
    token_type: Annotated[Literal["Bearer"], told("令牌类型", "the token's type")]
    expires_in: Annotated[int, Field(ge=1), told("有效期（秒）", "how long it holds, in seconds")]
    scope: Annotated[str, told("权限，以空格分隔", "its scopes, apart by spaces")]

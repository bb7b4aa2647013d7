"""``gateway send``: posts a document from a file; which call it is, the sample's file name tells."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.markup import escape

from gateway.cli.exits import Exit, explained, leave, out, say_json
from gateway.cli.options import DemoOption, JsonOption, KeyOption, ToOption, client_of, run
from gateway.client import Taken

_NAME = re.compile(r"(POST|PUT) ([a-z0-9{}/ -]+?)(?: - .*)?", re.IGNORECASE)
_HOMES = ("cases", "agreements", "confirmations", "transfers", "referrals", "mediators")
_PLACEHOLDER = b"att_REPLACE_WITH_UPLOADED"
_MOST_BYTES = 20 * 1024 * 1024


def send(
    file: Annotated[Path, typer.Argument(help="文书 JSON document", metavar="FILE", show_default=False)],
    to: ToOption = None,
    key: KeyOption = None,
    demo: DemoOption = None,
    case: Annotated[
        str | None, typer.Option("--case", help="案件标识 case id", metavar="case_…", show_default=False)
    ] = None,
    agreement: Annotated[
        str | None, typer.Option("--agreement", help="协议标识 agreement id", metavar="agr_…", show_default=False)
    ] = None,
    confirmation: Annotated[
        str | None, typer.Option("--confirmation", help="确认标识 confirmation id", metavar="cnf_…", show_default=False)
    ] = None,
    referral: Annotated[
        str | None, typer.Option("--referral", help="委派委托标识 referral id", metavar="ref_…", show_default=False)
    ] = None,
    as_call: Annotated[
        str | None,
        typer.Option(
            "--as",
            help="调用，缺省取自文件名 the call, else taken from the file's name",
            metavar='"POST cases/{id}/progress"',
            show_default=False,
        ),
    ] = None,
    document: Annotated[
        Path | None,
        typer.Option(
            "--document",
            help="先上传的协议文本（PDF、OFD、JPEG、PNG） the agreement's paper, uploaded first",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    idempotency_key: Annotated[
        str | None,
        typer.Option(
            "--idempotency-key",
            help="幂等键，缺省由内容得出：重发同一文件只生效一次 else made from the content: a repeat has one effect",
            metavar="KEY",
            show_default=False,
        ),
    ] = None,
    version: Annotated[
        int | None,
        typer.Option("--version", metavar="N", help="更正所依据的版本 version that a PUT revises", show_default=False),
    ] = None,
    json: JsonOption = False,
) -> None:
    """报送一份文书 Post a document from a file."""
    raw = _read(file, json)
    ids = {"cases": case, "agreements": agreement, "confirmations": confirmation, "referrals": referral}
    method, path = address(as_call or file.stem, ids)
    if _PLACEHOLDER in raw and document is None:
        leave(
            Exit.USAGE,
            "文书中的 att_REPLACE_WITH_UPLOADED 须换成上传后的附件：--document 协议.pdf",
            "The document names an attachment that must be uploaded first: --document FILE",
            machine=json,
        )
    paper = None if document is None else _read(document, json)

    async def post() -> Taken:
        organization = await _organization(raw, next(filter(None, ids.values()), None), to, demo)
        async with client_of(to, key, demo, organization=organization) as client:
            body = raw
            if paper is not None and document is not None:
                kept = await client.upload("mediation_agreement", document.name, paper)
                body = raw.replace(_PLACEHOLDER, kept.id.encode())
            used = idempotency_key or f"send-{hashlib.sha256(f'{method} {path} '.encode() + body).hexdigest()[:40]}"
            return await client.send(method, path, body, key=used, version=version)

    with explained(json):
        taken = run(post)
    if json:
        say_json(taken.model_dump(mode="json"))
        return
    again = "（重发，与首次应答相同 replayed）" if taken.replayed else ""
    out.print(f"[green]已受理 accepted[/green] {taken.id}  {escape(taken.status)}{again}")
    for owed in taken.deliveries:
        out.print(f"  → {owed.endpoint}  {owed.id}")
    for warning in taken.warnings:
        out.print(
            f"  [yellow]提示 warning[/yellow] {escape(warning.pointer)} {warning.code} {escape(warning.message_zh)}"
        )
    for clock in taken.clocks:
        out.print(f"  期限 clock {clock.get('rule')}  {clock.get('start')} – {clock.get('due')}")


def address(call: str, ids: dict[str, str | None]) -> tuple[str, str]:
    """Method and path of a call that is written like a sample's name: ``POST cases {id} agreements - wages``."""
    found = _NAME.fullmatch(call.strip())
    parts = [] if found is None else [part for part in re.split(r"[\s/]+", found.group(2)) if part and part != "v1"]
    if found is None or not parts or parts[0] not in _HOMES:
        leave(
            Exit.USAGE,
            f"不知道这是哪个调用 which call is this: {call}",
            '用 --as 说明 say it by --as, e.g. --as "POST cases/{id}/progress"',
        )
    if "{id}" in parts:
        given = ids.get(parts[0])
        if given is None:
            option = parts[0].removesuffix("s")
            leave(Exit.USAGE, f"此调用需要 --{option} ID this call needs --{option} ID: {' '.join(parts)}")
        parts = [given if part == "{id}" else part for part in parts]
    return found.group(1).upper(), "/v1/" + "/".join(parts)


def _read(path: Path, machine: bool) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            leave(Exit.NO_INPUT, f"文件过大 the file is over 20 MiB: {path}", machine=machine)
        return path.read_bytes()
    except OSError as error:
        leave(Exit.NO_INPUT, f"读不到文件 cannot be read: {path} ({error.strerror})", machine=machine)


async def _organization(raw: bytes, about: str | None, to: str | None, demo: Path | None) -> str | None:
    """Whose key of a demonstration fits: of the organisation that a case names, or that owns the thing it is appended to."""
    if demo is None:
        return None
    try:
        found = orjson.loads(raw)["organization"]["code"]
        return found if isinstance(found, str) else None
    except (ValueError, KeyError, TypeError):
        if about is None:
            return None
    async with client_of(to, None, demo, operator=True) as operator:
        owner = (await operator.read(about)).get("organization")
    code = owner.get("code") if isinstance(owner, dict) else None
    return code if isinstance(code, str) else None

"""``gateway find``: where a case stands, by whatever number, and what it waits for."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import typer
from pydantic import JsonValue
from rich.markup import escape

from contracts.deliveries import FAILED_STATES, OPEN_STATES, DeliveryState
from contracts.status import CaseStatus, ConfirmationStatus, TransferStatus
from gateway.cli.exits import Exit, explained, leave, out, say_json
from gateway.cli.options import DemoOption, JsonOption, KeyOption, ToOption, client_of, run
from gateway.client import CallRefused, GatewayClient

_THINGS = ("case_", "agr_", "cnf_", "trf_", "ref_")
_UNDELIVERED = frozenset({*OPEN_STATES, *FAILED_STATES})
_THEIR_TURN = {
    "requested": "等待机关受理 for the authority to accept",
    "accepted": "等待机关审查决定 for the authority's decision",
    "reviewing": "等待机关审查决定 for the authority's decision",
    "correction_required": "等待上报方补正 for the sender's supplement",
}
_OPEN_CASE = {
    "received": "等待组织受理 for the organisation to accept it",
    "correction_required": "等待组织补正 for the organisation's correction",
    "accepted": "等待开始调解 for the mediation to begin",
    "mediating": "等待调解结果 for the mediation's end",
}


@dataclass(slots=True)
class Wait:
    """One thing that is waited for: on whom, for what, until when."""

    who: str
    what: str
    until: str | None = None


@dataclass(slots=True)
class Found:
    """A case as it stands."""

    id: str
    source_case_no: str
    organization: str
    status: str
    waits: list[Wait] = field(default_factory=list)
    confirmations: list[dict[str, Any]] = field(default_factory=list)
    transfers: list[dict[str, Any]] = field(default_factory=list)
    agreements: list[dict[str, Any]] = field(default_factory=list)
    platforms: list[dict[str, Any]] = field(default_factory=list)
    clocks: list[dict[str, Any]] = field(default_factory=list)


def find(
    number: Annotated[
        str, typer.Argument(help="案号、流水号、来源案号或标识 any number or id", metavar="NUMBER", show_default=False)
    ],
    to: ToOption = None,
    key: KeyOption = None,
    demo: DemoOption = None,
    json: JsonOption = False,
) -> None:
    """按任何编号查案件：到了哪一步，在等什么 Find a case by any number: where it stands and what it waits for."""

    async def look() -> list[Found]:
        async with client_of(to, key, demo, operator=True) as client:
            return [await _stand(client, case) for case in await _cases(client, number.strip())]

    with explained(json):
        found = run(look)
    if not found:
        leave(
            Exit.NOT_FOUND,
            f"没有案件使用这个编号，或它不属于此密钥所代表的组织：{number}",
            "No case goes by that number, or it is not of an organisation that this key acts for.",
            machine=json,
        )
    if json:
        say_json({"number": number, "cases": [asdict(case) for case in found]})
        return
    for case in found:
        _print(case)


async def _cases(client: GatewayClient, number: str) -> list[str]:
    """The ids of the cases that go by a number: an id of ours, the sender's number, or any platform's."""
    try:
        if number.startswith(_THINGS):
            thing = await client.read(number)
            case = thing.get("case") or (thing["id"] if thing.get("kind") == "case" else None)
            return [str(case)] if case else []
        if number.startswith("dlv_"):
            return [str((await client.get(f"/v1/ops/deliveries/{number}"))["case"])]
    except CallRefused as error:
        if error.status == 404:
            return []
        raise
    for criterion in ("source_case_no", "external_ref"):
        found = await client.find_cases(**{criterion: number})
        if found:
            return [str(case["id"]) for case in found]
    return []


async def _stand(client: GatewayClient, case_id: str) -> Found:
    case = await client.read(case_id)
    document = case.get("document")
    status = str(case["status"])
    found = Found(
        case_id,
        str(document.get("source_case_no", "")) if isinstance(document, dict) else "",
        str(_object(case, "organization").get("code", "")),
        status,
        agreements=_list(case, "agreements"),
        confirmations=_list(case, "confirmations"),
        transfers=_list(case, "transfers"),
        clocks=[
            clock
            for clock in _list(await client.get("/v1/clocks", {"case": case_id}), "items")
            if clock.get("state") == "running"
        ],
    )
    if status in _OPEN_CASE:
        found.waits.append(Wait(found.organization, _OPEN_CASE[status], _due(found, case_id)))
    for confirmation in found.confirmations:
        if (turn := _THEIR_TURN.get(str(confirmation["status"]))) is not None:
            found.waits.append(Wait(str(confirmation.get("route")), turn, _due(found, str(confirmation["id"]))))
    for transfer in found.transfers:
        if str(transfer["status"]) in ("requested", "correction_required"):
            found.waits.append(Wait(str(transfer.get("to")), "等待立案决定 for the decision to file"))
    standing = await _endpoints(client)
    for platform in _list(await client.get(f"/v1/cases/{case_id}/platforms"), "platforms"):
        _platform(found, platform, standing.get(str(platform["endpoint"]), {}))
    return found


async def _endpoints(client: GatewayClient) -> dict[str, dict[str, Any]]:
    """How the connections stand, by name; only an operator's key may see it."""
    try:
        rows = _list(await client.get("/v1/ops/endpoints"), "items")
    except CallRefused as error:
        if error.status != 403:
            raise
        return {}
    return {str(row["name"]): row for row in rows}


def _platform(found: Found, platform: dict[str, Any], endpoint: dict[str, Any]) -> None:
    told = [entry for entry in platform.get("told", []) if isinstance(entry, dict)]
    states: dict[str, int] = {}
    states_of = {entry["delivery"]: entry["state"] for entry in told}
    for entry in told:
        states[entry["state"]] = states.get(entry["state"], 0) + 1
        if entry["state"] in _UNDELIVERED:
            state = DeliveryState(entry["state"])
            why = _why(entry, endpoint, states_of)
            found.waits.append(
                Wait(platform["endpoint"], f"{entry['type']} {state.zh} {state.en}{why}（{entry['delivery']}）")
            )
    numbers = [f"{ref['kind']} {ref['value']}" for ref in platform.get("external_refs", [])]
    found.platforms.append({"endpoint": platform["endpoint"], "told": states, "numbers": list(dict.fromkeys(numbers))})


def _why(entry: dict[str, Any], endpoint: dict[str, Any], states: dict[str, str]) -> str:
    """Why a delivery waits: the connection is held, what it needs is not there, the last try failed."""
    reasons = []
    if entry["state"] == "pending" and endpoint.get("paused"):
        reasons.append(f"对接已暂停 paused: {endpoint.get('reason') or ''}".rstrip(": "))
    elif entry["state"] == "pending" and endpoint.get("breaker") == "open":
        reasons.append("平台连续失败，稍后再试 the platform keeps failing, it is tried again later")
    if entry["state"] == "pending" and states.get(str(entry.get("requires")), "delivered") != "delivered":
        reasons.append(f"须先送达 needs first {entry['requires']}")
    if entry.get("code"):
        reasons.append(f"{entry['code']}，已试 tries {entry.get('attempts', 0)}")
    return f" — {'; '.join(reasons)}" if reasons else ""


def _due(found: Found, about: str) -> str | None:
    return min((str(clock["due"]) for clock in found.clocks if clock.get("about") == about), default=None)


def _list(thing: dict[str, JsonValue], key: str) -> list[dict[str, Any]]:
    items = thing.get(key)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _object(thing: dict[str, JsonValue], key: str) -> dict[str, Any]:
    value = thing.get(key)
    return value if isinstance(value, dict) else {}


def _print(case: Found) -> None:
    status = CaseStatus(case.status)
    out.print(f"[bold]{escape(case.source_case_no)}[/bold]  {case.id}  {escape(case.organization)}")
    out.print(f"  案件 case: [bold]{status.zh}[/bold] {status.en}")
    for agreement in case.agreements:
        out.print(f"  协议 agreement: {agreement['id']}")
    for confirmation in case.confirmations:
        word = ConfirmationStatus(confirmation["status"])
        out.print(f"  确认 confirmation: {confirmation['id']}  {confirmation.get('route')}  {word.zh} {word.en}")
    for transfer in case.transfers:
        moved = TransferStatus(transfer["status"])
        out.print(f"  移送 transfer: {transfer['id']}  {transfer.get('to')}  {moved.zh} {moved.en}")
    for platform in case.platforms:
        told = " ".join(f"{DeliveryState(state).zh} {many}" for state, many in platform["told"].items())
        out.print(f"  平台 platform: {platform['endpoint']}  {told}  {escape('; '.join(platform['numbers'][:4]))}")
    for clock in case.clocks:
        out.print(f"  期限 clock: {clock['rule']}  到期 due {clock['due']}  {clock['about']}")
    if not case.waits:
        out.print("  [green]没有在等待的事项 nothing is waited for[/green]")
    for wait in case.waits:
        until = f"，至 until {wait.until}" if wait.until else ""
        out.print(f"  [yellow]在等 waits[/yellow] {escape(wait.who)}: {escape(wait.what)}{until}")

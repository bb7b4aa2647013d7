"""The platform's own ledger (court_mediation §6, §8.4): one entry per accepted write, and the tasks it gave."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from mocks.court_mediation.check import text_of
from mocks.court_mediation.codes import BEFORE_RULING, Service, State
from mocks.court_mediation.forms import AMOUNT_KEYS
from mocks.court_mediation.moments import read_time, write_time
from mocks.court_mediation.reading import Document


class TaskState(StrEnum):
    """Where a task 委派/委托 stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    RECALLED = "recalled"
    FINISHED = "finished"


@dataclass(slots=True)
class Filing:
    """One accepted write. `about` is the uuid of the application that a supplement or withdrawal belongs to."""

    uuid: str
    service: Service
    tjbh: str
    fydm: str
    jgdm: str
    at: datetime
    state: State
    sqbh: str = ""
    ysbh: str = ""
    rwbh: str = ""
    xybh: str = ""
    court: str = ""
    ah: str = ""
    about: str = ""
    amount_key: str = ""
    amount: str = ""
    told: bool = False
    accepted: bool = False
    corrections: int = 0
    withdrawing: bool = False


@dataclass(slots=True)
class Task:
    """One task: answer due at `qrqx`, mediation due at `tjqx`."""

    rwbh: str
    wplx: str
    jgdm: str
    fydm: str
    qrqx: datetime
    tjqx: datetime | None
    state: TaskState = TaskState.OPEN


_FIRST_STATE: Final[Mapping[Service, State]] = {
    Service.FILE_AGREEMENT: State.FILED,
    Service.REPORT_PERFORMANCE: State.FILED,
    Service.APPLY: State.RECEIVED,
    Service.SUPPLEMENT: State.RECEIVED,
    Service.WITHDRAW: State.RECEIVED,
    Service.ANSWER_TASK: State.ANSWERED,
    Service.FINISH_TASK: State.ANSWERED,
    Service.TRANSFER: State.RECEIVED,
    Service.LIST_MEDIATOR: State.FILED,
}

#: tslx → the state it tells (§5, §6).
TOLD_STATES: Final[Mapping[str, State]] = {
    "sqys": State.RECEIVED,
    "sqbz": State.CORRECTION,
    "sqsl": State.ACCEPTED,
    "sqbysl": State.NOT_ACCEPTED,
    "cdyx": State.CONFIRMED,
    "cdbh": State.REJECTED,
    "zych": State.WITHDRAWN,
    "acch": State.DEEMED_WITHDRAWN,
    "yysl": State.OBJECTED,
    "ssla": State.DOCKETED,
    "ssbl": State.NOT_DOCKETED,
    "ssbz": State.CORRECTION,
}


class Ledger:
    """All filings and tasks in memory; rebuilt from the journal through `file`, `take_push` and `review`."""

    def __init__(self) -> None:
        self.filings: dict[str, Filing] = {}  # uuid → filing, oldest first
        self.tasks: dict[str, Task] = {}
        self._by_tjbh: dict[str, list[Filing]] = {}
        self._by_number: dict[str, Filing] = {}  # sqbh, ysbh → its first filing
        self._agreements: set[tuple[str, str]] = set()
        self._applications: dict[tuple[str, str], list[Filing]] = {}
        self._open: dict[str, None] = {}  # uuids, oldest first
        self._docketed = 0

    def file(self, service: Service, document: Document, uuid: str, at: datetime) -> Filing:
        """Enter an accepted write and let it act on its application or task."""
        amount_key = AMOUNT_KEYS.get(service, "")
        filing = Filing(
            uuid=uuid,
            service=service,
            tjbh=text_of(document, "tjbh"),
            fydm=text_of(document, "fydm"),
            jgdm=text_of(document, "jgdm"),
            at=at,
            state=_FIRST_STATE[service],
            sqbh=text_of(document, "sqbh"),
            ysbh=text_of(document, "ysbh"),
            rwbh=text_of(document, "rwbh"),
            xybh=text_of(document, "xybh"),
            court=text_of(document, "slfymc"),
            about=text_of(document, "uuid"),
            amount_key=amount_key,
            amount=text_of(document, amount_key),
        )
        self.filings[uuid] = filing
        self._by_tjbh.setdefault(filing.tjbh, []).append(filing)
        self._act(filing, document)
        return filing

    def _act(self, filing: Filing, document: Document) -> None:
        match filing.service:
            case Service.FILE_AGREEMENT:
                self._agreements.add((filing.jgdm, filing.xybh))
            case Service.APPLY:
                self._by_number.setdefault(filing.sqbh, filing)
                self._applications.setdefault((filing.jgdm, filing.xybh), []).append(filing)
                self._open[filing.uuid] = None
            case Service.TRANSFER:
                earlier = self._by_number.get(filing.ysbh)
                if earlier is not None and earlier.state is State.CORRECTION:
                    # Filed anew after 补正: the clerk goes on with this one.
                    self._open.pop(earlier.uuid, None)
                    self._by_number[filing.ysbh] = filing
                self._by_number.setdefault(filing.ysbh, filing)
                self._open[filing.uuid] = None
            case Service.SUPPLEMENT:
                self.filings[filing.about].state = State.RECEIVED
            case Service.WITHDRAW:
                self.filings[filing.about].withdrawing = True
            case Service.ANSWER_TASK:
                accepted = text_of(document, "jieguo") == "1"
                self.tasks[filing.rwbh].state = TaskState.ACCEPTED if accepted else TaskState.DECLINED
            case Service.FINISH_TASK:
                self.tasks[filing.rwbh].state = TaskState.FINISHED
            case Service.REPORT_PERFORMANCE | Service.LIST_MEDIATOR:
                pass

    def take_push(self, body: Mapping[str, Any]) -> None:
        """Let what the platform tells become its own state; unknown kinds and matters change nothing."""
        tslx, content = body.get("tslx"), body.get("content")
        if not isinstance(content, dict):
            return
        if tslx == "rwxd":
            self._give(body, content)
        elif tslx == "rwcx" and isinstance(rwbh := content.get("rwbh"), str) and rwbh in self.tasks:
            self.tasks[rwbh].state = TaskState.RECALLED
        elif isinstance(uuid := content.get("uuid"), str) and uuid in self.filings and tslx in TOLD_STATES:
            self._tell(self.filings[uuid], str(tslx), content)

    def _give(self, body: Mapping[str, Any], content: Mapping[str, Any]) -> None:
        rwbh, qrqx = str(content.get("rwbh", "")), read_time(str(content.get("qrqx", "")))
        if rwbh and qrqx is not None:
            self.tasks[rwbh] = Task(
                rwbh=rwbh,
                wplx=str(content.get("wplx", "")),
                jgdm=str(content.get("jgdm", "")),
                fydm=str(body.get("fydm", "")),
                qrqx=qrqx,
                tjqx=read_time(str(content.get("tjqx", ""))),
            )

    def _tell(self, filing: Filing, tslx: str, content: Mapping[str, Any]) -> None:
        filing.state = TOLD_STATES[tslx]
        filing.told = True
        if filing.state not in BEFORE_RULING:
            self._open.pop(filing.uuid, None)
        if filing.state is State.ACCEPTED:
            filing.accepted = True
        if filing.state is State.CORRECTION:
            filing.corrections += 1
        ah = content.get("ah")
        if isinstance(ah, str) and ah and ah != filing.ah:
            filing.ah = ah
            self._docketed += 1

    def lose(self, tjbh: str) -> None:
        """What was filed under one tjbh is gone, with what it had opened and what followed it up."""
        for filing in self._by_tjbh.pop(tjbh, []):
            for later in [found.tjbh for found in self.filings.values() if found.about == filing.uuid]:
                self.lose(later)
            del self.filings[filing.uuid]
            self._open.pop(filing.uuid, None)
            self._agreements.discard((filing.jgdm, filing.xybh))
            self._applications.pop((filing.jgdm, filing.xybh), None)
            for number in (filing.sqbh, filing.ysbh):
                self._by_number.pop(number, None)

    def review(self, uuid: str) -> None:
        """审查中: seen by query alone."""
        self.filings[uuid].state = State.REVIEWING

    @property
    def next_case(self) -> int:
        """The running number of the next case number 案号."""
        return self._docketed + 1

    def find(self, ref: str) -> Filing | None:
        """The application or transfer of a uuid, sqbh or ysbh; of a number filed twice, the first."""
        filing = self.filings.get(ref) or self._by_number.get(ref)
        if filing is not None and filing.service in (Service.SUPPLEMENT, Service.WITHDRAW):
            filing = self.filings[filing.about]
        return filing

    def open_matters(self) -> list[Filing]:
        """Applications before a ruling and transfers before an answer."""
        return [self.filings[uuid] for uuid in self._open]

    def under(self, tjbh: str) -> list[Filing]:
        """Everything filed under one tjbh, oldest first."""
        return self._by_tjbh.get(tjbh, [])

    def is_filed(self, jgdm: str, xybh: str) -> bool:
        """Whether the organisation filed the agreement (备案)."""
        return (jgdm, xybh) in self._agreements

    def applications(self, jgdm: str, xybh: str) -> list[Filing]:
        """The applications 司法确认 for one agreement."""
        return self._applications.get((jgdm, xybh), [])

    def state_of(self, filing: Filing) -> State:
        """zt: that of a supplement or withdrawal is its application's."""
        return self.filings[filing.about].state if filing.about else filing.state

    def query_entry(self, filing: Filing) -> dict[str, str]:
        """One record as `query/byTjbh` shows it."""
        entry = {
            "tjbh": filing.tjbh,
            "uuid": filing.uuid,
            "fwlx": filing.service.value,
            "djsj": write_time(filing.at),
            "zt": self.state_of(filing).value,
        }
        ah = self.filings[filing.about].ah if filing.about else filing.ah
        if ah:
            entry["ah"] = ah
        if filing.amount:
            entry[filing.amount_key] = float_text(filing.amount)
        return entry

    def record(self, filing: Filing) -> dict[str, Any]:
        """One entry of `GET /_mock/records`."""
        references = {
            name: value for name in ("sqbh", "ysbh", "rwbh", "xybh", "ah", "about") if (value := getattr(filing, name))
        }
        return {
            "kind": filing.service.value,
            "business_key": filing.tjbh,
            "message_id": filing.tjbh,
            "ref": filing.uuid,
            "state": self.state_of(filing).value,
            "at": filing.at.isoformat(),
            "fydm": filing.fydm,
            "jgdm": filing.jgdm,
            **references,
        }


def float_text(amount: str) -> str:
    """An amount as the platform's queries write it: `18600.00` becomes `18600.0` (§7, oddities)."""
    whole, _, fraction = f"{Decimal(amount):f}".partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"

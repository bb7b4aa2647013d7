"""The court's clerk (court_mediation §5, §7): decisions become pushes, by order or by the autopilot."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from mocks.clock import Clock
from mocks.court_mediation.codes import DELEGATED, TASK_KINDS, Service, State
from mocks.court_mediation.decisions import (
    APPLICATION_STEPS,
    NOTICES,
    PUSH,
    RECALL,
    REVIEW,
    TRANSFER_STEPS,
    UUID_ALONE,
    WRIT_TITLES,
    Step,
)
from mocks.court_mediation.docket import REFER_KEYS, TASK_LISTS, case_of, due_times
from mocks.court_mediation.ledger import Filing, Ledger, Task, TaskState
from mocks.court_mediation.moments import read_date, read_time, write_date, write_time
from mocks.court_mediation.notices import RAW, Notices
from mocks.court_mediation.settings import Settings
from mocks.court_mediation.writs import Writs
from mocks.platform import Json, Refused
from mocks.pushes import Push

_CORRECTION_DAYS: Final = 7
_LISTS: Final = frozenset({"bznr", "wslist"})
_DATES: Final = frozenset({"bzqx", "larq", "cdrq", "yyrq"})

Choose = Callable[[Random, Mapping[str, float]], str]


class Clerk:
    """Makes the push of a decision. Numbers and documents are given here; the platform queues what comes back."""

    def __init__(self, settings: Settings, ledger: Ledger, writs: Writs, notices: Notices, clock: Clock) -> None:
        self._settings = settings
        self._ledger = ledger
        self._writs = writs
        self._notices = notices
        self._clock = clock

    # --- by order

    def decided(self, order: Json) -> Push | Filing:
        """The push of `{ref, decision, …}`; a filing where `review` pushes nothing. Raises Refused 422.

        Further keys of the order are keys of the push's content and replace what the clerk would write. `force` true
        takes a decision in any state.
        """
        ref, decision = str(order["ref"]), str(order["decision"])
        if decision == PUSH:
            return self._own_push(order)
        details = {key: value for key, value in order.items() if key not in ("ref", "decision", "force")}
        force = order.get("force", False) is True
        if (task := self._ledger.tasks.get(ref)) is not None:
            return self._recalled(task, decision, details, force)
        filing = self._ledger.find(ref)
        steps = {Service.APPLY: APPLICATION_STEPS, Service.TRANSFER: TRANSFER_STEPS}.get(
            filing.service if filing is not None else Service.LIST_MEDIATOR
        )
        if filing is None or steps is None:
            raise Refused(422, "ref is no uuid, sqbh, ysbh or rwbh of a matter here")
        if decision == REVIEW and filing.service is Service.APPLY:
            if filing.state is not State.ACCEPTED and not force:
                raise Refused(422, f"review: not in state {filing.state.value}")
            return filing
        step = steps.get(decision)
        if step is None:
            raise Refused(422, f"unknown decision {decision!r}; known: {', '.join(sorted(steps))}")
        if filing.state not in step.before and not force:
            raise Refused(422, f"{decision}: not in state {filing.state.value} (force takes it all the same)")
        return self.told(filing, step, details)

    def told(self, filing: Filing, step: Step, details: Json) -> Push:
        """The push of one step about an application or a transfer. Raises Refused 422 for a wrong detail."""
        now = self._clock.now()
        notice = NOTICES[step.tslx]
        if unknown := sorted(set(details) - notice.keys):
            raise Refused(422, f"{step.tslx} has no {', '.join(unknown)}; it has: {', '.join(sorted(notice.keys))}")
        content = self._default_content(filing, step.tslx, now)
        for key, value in details.items():
            content[key] = self._detail(key, value, self._court(filing), now)
        body = {"fydm": filing.fydm}
        if step.tslx not in UUID_ALONE:
            body["tjbh"] = filing.tjbh
            number = "sqbh" if filing.service is Service.APPLY else "ysbh"
            content = {number: getattr(filing, number), **content}
        return self._push(step.tslx, body, {"uuid": filing.uuid, **content}, filing.uuid, filing.tjbh)

    def referred(self, order: Json) -> Push:
        """The push 任务下达 of `{jgdm, wplx, …}`; further keys replace the made-up ones. Raises Refused 422."""
        if unknown := sorted(set(order) - REFER_KEYS):
            raise Refused(422, f"unknown key {', '.join(unknown)}; known: {', '.join(sorted(REFER_KEYS))}")
        for key, value in order.items():
            kind = list if key in TASK_LISTS else str
            if not isinstance(value, kind):
                raise Refused(422, f"{key} must be a {'list' if kind is list else 'text'}")
        if not order.get("jgdm"):
            raise Refused(422, "jgdm is needed, the organisation that gets the task")
        if order.get("wplx") not in TASK_KINDS:
            raise Refused(422, "wplx is needed: 1 委派 or 2 委托")
        now = self._clock.now()
        fydm = order.get("fydm") or next(iter(self._settings.court_codes.values()))
        number = len(self._ledger.tasks) + 1
        head = "WP" if order["wplx"] == DELEGATED else "WT"
        rwbh = order.get("rwbh") or f"{head}{now:%Y%m%d}{number:06d}"
        if rwbh in self._ledger.tasks:
            raise Refused(422, "rwbh is given already")
        qrqx, tjqx = due_times(self._settings, now, order["wplx"])
        content: Json = {
            "rwbh": rwbh,
            "wplx": order["wplx"],
            "ah": f"（{now:%Y}）{fydm}诉前调{number}号",
            "jgdm": order["jgdm"],
            "qrqx": write_time(qrqx),
            "tjqx": write_time(tjqx),
            **case_of(rwbh, fydm, number, now),
            **{key: value for key, value in order.items() if key not in ("fydm", "wslist")},
        }
        for key in ("qrqx", "tjqx"):
            if read_time(content[key]) is None:
                raise Refused(422, f"{key} must be yyyyMMdd HH:mm")
        if "wslist" in order:
            content["wslist"] = self._detail("wslist", order["wslist"], f"{fydm}法院", now)
        return self._push("rwxd", {"fydm": fydm}, content, rwbh, "")

    # --- by itself

    def waiting(self, filing: Filing) -> str:
        """The state in which the matter waits for the clerk, empty when it waits for nobody or for the other side."""
        if filing.service is Service.APPLY and filing.state in APPLICATION_STEPS["confirm"].before:
            if filing.withdrawing:
                return f"withdrawing.{filing.state.value}"
            if not filing.told:
                return "new"
            return "" if filing.state is State.CORRECTION else f"{filing.state.value}.{filing.corrections}"
        if filing.service is Service.TRANSFER and filing.state in TRANSFER_STEPS["file"].before:
            return f"{filing.state.value}.{filing.corrections}"
        return ""

    def chosen(self, filing: Filing, random: Random, choose: Choose) -> Push | None:
        """What the clerk does next of its own accord, by the weights of `choose`."""
        waiting = self.waiting(filing)
        if filing.service is Service.TRANSFER:
            options = {"file": 80.0, "refuse": 10.0}
            if not filing.corrections:
                options["correct"] = 10.0
            return self.told(filing, TRANSFER_STEPS[choose(random, options)], {})
        if waiting == "new":
            decision = "receive"
        elif waiting.startswith("withdrawing"):
            decision = "withdraw"
        elif waiting == "":
            return None
        elif filing.accepted:
            decision = choose(random, {"confirm": 85.0, "reject": 10.0, "deem_withdraw": 5.0})
        else:
            options = {"accept": 80.0, "not_accept": 5.0}
            if not filing.corrections:
                options["correct"] = 15.0
            decision = choose(random, options)
        return self.told(filing, APPLICATION_STEPS[decision], {})

    # --- parts

    def _own_push(self, order: Json) -> Push:
        body = order.get("body")
        if isinstance(body, str):
            tsbh = self._notices.number(self._clock.now())
            return Push(id=tsbh, op=RAW, content={RAW: body}, ref=str(order["ref"]))
        tslx, content = order.get("tslx"), order.get("content", {})
        if not isinstance(tslx, str) or not isinstance(content, dict):
            raise Refused(422, "push needs tslx and content, or body")
        head: Json = {key: order[key] for key in ("fydm", "tjbh") if key in order}
        head.setdefault("fydm", next(iter(self._settings.court_codes.values())))
        return self._push(tslx, head, content, str(order["ref"]), str(head.get("tjbh", "")))

    def _recalled(self, task: Task, decision: str, details: Json, force: bool) -> Push:
        if decision != RECALL:
            raise Refused(422, f"unknown decision {decision!r} of a task; known: {RECALL}")
        if task.state not in (TaskState.OPEN, TaskState.ACCEPTED) and not force:
            raise Refused(422, f"recall: the task is {task.state.value} (force takes it all the same)")
        if set(details) - {"yy"} or not isinstance(details.get("yy", ""), str):
            raise Refused(422, "rwcx has one more key: yy, a text")
        yy = details.get("yy", "当事人已另行起诉")
        return self._push("rwcx", {"fydm": task.fydm}, {"rwbh": task.rwbh, **({"yy": yy} if yy else {})}, task.rwbh, "")

    def _push(self, tslx: str, head: Json, content: Json, ref: str, business_key: str) -> Push:
        now = self._clock.now()
        tsbh = self._notices.number(now)
        body = {"tsbh": tsbh, "tslx": tslx, "tssj": write_time(now), **head, "content": content}
        return Push(id=tsbh, op=tslx, content=body, ref=ref, business_key=business_key)

    def _default_content(self, filing: Filing, tslx: str, now: datetime) -> Json:
        keys = NOTICES[tslx].keys
        content: Json = {}
        if "ah" in keys:
            content["ah"] = filing.ah or self._case_number(filing, now)
        if "larq" in keys:
            content["larq"] = write_date(now)
        if "cbr" in keys:
            content["cbr"] = "承办法官甲"
        if "cdrq" in keys:
            content["cdrq"] = write_date(now)
        if "yy" in keys:
            content["yy"] = "不符合受理条件" if tslx in ("sqbysl", "ssbl") else "协议内容不符合确认条件"
        if "bznr" in keys:
            content["bznr"] = ["补充双方当事人身份证明", "补充送达地址确认书"]
            content["bzqx"] = write_date(now + timedelta(days=_CORRECTION_DAYS))
        if "yyr" in keys:
            content["yyr"] = "利害关系人甲"
            content["yyrq"] = write_date(now)
        if "wslist" in keys:
            content["wslist"] = [self._writs.issue(WRIT_TITLES[tslx], self._court(filing), now)]
        return content

    def _case_number(self, filing: Filing, now: datetime) -> str:
        kind = "诉前调确" if filing.service is Service.APPLY else "民初"
        return f"（{now:%Y}）{filing.fydm}{kind}{self._ledger.next_case}号"

    def _court(self, filing: Filing) -> str:
        return filing.court or f"{filing.fydm}法院"

    def _detail(self, key: str, value: object, court: str, now: datetime) -> str | list[Any]:
        if key in _LISTS:
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise Refused(422, f"{key} must be a list of texts" + (" (titles)" if key == "wslist" else ""))
            return [self._writs.issue(title, court, now) for title in value] if key == "wslist" else list(value)
        if not isinstance(value, str):
            raise Refused(422, f"{key} must be a text")
        if key in _DATES and read_date(value) is None:
            raise Refused(422, f"{key} must be yyyyMMdd")
        return value

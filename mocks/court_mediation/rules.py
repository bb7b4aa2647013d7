"""What the platform checks beyond forms (court_mediation §8.2, §8.3): courts, files, deadlines, states, tasks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mocks.court_mediation import codes
from mocks.court_mediation.check import Findings, check, objects_of, text_of
from mocks.court_mediation.codes import Service, State
from mocks.court_mediation.forms import FORMS, NEEDED_CLASSES
from mocks.court_mediation.ledger import Filing, Ledger, Task, TaskState
from mocks.court_mediation.moments import read_time
from mocks.court_mediation.parties import check_mediator, check_parties
from mocks.court_mediation.reading import Denied, Document, Finding
from mocks.court_mediation.settings import Settings


@dataclass(slots=True)
class Upload:
    """One uploaded file: an id that no write names within its life is deleted."""

    at: datetime
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """The checks of a writing service, in the order form, court, files, matter."""

    settings: Settings
    ledger: Ledger
    uploads: Mapping[str, Upload] = field(default_factory=dict)

    def admit(self, service: Service, document: Document, now: datetime) -> None:
        """Raises Denied for the first thing that keeps `document` out."""
        self._form(service, document)
        if text_of(document, "fydm") not in self.settings.court_codes.values():
            raise Denied("403", "无该法院权限")
        self._files(document, now)
        match service:
            case Service.APPLY:
                self._apply(document)
            case Service.SUPPLEMENT:
                if self._application(document).state is not State.CORRECTION:
                    raise Denied("1007", "当前状态不允许补正")
            case Service.WITHDRAW:
                if self._application(document).state not in codes.BEFORE_RULING:
                    raise Denied("1007", "当前状态不允许撤回")
            case Service.ANSWER_TASK:
                self._answer(document, now)
            case Service.FINISH_TASK:
                self._finish(document)
            case Service.REPORT_PERFORMANCE:
                self._agreement(document)
            case Service.FILE_AGREEMENT | Service.TRANSFER | Service.LIST_MEDIATOR:
                pass
        if service in (Service.FILE_AGREEMENT, Service.APPLY, Service.TRANSFER) and text_of(document, "rwbh"):
            self._known_task(document)

    def linked_files(self, document: Document) -> list[str]:
        """The file ids a document names."""
        return [text_of(item, "fileId") for _, item in objects_of(document, "docList")]

    def _form(self, service: Service, document: Document) -> None:
        findings = Findings()
        check(document, FORMS[service], findings)
        check_parties(document, findings)
        if service is Service.LIST_MEDIATOR:
            check_mediator(document, findings)
        if service is Service.APPLY:
            for key in ("applicantPartyList", "respondentPartyList"):
                if not any(objects_of(document, key)):
                    findings.add(key, "申请人、被申请人各至少一人")
        if service is Service.ANSWER_TASK and text_of(document, "jieguo") == "0" and text_of(document, "yy") == "":
            findings.add("yy", "退回应写明理由")
        present = {text_of(item, "fjlx") for _, item in objects_of(document, "docList")}
        for missing in sorted(NEEDED_CLASSES.get(service, frozenset()) - present):
            findings.add("docList", f"缺少附件类型 {missing}")
        findings.settle()

    def _files(self, document: Document, now: datetime) -> None:
        life = timedelta(seconds=self.settings.file_life_s)
        for file_id in self.linked_files(document):
            upload = self.uploads.get(file_id)
            if upload is None or not (upload.linked or now - upload.at < life):
                raise Denied("1002", "附件不存在或已过期")

    def _apply(self, document: Document) -> None:
        applied, effective = read_time(text_of(document, "sqsj")), read_time(text_of(document, "sxsj"))
        if applied is not None and effective is not None and text_of(document, "yqyy") == "":
            days = self.settings.application_days + self.settings.roll_days
            if (applied.date() - effective.date()).days > days:
                raise Denied("1003", "超过三十日未说明理由")
        # A repeat under the same sqbh is no *other* application: it files twice (§8.4).
        sqbh = text_of(document, "sqbh")
        for other in self.ledger.applications(text_of(document, "jgdm"), text_of(document, "xybh")):
            if other.sqbh != sqbh and other.state in codes.BARRING:
                raise Denied("1004", "该协议已有申请")

    def _application(self, document: Document) -> Filing:
        filing = self.ledger.filings.get(text_of(document, "uuid"))
        if filing is None or filing.service is not Service.APPLY or filing.sqbh != text_of(document, "sqbh"):
            raise Denied("400", "申请不存在<br>详见 errors", [Finding("uuid", "申请不存在")])
        if filing.fydm != text_of(document, "fydm"):
            raise Denied("1005", "非本院案件")
        return filing

    def _known_task(self, document: Document) -> Task:
        task = self.ledger.tasks.get(text_of(document, "rwbh"))
        if task is None or task.jgdm != text_of(document, "jgdm"):
            raise Denied("1008", "任务不存在")
        return task

    def _task(self, document: Document) -> Task:
        task = self._known_task(document)
        if task.fydm != text_of(document, "fydm"):
            raise Denied("1005", "非本院任务")
        return task

    def _answer(self, document: Document, now: datetime) -> None:
        task = self._task(document)
        if task.state is not TaskState.OPEN:
            raise Denied("1008", "任务已处理或已撤回")
        if now >= task.qrqx:
            raise Denied("1008", "任务已逾期")

    def _finish(self, document: Document) -> None:
        task = self._task(document)
        if task.state is TaskState.OPEN:
            raise Denied("1007", "任务尚未接受")
        if task.state is not TaskState.ACCEPTED:
            raise Denied("1008", "任务已办结或已撤回")
        if text_of(document, "xybh"):
            self._agreement(document)

    def _agreement(self, document: Document) -> None:
        if not self.ledger.is_filed(text_of(document, "jgdm"), text_of(document, "xybh")):
            raise Denied("1006", "协议未备案")

"""The documents of one case, each a pure function of seed, case number and the day the demonstration began.

The same run and its continuation after a crash make the same bytes, so the same Idempotency-Key has the same content. All times
lie in the past and inside the law's terms: accepted eleven days ago, agreement in effect for two, application yesterday.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from random import Random
from typing import Any, Final, TypeVar

from contracts.agreement import Agreement, Performance
from contracts.alert import CollectiveAlert
from contracts.attachment import AttachmentReference
from contracts.case import Case, CaseProgress, FollowUp
from contracts.chinese_calendar import BEIJING
from contracts.confirmation import ConfirmationRequest, ConfirmationSupplement, ConfirmationWithdrawal
from contracts.document import Document
from contracts.lists import Channel, ConfirmationRoute, EndReason, TransferReason, TransferTo
from contracts.mediator import Mediator
from contracts.party import Employer, Person
from contracts.referral import ReferralAnswer, ReferralResult
from contracts.transfer import Transfer
from gateway.demo import cast
from gateway.demo.cast import HOMES, Home
from gateway.demo.numbers import account, mobile
from gateway.demo.parties import Json, employer, person

D = TypeVar("D", bound=Document)


class Plot(StrEnum):
    """How a case goes."""

    REVIEWED = "reviewed"
    """Agreement, confirmation asked for, performance; without confirmation: arbitration."""
    FAILED = "failed"
    """No agreement: arbitration."""
    PERFORMED = "performed"
    """Agreement, performed without a confirmation, visited, closed."""
    PARTLY = "partly"
    """Agreement about a part; the rest goes to arbitration."""
    SENT_ON = "sent_on"
    """No agreement: labour inspection, legal aid, a payment order or the court, one after the other."""
    WITHDRAWN = "withdrawn"
    """The parties settled among themselves; closed."""
    BRIEF = "brief"
    """The parties settled among themselves before the first session: two messages, and the second may not overtake."""


_CYCLE: Final = (
    Plot.REVIEWED,
    Plot.FAILED,
    Plot.REVIEWED,
    Plot.PERFORMED,
    Plot.REVIEWED,
    Plot.PARTLY,
    Plot.SENT_ON,
    Plot.REVIEWED,
    Plot.WITHDRAWN,
    Plot.REVIEWED,
)
"""Even a few cases show every plot; half of them are about what the gateway is for."""

_FULL_EVERY: Final = 11
"""Of a brief script: shares no factor with the other cycles, so that its full cases still show everything."""

_RECEIVED, _ACCEPTED, _MEDIATED, _ENDED, _SIGNED, _SEALED, _APPLIED = 12, 11, 9, 4, 3, 2, 1
"""Days before the demonstration began."""

SENT_ON: Final = (TransferTo.LABOR_INSPECTION, TransferTo.LEGAL_AID, TransferTo.PAYMENT_ORDER, TransferTo.COURT)

_AUTHORITIES: Final = {
    TransferTo.ARBITRATION: "arbitration_commission",
    TransferTo.COURT: "court",
    TransferTo.PAYMENT_ORDER: "court",
    TransferTo.LEGAL_AID: "legal_aid_center",
    TransferTo.LABOR_INSPECTION: "labor_inspection",
}


@dataclass(frozen=True)
class Script:
    """One case. ``began`` is the moment the demonstration began, an aware time in whole seconds. ``brief``: ten of eleven
    cases are ``Plot.BRIEF``, for runs that need many."""

    seed: int
    number: int
    began: datetime
    brief: bool = False
    home: Home = field(init=False)
    plot: Plot = field(init=False)

    def __post_init__(self) -> None:
        turn = self.number - 1
        object.__setattr__(self, "home", HOMES[turn % len(HOMES)])
        start = Random(f"{self.seed}:plots").randrange(len(_CYCLE))
        full = not self.brief or self.number % _FULL_EVERY == 0
        object.__setattr__(self, "plot", _CYCLE[(turn + start) % len(_CYCLE)] if full else Plot.BRIEF)

    # ---- what is drawn

    def chance(self, part: str) -> Random:
        """The dice of one part of the case: no part depends on how often another one threw."""
        return Random(f"{self.seed}:{self.number}:{part}")

    @property
    def collective(self) -> bool:
        """Whether it is a collective dispute (集体争议)."""
        return self.plot is not Plot.BRIEF and self.number % 5 == 2

    @property
    def accepted_later(self) -> bool:
        """Whether the organisation reports the acceptance (受理) as a step of its own."""
        return self.plot is not Plot.BRIEF and self.number % 4 == 1

    @property
    def handed_over(self) -> bool:
        """Whether a platform hands the case over (委派委托) rather than the parties come by themselves."""
        return self.plot is not Plot.BRIEF and self.number % 9 == 4

    @property
    def corrected(self) -> bool:
        """Whether the organisation finds a slip in what it reported and sends the case anew (更正)."""
        return self.plot is not Plot.BRIEF and self.number % 7 == 5

    @property
    def sent_on(self) -> TransferTo:
        """Where a case without an agreement goes that does not go to arbitration."""
        return SENT_ON[self.number // len(_CYCLE) % len(SENT_ON)]

    @property
    def withdraws(self) -> bool:
        """Whether the parties take their application back rather than correct it (补正)."""
        return self.chance("withdraws").random() < 0.35

    def at(self, days: int, hour: int, minute: int = 0) -> str:
        """A time of a day before the demonstration began, in Beijing."""
        day = self.began.astimezone(BEIJING).date() - timedelta(days=days)
        return datetime.combine(day, time(hour, minute), BEIJING).isoformat()

    def day(self, days: int) -> str:
        """A day after the demonstration began."""
        return (self.today + timedelta(days=days)).isoformat()

    @property
    def today(self) -> date:
        """The day the demonstration began, in Beijing."""
        return self.began.astimezone(BEIJING).date()

    @property
    def agreed_amount(self) -> Decimal:
        """What the parties settled on."""
        part = Decimal(self.chance("settlement").randrange(55, 96)) / 100
        return (self.case.amount * part).quantize(Decimal("0.01"))

    # ---- documents

    @cached_property
    def case(self) -> Case:
        """The case (案件)."""
        random, home = self.chance("case"), self.home
        amount = Decimal(random.randrange(3_000, 90_000)) + Decimal(random.randrange(0, 100)) / 100
        months, workers = random.randrange(2, 7), random.randrange(12, 60)
        ground = cast.SITE if self.collective else random.choice(cast.GROUNDS)
        if self.collective:
            amount = (amount * workers).quantize(Decimal("0.01"))
        applicants = [person(random, home, self.today) for _ in range(2 if self.collective else 1)]
        respondents = [employer(random, home)]
        if self.collective:
            respondents = [employer(random, home, trade) for trade in (cast.DISPATCHERS, cast.BUILDERS)]
        told = {"amount": f"{amount:.2f}", "months": months, "workers": workers, "job": applicants[0]["occupation"]}
        claims = [{"kind": str(ground.claim_kind), "text": ground.claim.format(**told), "amount": f"{amount:.2f}"}]
        if random.random() < 0.3:
            claims.append({"kind": "overtime", "text": "支付休息日和法定休假日加班工资"})
        made: Json = {
            "source_case_no": f"{home.region_code}-DEMO{self.seed}-{self.today.year}-{self.number:05d}",
            "organization": {
                "code": home.code,
                "name": home.name,
                "type": str(home.type),
                "region_code": home.region_code,
            },
            "channel": random.choice(("window", "phone", "web", "app", "mini_program", "official_account")),
            "application_form": random.choice(("written", "written", "oral")),
            "received_at": self.at(_RECEIVED, 9, random.randrange(60)),
            "cause": {"table": str(ground.table), "path": list(ground.path)},
            "facts": ground.facts.format(**told),
            "claims": claims,
            "amount": f"{amount:.2f}",
            "parties": [*applicants, *respondents],
            "mediators": [{"certificate_no": no, "name": name} for no, name in home.mediators],
            "consents": [{"party": 0, "scope": "cross_platform_sharing", "at": self.at(_RECEIVED, 9)}],
        }
        if not self.accepted_later:
            made["accepted_at"] = self.at(_ACCEPTED, 10, random.randrange(60))
        if self.collective:
            made["collective"] = {
                "worker_count": workers,
                "representatives": [party["name"] for party in applicants],
                "major": workers >= 30,
            }
        return _read(Case, made)

    def handed(self, referral: str) -> Case:
        """The case that came of a referral (委派委托)."""
        return self.case.model_copy(update={"referral": referral, "channel": Channel.REFERRAL})

    @staticmethod
    def revised(case: Case) -> Case:
        """The case with its slip mended (更正), complete."""
        return case.model_copy(update={"facts": f"{case.facts}（更正：工资台账已核对。）"})

    @property
    def answer(self) -> ReferralAnswer:
        """The organisation takes what was handed over (接受委派)."""
        return _read(ReferralAnswer, {"answer": "accept", "at": self.began.isoformat()})

    def result(self, outcome: str, agreement: str | None = None) -> ReferralResult:
        """What became of it, for the platform that handed it over (反馈结果)."""
        reasons = {"failed": self.failed.reason_code, "withdrawn": EndReason.SELF_SETTLED_WITHDRAWN}
        made = {
            "outcome": outcome,
            "at": self.began.isoformat(),
            "reason_code": str(reasons.get(outcome) or EndReason.AGREEMENT_REACHED),
            "report": f"{self.home.name}已组织调解，结果见所附材料。",
        }
        return _read(ReferralResult, made if agreement is None else made | {"agreement": agreement})

    @property
    def accepted(self) -> CaseProgress:
        """Accepted (受理)."""
        return _read(CaseProgress, {"status": "accepted", "at": self.at(_ACCEPTED, 10, 30)})

    @property
    def mediating(self) -> CaseProgress:
        """The first session (首次调解)."""
        return _read(
            CaseProgress, {"status": "mediating", "at": self.at(_MEDIATED, 9), "session": self._session(_MEDIATED)}
        )

    @property
    def failed(self) -> CaseProgress:
        """No agreement (调解不成)."""
        made = {
            "status": "failed",
            "at": self.at(_ENDED, 17),
            "reason_code": self.chance("end").choice(
                ("large_divergence", "unwilling", "unreachable", "refused_to_sign")
            ),
            "note": "双方就给付金额和期限分歧较大，申请人要求终止调解",
            "session": self._session(_ENDED),
        }
        return _read(CaseProgress, made)

    @property
    def withdrawn(self) -> CaseProgress:
        """Settled among themselves (自行和解撤回)."""
        return _read(
            CaseProgress,
            {"status": "withdrawn", "at": self.at(_ENDED, 11), "reason_code": "self_settled_withdrawn"},
        )

    @property
    def closed(self) -> CaseProgress:
        """Closed (结案)."""
        return _read(CaseProgress, {"status": "closed", "at": self.at(_APPLIED, 17)})

    @property
    def alert(self) -> CollectiveAlert:
        """The report of a grave collective dispute (重大集体争议报告)."""
        case = self.case
        workers = case.collective.worker_count if case.collective is not None else 1
        made = {
            "level": "major" if workers >= 30 else "serious",
            "worker_count": workers,
            "amount": f"{case.amount:.2f}",
            "situation": f"{workers}名工人到街道办事处反映欠薪，情绪稳定，未影响通行。",
            "measures": "已会同劳动监察、工会到场，组织三方联合调处，安排专人联系企业核对账目。",
            "contact": {"name": self.home.mediators[0][1], "phone": f"{self.home.area_code}-8000002"},
            "at": self.at(_RECEIVED, 11, 20),
        }
        return _read(CollectiveAlert, made)

    def agreement(self, document: str) -> Agreement:
        """The mediation agreement (调解协议书); ``document`` is the attachment id of its text."""
        random, case = self.chance("agreement"), self.case
        amount = self.agreed_amount
        payee, payers = case.parties[0], [party for party in case.parties if isinstance(party, Employer)]
        term: Json = {
            "no": 1,
            "kind": "payment",
            "text": f"被申请人{payers[0].name}向申请人支付{amount:.2f}元",
            "amount": f"{amount:.2f}",
            "payee": {
                "party": 0,
                "account_name": payee.name,
                "bank": f"{random.choice(cast.BANKS)}{self.home.county}支行",
                "account_no": account(random),
            },
        }
        if random.random() < 0.3:
            half = (amount / 2).quantize(Decimal("0.01"))
            term["installments"] = [
                {"amount": f"{half:.2f}", "due_date": self.day(15)},
                {"amount": f"{amount - half:.2f}", "due_date": self.day(45)},
            ]
        else:
            term["due_date"] = self.day(random.randrange(10, 40))
        signatures = [
            {
                "signer": "party",
                "party": index,
                "name": party.name,
                "method": "handwritten" if isinstance(party, Person) else "seal",
                "signed_at": self.at(_SIGNED, 15, index),
            }
            for index, party in enumerate(case.parties)
        ]
        mediator = self.home.mediators[0][1]
        signatures.append(
            {"signer": "mediator", "name": mediator, "method": "handwritten", "signed_at": self.at(_SIGNED, 15, 30)}
        )
        made: Json = {
            "agreement_no": self.agreement_no,
            "facts": f"双方确认就{case.claims[0].text}的争议自愿达成一致。",
            "effect_rule": "labor_law",
            "settled_claims": "partial" if self.plot is Plot.PARTLY else "all",
            "terms": [term, {"no": 2, "kind": "waiver", "text": "申请人自愿放弃本次争议中其余已协商的请求"}],
            "signatures": signatures,
            "organization_seal": {"seal_id": f"{self.home.region_code}0001234", "sealed_at": self.at(_SEALED, 9)},
            "copies": len(case.parties) + 1,
            "document": document,
            "performance_notice_sent_at": self.at(_SEALED, 9, 30),
        }
        return _read(Agreement, made)

    @property
    def agreement_no(self) -> str:
        """Its number (协议编号)."""
        return f"{self.home.county.removesuffix('区')}劳人调〔{self.today.year}〕{self.seed}-{self.number}号"

    def request(self, route: ConfirmationRoute) -> ConfirmationRequest:
        """Both sides ask for the confirmation (确认申请)."""
        home, case = self.home, self.case
        review = route is ConfirmationRoute.ARBITRATION_REVIEW
        made = {
            "route": str(route),
            "authority": {
                "kind": "arbitration_commission" if review else "court",
                "code": home.region_code if review else home.court_code,
                "name": home.commission if review else home.court,
            },
            "applicants": list(range(len(case.parties))),
            "applied_at": self.at(_APPLIED, 10, 30),
            "service_addresses": [
                {
                    "party": index,
                    "region_code": party.address.region_code,
                    "detail": party.address.detail,
                    "phone": party.phone if isinstance(party, Person) else party.contact.phone,
                    "electronic_consent": True,
                }
                for index, party in enumerate(case.parties)
            ],
        }
        return _read(ConfirmationRequest, made)

    def supplement(self, papers: Sequence[AttachmentReference]) -> ConfirmationSupplement:
        """What the authority asked for (补正)."""
        made = {
            "at": self.began.isoformat(),
            "note": "按通知补充当事人身份证明",
            "attachments": [paper.model_dump(mode="json") for paper in papers],
        }
        return _read(ConfirmationSupplement, made)

    @property
    def withdrawal(self) -> ConfirmationWithdrawal:
        """The application is taken back (撤回申请)."""
        return _read(
            ConfirmationWithdrawal, {"at": self.began.isoformat(), "reason": "被申请人已即时履行，双方不再申请确认"}
        )

    @property
    def performances(self) -> tuple[Performance, ...]:
        """How the payment was made (履行情况), step by step."""
        full = f"{self.agreed_amount:.2f}"
        half = f"{(self.agreed_amount / 2).quantize(Decimal('0.01')):.2f}"
        draw = self.chance("performance").random()
        steps: list[tuple[str, str, str]] = [("performed", self.at(_APPLIED, 16), full)]
        if draw < 0.25:
            steps.insert(0, ("partly_performed", self.at(_APPLIED, 14), half))
        elif draw < 0.35:
            steps = [("breached", self.at(_APPLIED, 16), "0.00")]
        return tuple(
            _read(Performance, {"term_no": 1, "status": status, "at": at, "amount": amount})
            for status, at, amount in steps
        )

    def transfer(self, to: TransferTo, reason: TransferReason) -> Transfer:
        """The case goes on elsewhere (移送)."""
        home, to_court = self.home, to in (TransferTo.COURT, TransferTo.PAYMENT_ORDER)
        names = {
            TransferTo.ARBITRATION: home.commission,
            TransferTo.LABOR_INSPECTION: f"{home.city}{home.county}劳动保障监察大队",
            TransferTo.LEGAL_AID: f"{home.city}{home.county}法律援助中心",
        }
        made = {
            "to": str(to),
            "authority": {
                "kind": _AUTHORITIES[to],
                "code": home.court_code if to_court else home.region_code,
                "name": names.get(to, home.court),
            },
            "reason_code": str(reason),
        }
        return _read(Transfer, made)

    @property
    def visit(self) -> FollowUp:
        """A visit after the mediation (回访)."""
        made = {
            "party": 0,
            "agreement_no": self.agreement_no,
            "reason": "协议履行情况回访",
            "at": self.at(_APPLIED, 16, 40),
            "situation": "申请人表示款项已收到，对调解工作满意。",
            "visitor": self.home.mediators[-1][1],
        }
        return _read(FollowUp, made)

    @property
    def roster(self) -> tuple[Mediator, ...]:
        """The mediators of the organisation (调解员名册); listed with its first case."""
        random = Random(f"{self.seed}:{self.home.code}")
        return tuple(
            _read(
                Mediator,
                {
                    "certificate_no": number,
                    "certificate_valid_until": self.day(400),
                    "name": name,
                    "organization_code": self.home.code,
                    "employment": "full_time",
                    "phone": mobile(random),
                    "active": True,
                },
            )
            for number, name in self.home.mediators
        )

    @property
    def agreement_lines(self) -> list[str]:
        """The text of the agreement's paper."""
        case = self.case
        return [
            *(f"{'申请人' if party.role == 'applicant' else '被申请人'}：{party.name}" for party in case.parties),
            f"调解组织：{self.home.name}",
            f"协议编号：{self.agreement_no}",
            f"案由：{case.cause.path[-1]}",
            f"被申请人向申请人支付{self.agreed_amount:.2f}元。",
            "（演示数据，非真实案件）",
        ]

    def _session(self, days: int) -> Json:
        place = f"第{'一二三'[self.number % 3]}调解室"
        return {"from": self.at(days, 9), "to": self.at(days, 10, 40), "place": place, "method": "on_site"}


def _read(kind: type[D], made: dict[str, Any]) -> D:
    """The document, judged by its own model like every other."""
    return kind.model_validate_json(json.dumps({"schema_version": "1.0", **made}, ensure_ascii=False))

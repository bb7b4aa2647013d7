"""(c) A case through four platforms: what each translation costs, what a signature costs, and what all of it costs together."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from adapters.court_mediation.translate import translate as to_court
from adapters.hr_arbitration.translate import translate as to_arbitration
from adapters.one_stop.translate import translate as to_one_stop
from adapters.union.translate import translate as to_union
from contracts.gm import Sm2Private, Sm2Public, sign
from contracts.messages import MessageType as M
from tests.adapters.court_mediation import documents as court
from tests.adapters.court_mediation.platform import settings as court_settings
from tests.adapters.hr_arbitration import documents as arbitration
from tests.adapters.one_stop import documents as one_stop
from tests.adapters.union import documents as union
from tests.bench.accounts import own_cpu
from tests.bench.figures import Result, Sample
from tests.bench.ground import Ground

_TRANSLATION_MOST_US = 2000.0
_PRIVATE = "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8"
_PUBLIC = (
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
"""GB/T 32918.5, annex A."""


def _translations() -> dict[str, Callable[[], object]]:
    """A case and an agreement into each dialect. The engine's context is at hand: its making is the engine's cost."""
    arbitration_case = arbitration.message(M.CASE_SUBMITTED, arbitration.CASE_WITH_PAPERS)
    arbitration_context = arbitration.context(case=arbitration.CASE_WITH_PAPERS)
    court_agreement, court_context, court_told = (
        court.message(M.AGREEMENT_CONCLUDED, court.AGREEMENT),
        court.context(),
        court_settings(),
    )
    case = one_stop.case()
    one_stop_case, one_stop_context = one_stop.message(M.CASE_SUBMITTED, case), one_stop.context(case)
    union_case, union_context = union.message(M.CASE_SUBMITTED, union.wages()), union.context(case=union.wages())
    return {
        "case → hr_arbitration": lambda: to_arbitration(arbitration_case, arbitration_context),
        "agreement → court_mediation": lambda: to_court(court_agreement, court_context, court_told),
        "case → one_stop": lambda: to_one_stop(one_stop_case, one_stop_context),
        "case → union": lambda: to_union(union_case, union_context),
    }


def measure(ground: Ground, scale: float, rounds: int) -> Result:
    """The measurement."""
    result = Result("c", "全链 chain")
    count = max(int(1000 * scale), 50)
    for _ in range(rounds):
        for what, work in _translations().items():
            result.add(_timed(what, work, count))
        _signature(result, max(count // 10, 10))
        _whole(ground, result, max(int(80 * scale), 6))
    for what in _translations():
        result.compare(f"{what}, µs", result.median(what, "cpu_us"), 1.0, _TRANSLATION_MOST_US, at_most=True)
    return result


def _timed(what: str, work: Callable[[], object], count: int) -> Sample:
    work()
    started = time.process_time()
    for _ in range(count):
        work()
    used = (time.process_time() - started) / count
    return Sample(what, 1 / used, used * 1e6)


def _signature(result: Result, count: int) -> None:
    """Off the event loop in the gateway, and not in the translations' figures. The key is the standard's example."""
    public = Sm2Public.from_hex(_PUBLIC)
    private = Sm2Private.from_hex(_PRIVATE, public)
    result.add(_timed("SM2 signature of 2.5 KB", lambda: sign(private, b"1234567812345678", b"x" * 2500), count))


def _whole(ground: Ground, result: Result, cases: int) -> None:
    """The demo, whole: every message type, four mock platforms, an operator, listeners."""
    out = ground.directory / f"demo{time.monotonic_ns()}.json"
    command = f"{sys.executable} -m gateway demo --once --cases {cases} --seed 7 --json > {out}"
    child = ground.run(["sh", "-c", f"exec {command}"])
    used = 0.0
    while child.alive:
        used = max(used, own_cpu(child.pid))
        time.sleep(0.05)
    told = json.loads(out.read_text("utf-8"))
    seconds = float(told["seconds"])
    result.add(
        Sample(
            "a case, whole",
            cases / seconds,
            used / cases * 1e6,
            {"deliveries": float(sum(sum(states.values()) for states in told["deliveries"].values()))},
        )
    )

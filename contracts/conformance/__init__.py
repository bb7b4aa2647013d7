"""The kit that every adapter must pass: the port's own suite. It needs pytest and is imported by tests alone.

An adapter's tests write one ``Stage`` (the platform, its samples, faults and callbacks) and inherit ``AdapterConformance``.
The kit makes the faults of the way itself (refused, reset, stalled, garbage, 5xx); the stage plays what only the platform's
dialect can say: that it refuses a document, or that key or right are wrong.
"""

from contracts.conformance.leaves import personal
from contracts.conformance.line import GARBAGE, Call, Line
from contracts.conformance.samples import Announced, AnySample, Sample
from contracts.conformance.stage import BUSY_FOR, LOST, VERDICTS, Fault, Script, Stage, Verdict
from contracts.conformance.stand_ins import forbidden_tools, tools
from contracts.conformance.suite import AdapterConformance

__all__ = [
    "BUSY_FOR",
    "GARBAGE",
    "LOST",
    "VERDICTS",
    "AdapterConformance",
    "Announced",
    "AnySample",
    "Call",
    "Fault",
    "Line",
    "Sample",
    "Script",
    "Stage",
    "Verdict",
    "forbidden_tools",
    "personal",
    "tools",
]

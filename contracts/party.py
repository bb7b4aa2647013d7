"""Parties (当事人) and those who act for them, with the rules about their identity numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from contracts.document import Part, latest_today, named, region_findings, rule
from contracts.findings import Code, Finding
from contracts.identifiers import (
    identity_document_holds,
    resident_id_birth_date,
    resident_id_holds,
    resident_id_is_male,
)
from contracts.lists import AgentAuthority, AgentKind, IdType, PartyKind, PartyRole, Sex, UnitSize, UnitType
from contracts.regions import RegionState, look
from contracts.values import LIST_LIMIT, CreditCode, IdentityNumber, Name, PastDay, Phone, RegionCode, ShortText


class Address(Part):
    """An address (地址): region and what stands after it."""

    region_code: Annotated[RegionCode, named("行政区划代码", "Region code")]
    detail: Annotated[ShortText, named("详细地址", "Detail")]


class PartyServiceAddress(Address):
    """Where papers are served on a person (送达地址), and whether electronically."""

    electronic_consent: Annotated[bool, named("同意电子送达", "Consent to electronic service")]


class Agent(Part):
    """Who acts for a party (代理人); 民事诉讼法 arts. 61, 62."""

    kind: Annotated[AgentKind, named("代理人类型", "Kind of agent")]
    name: Annotated[Name, named("姓名", "Name")]
    id_type: Annotated[IdType | None, named("证件类型", "Kind of identity document")] = None
    id_number: Annotated[IdentityNumber | None, named("证件号码", "Number of identity document")] = None
    phone: Annotated[Phone | None, named("电话", "Phone")] = None
    authority: Annotated[AgentAuthority, named("代理权限", "Power of the agent")]


class LegalRepresentative(Part):
    """Who stands for a unit by law (法定代表人, 主要负责人)."""

    name: Annotated[Name, named("姓名", "Name")]
    position: Annotated[ShortText, named("职务", "Position")]


class Contact(Part):
    """Whom to call (联系人)."""

    name: Annotated[Name, named("姓名", "Name")]
    phone: Annotated[Phone, named("电话", "Phone")]


class PartyBase(Part):
    """What every party has."""

    role: Annotated[PartyRole, named("当事人地位", "Standing")]
    name: Annotated[Name, named("姓名或者名称", "Name")]


class Person(PartyBase):
    """A natural person (自然人)."""

    kind: Annotated[Literal["person"], named("当事人类型", "Kind of party", [PartyKind.PERSON])]
    id_type: Annotated[IdType, named("证件类型", "Kind of identity document")]
    id_number: Annotated[IdentityNumber, named("证件号码", "Number of identity document")]
    sex: Annotated[Sex, named("性别", "Sex")]
    birth_date: Annotated[PastDay, named("出生日期", "Birth date")]
    ethnic_group: Annotated[ShortText | None, named("民族", "Ethnic group")] = None
    phone: Annotated[Phone, named("电话", "Phone")]
    occupation: Annotated[ShortText | None, named("职业", "Occupation")] = None
    address: Annotated[Address, named("住址", "Address")]
    service_address: Annotated[PartyServiceAddress, named("送达地址", "Service address")]
    agents: Annotated[tuple[Agent, ...], named("代理人", "Agents", max_length=LIST_LIMIT)] = ()


class Employer(PartyBase):
    """A unit: the employer (用人单位) or another organisation (其他组织)."""

    kind: Annotated[
        Literal["employer", "other_organization"],
        named("当事人类型", "Kind of party", [PartyKind.EMPLOYER, PartyKind.OTHER_ORGANIZATION]),
    ]
    credit_code: Annotated[CreditCode, named("统一社会信用代码", "Unified social credit code")]
    unit_type: Annotated[UnitType, named("单位类型", "Type of unit")]
    industry: Annotated[ShortText | None, named("行业（GB/T 4754）", "Industry (GB/T 4754)")] = None
    size: Annotated[UnitSize | None, named("企业规模", "Size")] = None
    legal_representative: Annotated[LegalRepresentative, named("法定代表人", "Legal representative")]
    contact: Annotated[Contact, named("联系人", "Contact")]
    address: Annotated[Address, named("地址", "Address")]
    agents: Annotated[tuple[Agent, ...], named("代理人", "Agents", max_length=LIST_LIMIT)] = ()


Party = Person | Employer
"""A party of a case; ``kind`` tells which."""

AnyParty = Annotated[Party, Field(discriminator="kind")]


# --------------------------------------------------------------------------------------------------------------- rules


def identity_findings(id_type: IdType | None, number: str | None, at: str, now: datetime) -> Iterator[Finding]:
    """What is wrong with a number for its kind of document. Nothing to say while either is absent.

    Args:
        number: normalised, as the models hold it.
        at: pointer of the part that has ``id_type`` and ``id_number``.
        now: an aware time; the date inside a resident id number lies before its day in Beijing.
    """
    if id_type is None or number is None:
        return
    place = f"{at}/id_number"
    if id_type is not IdType.RESIDENT_ID:
        if not identity_document_holds(id_type, number):
            yield Finding.of(place, Code.ID_FORMAT)
        return
    if not resident_id_holds(number):
        yield Finding.of(place, Code.RESIDENT_ID_CHECKSUM)
    if len(number) != 18 or not number[:17].isascii() or not number[:17].isdigit():
        return
    birth = resident_id_birth_date(number)
    if birth is None or birth > latest_today(now):
        yield Finding.of(place, Code.RESIDENT_ID_DATE)
    if look(number[:6]).state is RegionState.UNKNOWN:
        yield from region_findings(number[:6], place)


def mismatch_findings(
    id_type: IdType | None, number: str | None, sex: Sex | None, birth_date: date | None, at: str
) -> Iterator[Finding]:
    """Warnings where sex or birth date differ from a sound resident id number (or residence permit of its form)."""
    if id_type not in (IdType.RESIDENT_ID, IdType.HK_MACAO_TAIWAN_RESIDENCE_PERMIT):
        return
    if number is None or not resident_id_holds(number):
        return
    if sex in (Sex.MALE, Sex.FEMALE) and (sex is Sex.MALE) != resident_id_is_male(number):
        yield Finding.of(f"{at}/sex", Code.IDENTITY_NUMBER_MISMATCH)
    inside = resident_id_birth_date(number)
    if birth_date is not None and inside is not None and birth_date != inside:
        yield Finding.of(f"{at}/birth_date", Code.IDENTITY_NUMBER_MISMATCH)


@rule(Agent)
def _identity_of_agent(agent: Agent, at: str, now: datetime) -> Iterator[Finding]:
    yield from identity_findings(agent.id_type, agent.id_number, at, now)


@rule(Person)
def _identity_of_person(person: Person, at: str, now: datetime) -> Iterator[Finding]:
    yield from identity_findings(person.id_type, person.id_number, at, now)


@rule(Person)
def _sex_against_number(person: Person, at: str, now: datetime) -> Iterator[Finding]:
    yield from mismatch_findings(person.id_type, person.id_number, person.sex, None, at)


@rule(Person)
def _birth_date_against_number(person: Person, at: str, now: datetime) -> Iterator[Finding]:
    yield from mismatch_findings(person.id_type, person.id_number, None, person.birth_date, at)

"""The mediator in the roster (调解员名册)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from contracts.document import Document, named, rule
from contracts.findings import Finding
from contracts.lists import Employment, IdType, Sex
from contracts.party import identity_findings, mismatch_findings
from contracts.values import LIST_LIMIT, CertificateNo, Day, IdentityNumber, Name, OrganizationCode, Phone, ShortText


class Mediator(Document):
    """A mediator with a certificate (调解员)."""

    certificate_no: Annotated[CertificateNo, named("调解员证编号", "Certificate number")]
    certificate_valid_until: Annotated[Day, named("证书有效期至", "Certificate valid until")]
    name: Annotated[Name, named("姓名", "Name")]
    organization_code: Annotated[OrganizationCode, named("调解组织代码", "Code of the organisation")]
    employment: Annotated[Employment, named("专职或者兼职", "Employment")]
    sex: Annotated[Sex | None, named("性别", "Sex")] = None
    phone: Annotated[Phone | None, named("电话", "Phone")] = None
    id_type: Annotated[IdType | None, named("证件类型", "Kind of identity document")] = None
    id_number: Annotated[IdentityNumber | None, named("证件号码", "Number of identity document")] = None
    specialities: Annotated[tuple[ShortText, ...], named("专长", "Specialities", max_length=LIST_LIMIT)] = ()
    active: Annotated[bool, named("在册", "Active")]


@rule(Mediator)
def _identity(mediator: Mediator, at: str, now: datetime) -> Iterator[Finding]:
    yield from identity_findings(mediator.id_type, mediator.id_number, at, now)


@rule(Mediator)
def _sex_against_number(mediator: Mediator, at: str, _: datetime) -> Iterator[Finding]:
    yield from mismatch_findings(mediator.id_type, mediator.id_number, mediator.sex, None, at)

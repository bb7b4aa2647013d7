"""Places of what is sealed: a seal is bound to one (``table.column:id``) and opens nowhere else.

All of them stand here: what was sealed for another spelling never opens again, so none is ever changed."""

from __future__ import annotations


def of_document(message: str) -> str:
    """A message's document."""
    return f"messages.document:{message}"


def of_wire(delivery: str) -> str:
    """What a delivery says in its platform's language."""
    return f"deliveries.wire:{delivery}"


def of_reasons(delivery: str) -> str:
    """Why a platform refused a delivery, in its own words."""
    return f"deliveries.reasons:{delivery}"


def of_steps(delivery: str, number: int) -> str:
    """What went over the wire in one attempt."""
    return f"attempts.steps:{delivery}/{number}"


def of_call(callback: str) -> str:
    """A platform's call as it came in."""
    return f"callbacks.call:{callback}"


def of_task(task: str) -> str:
    """What a task says to whoever takes it up."""
    return f"tasks.detail:{task}"


def of_paper(paper: str) -> str:
    """The link by which a platform's document is fetched."""
    return f"papers.link:{paper}"


def of_changes(correction: str) -> str:
    """The codes that a correction puts instead."""
    return f"corrections.changes:{correction}"


def of_answer(client: str, key: str) -> str:
    """What the repeat of a call under an ``Idempotency-Key`` is answered."""
    return f"idempotency_keys.answer:{client}/{key}"


def of_address(webhook: str) -> str:
    """A webhook's address and its description."""
    return f"webhook_endpoints.address:{webhook}"


def of_keys(webhook: str) -> str:
    """A webhook's keys in force."""
    return f"webhook_endpoints.keys:{webhook}"


def of_old_keys(webhook: str) -> str:
    """A webhook's keys whose overlap runs."""
    return f"webhook_endpoints.old_keys:{webhook}"


def of_memory(endpoint: str, key: str) -> str:
    """One value of an adapter's memory."""
    return f"memory.value:{endpoint}/{key}"


def of_file_name(attachment: str) -> str:
    """The name under which an attachment was uploaded."""
    return f"attachments.name:{attachment}"


def of_file(sha256: str) -> str:
    """An attachment's bytes on the disk, known by their digest."""
    return f"attachment:{sha256}"


def of_second_factor(user: str) -> str:
    """The secret of a user's second factor."""
    return f"users.totp:{user}"

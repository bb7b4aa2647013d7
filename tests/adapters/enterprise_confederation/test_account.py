"""The SFTP account: who is let in, what a cut leaves behind, and what a server may do to us."""

from __future__ import annotations

import asyncio
import errno
import getpass
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from asyncssh.constants import FXP_READDIR
from pydantic import ValidationError

from adapters.enterprise_confederation import account as module
from adapters.enterprise_confederation.account import SftpAccount
from contracts.errors import EndpointError, RetryableError
from tests.adapters.ways import NO_HTTP

from . import documents as d
from .exchange import NOW, Share, row, settings, wire_of
from .sftp import Account, House, at, cut, failing, key_of

FILES = [f"{d.STEM}.csv", f"{d.STEM}.manifest.json", f"{d.STEM}.ok", f"{d.STEM}_001.json"]


# ------------------------------------------------------------------------------------------------------ who is let in


async def test_one_connection_serves_all_and_is_kept(house: House, account: Share) -> None:
    ours = account.adapter()
    await asyncio.gather(*(ours.probe(NO_HTTP) for _ in range(4)))
    await ours.send(wire_of(account.root), NO_HTTP)
    await ours.poll(None, NO_HTTP)
    assert house.logins == ["qltj"]


async def test_a_lost_connection_is_opened_anew(house: House, account: Share) -> None:
    ours = account.adapter()
    await ours.probe(NO_HTTP)
    await house.close()
    with pytest.raises(RetryableError, match="share_gone"):
        await ours.probe(NO_HTTP)
    await house.open()
    await ours.probe(NO_HTTP)
    assert len(house.logins) == 2


async def test_another_host_key_pauses_before_anything_is_said(house: House, account: Share) -> None:
    account.reached = house.settings(pinned=key_of("another host"))
    for verb in ("send", "lookup"):
        with pytest.raises(EndpointError, match="host_key_changed"):
            await getattr(account.adapter(), verb)(wire_of(account.root), NO_HTTP)
    assert house.logins == []
    assert account.names("up") == []


async def test_a_host_key_that_changes_on_the_way(house: House, account: Share) -> None:
    ours = account.adapter()
    await ours.probe(NO_HTTP)
    await house.close()
    house.host_keys = [key_of("another host")]
    await house.open()
    for _ in range(2):
        with pytest.raises(EndpointError, match="host_key_changed"):
            await ours.probe(NO_HTTP)
    assert len(house.logins) == 1


async def test_the_pin_may_be_of_any_key_that_the_server_has(house: House, account: Share) -> None:
    second = key_of("host", "ecdsa-sha2-nistp256")
    await house.close()
    house.host_keys = [key_of("host"), second]
    await house.open()
    account.reached = house.settings(pinned=second)
    await account.adapter().probe(NO_HTTP)


async def test_a_key_that_the_server_does_not_know(house: House, account: Share) -> None:
    house.private_key_file.write_bytes(key_of("stranger").export_private_key())
    with pytest.raises(EndpointError, match="sftp_login_refused"):
        await account.adapter().probe(NO_HTTP)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (Path.unlink, "private_key_unreadable"),
        (lambda path: (path.unlink(), path.mkdir(0o700)), "private_key_unreadable"),
        (lambda path: path.chmod(0o640), "private_key_exposed"),
        (lambda path: path.chmod(0o604), "private_key_exposed"),
        (lambda path: path.write_bytes(b"SECRET"), "private_key_unsound"),
        (
            lambda path: path.write_bytes(key_of("gateway").export_private_key("pkcs8-pem", "word")),
            "private_key_unsound",
        ),
    ],
)
async def test_a_private_key_that_is_none(
    house: House, account: Share, spoil: Callable[[Path], object], code: str
) -> None:
    spoil(house.private_key_file)
    with pytest.raises(EndpointError, match=code) as refusal:
        await account.adapter().probe(NO_HTTP)
    assert "SECRET" not in str(refusal.value)
    assert str(house.private_key_file) not in str(refusal.value)
    assert house.logins == []


async def test_a_process_without_a_name(account: Share, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nameless)
    with pytest.raises(EndpointError, match="account_nameless"):
        await account.adapter().probe(NO_HTTP)


async def test_nothing_of_our_own_ssh_is_read(
    house: House, account: Share, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "home" / ".ssh"
    own.mkdir(parents=True)
    (own / "config").write_text("Host *\n  User mallory\n  ProxyCommand /bin/false\n", "ascii")
    (own / "known_hosts").write_text("not a line", "ascii")
    (own / "id_ed25519").write_text("not a key", "ascii")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    await account.adapter().probe(NO_HTTP)
    assert house.logins == ["qltj"]


async def test_neither_key_nor_name_is_logged(house: House, account: Share, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await account.adapter().send(wire_of(account.root), NO_HTTP)
    secret = house.private_key_file.read_text("ascii").splitlines()[1:-1]
    assert not any(line in caplog.text for line in secret)
    assert "王建国" not in caplog.text


async def test_a_server_that_never_speaks(account: Share) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(RetryableError, match="timeout") as lost:
        await account.adapter(root=f"sftp://u@127.0.0.1:{port}/x", connect_s=0.05).probe(NO_HTTP)
    assert not lost.value.maybe_accepted
    server.close()
    await server.wait_closed()


async def test_a_server_that_is_none(account: Share) -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 100_000)
        writer.close()

    server = await asyncio.start_server(web, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(RetryableError, match="share_gone"):
        await account.adapter(root=f"sftp://u@127.0.0.1:{port}/x").probe(NO_HTTP)
    server.close()
    await server.wait_closed()


async def test_a_server_without_sftp(house: House, account: Share) -> None:
    await house.close()
    house.offers_sftp = False
    await house.open()
    with pytest.raises(EndpointError, match="sftp_unsupported"):
        await account.adapter().probe(NO_HTTP)


# ------------------------------------------------------------------------------------------------------------- writing


async def test_the_order_of_writing(house: House, account: Share) -> None:
    named: list[str] = []

    async def told(account: Account, path: str) -> None:
        named.append(path.rpartition("/")[2])

    house.script["before rename"] = told
    await account.adapter().send(wire_of(account.root), NO_HTTP)
    assert named == [f"{d.STEM}.csv", f"{d.STEM}_001.json", f"{d.STEM}.manifest.json", f"{d.STEM}.ok"]


@pytest.mark.parametrize(
    ("moment", "ending", "doubt", "stands"),
    [
        ("before open", ".csv.part", False, False),
        ("before fsync", "", False, False),
        ("before rename", ".csv", False, False),
        ("after rename", ".csv", False, False),
        ("after rename", ".manifest.json", False, False),
        ("before open", ".ok.part", False, False),
        ("before rename", ".ok", True, False),
        ("after rename", ".ok", True, True),
    ],
)
async def test_a_cut(house: House, account: Share, moment: str, ending: str, doubt: bool, stands: bool) -> None:
    """Before, at and after the rename of the marker, which alone leaves doubt; looking heals it, and so does a repeat."""
    house.script[moment] = at(ending, cut)
    ours, wire = account.adapter(), wire_of(account.root)
    with pytest.raises(RetryableError, match="share_gone") as lost:
        await ours.send(wire, NO_HTTP)
    assert lost.value.maybe_accepted == doubt
    house.script.clear()
    assert (await ours.lookup(wire, NO_HTTP) is not None) == stands
    assert (await ours.send(wire, NO_HTTP)).duplicate == stands
    assert account.names("up") == FILES


async def test_a_cut_after_the_answer_to_the_rename_is_doubtful_too(house: House, account: Share) -> None:
    async def armed(account: Account, path: str) -> None:
        house.script["before lstat"] = cut

    house.script["after rename"] = at(".ok", armed)
    with pytest.raises(RetryableError, match="share_gone") as lost:
        await account.adapter().send(wire_of(account.root), NO_HTTP)
    assert lost.value.maybe_accepted


@pytest.mark.parametrize("same", [True, False])
async def test_a_rename_never_overwrites(house: House, account: Share, same: bool) -> None:
    """Somebody is quicker, between our last look and the rename."""
    held = d.DIGITS if same else "0" * 64

    async def quicker(account: Account, path: str) -> None:
        (house.root / path[1:]).write_text(f"{held}\n", "ascii")

    house.script["before rename"] = at(".ok", quicker)
    ours, wire = account.adapter(), wire_of(account.root)
    if same:
        await ours.send(wire, NO_HTTP)
        assert account.names("up") == FILES
    else:
        with pytest.raises(EndpointError, match="other_content"):
            await ours.send(wire, NO_HTTP)
    assert (account.up / f"{d.STEM}.ok").read_text("ascii") == f"{held}\n"


@pytest.mark.parametrize(("ending", "doubt"), [(".csv", False), (".ok", True)])
async def test_a_rename_that_hangs(house: House, account: Share, ending: str, doubt: bool) -> None:
    ours = account.adapter()
    assert isinstance(ours.medium, SftpAccount)
    patience, medium = ours.medium._limit_s, ours.medium

    async def hurry(account: Account, path: str) -> None:
        medium._limit_s = 0.05  # for what begins from here on: the rename

    house.script["before open"] = at(f"{ending}.part", hurry)
    house.script["before rename"] = at(ending, _hang)
    with pytest.raises(RetryableError, match="timeout") as lost:
        await ours.send(wire_of(account.root), NO_HTTP)
    assert lost.value.maybe_accepted == doubt
    house.script.clear()
    medium._limit_s = patience
    await ours.probe(NO_HTTP)
    assert len(house.logins) == 2, "what hangs takes its connection with it"


async def test_a_step_of_a_thousand_slow_operations_ends(account: Share) -> None:
    medium = account.adapter(operation_s=0.01).medium
    with pytest.raises(RetryableError, match="timeout") as lost:
        await medium.run(asyncio.Event().wait, filing=True)
    assert lost.value.maybe_accepted


async def test_whoever_stops_waiting_is_let_go(house: House, account: Share) -> None:
    """Even in the midst of a listing, whose handle would have to be given back."""
    came = asyncio.Event()

    async def hang(account: Account, path: str) -> None:
        came.set()
        await _hang(account, path)

    house.script["before scandir"] = hang
    polling = asyncio.create_task(account.adapter().poll(None, NO_HTTP))
    await came.wait()
    polling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await polling


async def _hang(account: Account, path: str) -> None:
    await account.connection.wait_closed()


@pytest.mark.parametrize(
    ("free", "flags", "heals", "code"),
    [
        (0, 0, RetryableError, "share_full"),
        (10_000, 1, EndpointError, "share_read_only"),
        (10_000, 0, RetryableError, "share_refused"),
        (None, 0, RetryableError, "share_refused"),
    ],
)
async def test_the_one_word_for_every_failure(
    house: House,
    account: Share,
    monkeypatch: pytest.MonkeyPatch,
    free: int | None,
    flags: int,
    heals: type[Exception],
    code: str,
) -> None:
    """SFTP 3 says no more than that it failed; the figures of the file system say more, where they are told."""

    async def figures(self: Account, path: bytes) -> asyncssh.SFTPVFSAttrs:
        if free is None:
            raise asyncssh.SFTPOpUnsupported("not here")
        return asyncssh.SFTPVFSAttrs(frsize=4096, bavail=free, flags=flags)

    monkeypatch.setattr(Account, "statvfs", figures)
    house.script["before write"] = failing(OSError(errno.ENOSPC, "secret place"))
    with pytest.raises(heals, match=code) as refusal:
        await account.adapter().send(wire_of(account.root), NO_HTTP)
    assert "secret" not in str(refusal.value)
    assert not getattr(refusal.value, "maybe_accepted", False)


async def test_a_server_that_takes_nothing_is_the_operators_after_an_hour(house: House, account: Share) -> None:
    now = [NOW]
    ours = account.adapter(lambda: now[0])
    house.script["before write"] = failing(asyncssh.SFTPFailure("no"))
    with pytest.raises(RetryableError, match="share_refused"):
        await ours.send(wire_of(account.root), NO_HTTP)
    now[0] += timedelta(minutes=61)
    with pytest.raises(EndpointError, match="share_refused"):
        await ours.send(wire_of(account.root), NO_HTTP)


@pytest.mark.parametrize(
    ("error", "heals", "code"),
    [
        (asyncssh.SFTPPermissionDenied("secret"), EndpointError, "share_right_missing"),
        (asyncssh.SFTPNoSuchFile("secret"), EndpointError, "folder_missing"),
        (asyncssh.SFTPOpUnsupported("secret"), EndpointError, "sftp_unsupported"),
        (asyncssh.SFTPConnectionLost("secret"), RetryableError, "share_gone"),
        (asyncssh.SFTPError(4711, "secret"), RetryableError, "share_refused"),
    ],
)
async def test_answers_and_who_heals_them(
    house: House, account: Share, error: Exception, heals: type[Exception], code: str
) -> None:
    house.script["before open"] = failing(error)
    with pytest.raises(heals, match=code) as refusal:
        await account.adapter().send(wire_of(account.root), NO_HTTP)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (asyncssh.SFTPWriteProtect("secret"), "share_read_only"),
        (asyncssh.SFTPNoSpaceOnFilesystem("secret"), "share_full"),
        (asyncssh.SFTPQuotaExceeded("secret"), "share_full"),
        (asyncssh.SFTPLinkLoop("secret"), "not_a_file"),
        (asyncssh.SFTPNoSuchPath("secret"), "folder_missing"),
    ],
)
def test_words_of_later_versions(error: asyncssh.SFTPError, code: str) -> None:
    assert module.of_sftp(error).code == code
    assert "secret" not in str(module.of_sftp(error))


async def test_a_server_that_knows_the_bare_protocol(house: House, account: Share) -> None:
    """None of OpenSSH's words: nothing is flushed by name, and a marker is replaced in two steps."""
    await house.close()
    house.extensions = False
    await house.open()
    ours = account.adapter()
    await ours.send(wire_of(account.root), NO_HTTP)
    assert account.names("up") == FILES
    base = account.reply(row())
    (account.down / f"{base}.taken").write_bytes((account.down / f"{base}.ok").read_bytes())
    blocked = account.status(1, [{"事件号": "S1", "案件主键": d.CASE_KEY, "状态": "已受理"}])
    (account.down / f"{blocked}.taken").mkdir()
    page = await ours.poll(None, NO_HTTP)
    await ours.mark_read(page.items, NO_HTTP)
    assert f"{base}.taken" in account.names("down")
    assert f"{base}.ok" not in account.names("down")


async def test_an_account_that_may_not_take_a_marker_away(account: Share, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise asyncssh.SFTPPermissionDenied("no")

    monkeypatch.setattr(Account, "posix_rename", denied)
    monkeypatch.setattr(Account, "remove", denied)
    base = account.reply(row())
    (account.down / f"{base}.taken").write_bytes((account.down / f"{base}.ok").read_bytes())
    ours = account.adapter()
    page = await ours.poll(None, NO_HTTP)
    await ours.mark_read(page.items, NO_HTTP)
    assert (await ours.poll(page.cursor, NO_HTTP)).items == ()
    assert f"{base}.ok" in account.names("down")


async def test_an_account_that_may_not_rename_at_all(house: House, account: Share) -> None:
    base = account.reply(row())
    ours = account.adapter()
    page = await ours.poll(None, NO_HTTP)
    house.script["before rename"] = failing(asyncssh.SFTPPermissionDenied("no"))
    with pytest.raises(EndpointError, match="share_right_missing"):
        await ours.poll(page.cursor, NO_HTTP)
    assert f"{base}.ok" in account.names("down")


# ------------------------------------------------------------------------------------------------------- a hostile server


async def test_a_listing_without_end(account: Share, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = 0

    async def endless(self: Account, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        nonlocal listed
        while True:
            listed += 1
            yield asyncssh.SFTPName(b"../%d\xff.ok" % listed, attrs=asyncssh.SFTPAttrs(permissions=0o100644))

    monkeypatch.setattr(Account, "scandir", endless)
    monkeypatch.setattr(module, "MOST_LOOKED_AT", 1000)
    assert (await account.adapter().poll(None, NO_HTTP)).items == ()
    assert listed < 5000


async def test_a_listing_that_never_says_a_name(account: Share, monkeypatch: pytest.MonkeyPatch) -> None:
    async def empty(self: asyncssh.sftp.SFTPServerHandler, packet: object) -> tuple[list[asyncssh.SFTPName], bool]:
        return [], False

    handlers = asyncssh.sftp.SFTPServerHandler._packet_handlers
    monkeypatch.setitem(handlers, FXP_READDIR, empty)
    with pytest.raises(RetryableError, match="timeout"):
        await account.adapter(operation_s=0.1).poll(None, NO_HTTP)


async def test_more_bytes_than_a_file_has(account: Share, monkeypatch: pytest.MonkeyPatch) -> None:
    async def more(self: Account, file_obj: object, offset: int, size: int) -> bytes:
        return b"0" * 100_000

    account.reply(row())
    monkeypatch.setattr(Account, "read", more)
    (item,) = (await account.adapter().poll(None, NO_HTTP)).items
    assert b'"broken":"marker"' in item.body


# ------------------------------------------------------------------------------------------------------------ the extra


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "asyncssh", None)
    reached: dict[str, Any] = {"host_key": "SHA256:" + "A" * 43, "private_key_file": "/srv/key"}
    with pytest.raises(
        ValidationError, match=r"未安装 SFTP 支持.*pip install 'mediation-gateway\[sftp\]'.*not installed: pip"
    ):
        settings("sftp://u@host.example/x", **reached)
    settings(tmp_path)


def test_a_mounted_share_needs_no_extra() -> None:
    told = (
        "import sys; sys.modules['asyncssh'] = None\n"
        "from tests.adapters.enterprise_confederation.documents import ENDPOINT\n"
        "from adapters.enterprise_confederation import EnterpriseConfederation as Kind\n"
        "from contracts.conformance.stand_ins import forbidden_tools\n"
        "Kind(ENDPOINT, Kind.settings_type(root='/srv/x', sender='SDGW'), forbidden_tools())\n"
    )
    subprocess.run([sys.executable, "-c", told], check=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})

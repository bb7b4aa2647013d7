"""The exchange directory by SFTP: who comes in, what he may do, and a batch on its whole way."""

import asyncio
import csv
import io
import json
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncssh
import pytest

from mocks.enterprise_confederation import EnterpriseConfederation
from mocks.server import MockServer
from tests.mocks.confederation_client import Written, batch, case, platform, sm3
from tests.mocks.confederation_sftp import ROOT, Account, Step, account, get, put, put_all


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Account]:
    async with account(tmp_path / "ec") as made:
        yield made


def one() -> Written:
    return batch(case())


# --- a batch on its whole way


@pytest.mark.parametrize("path", ["", "exchange/qilian"])
async def test_a_batch_in_and_its_reply_back(tmp_path: Path, path: str) -> None:
    written = one()
    top = f"/{path}/" if path else "/"
    async with account(tmp_path / "ec", f"{ROOT}{path}") as way, way.session() as sftp:
        assert json.loads(await get(sftp, f"{top}heartbeat.json"))["state"] == "RUN"
        await put_all(sftp, written.sealed(), top)
        await way.mock.run()
        names = [str(name) for name in await sftp.listdir(f"{top}down")]
        stem = f"{written.stem}.R01"
        assert sorted(set(names) - {".", ".."}) == [f"{stem}.csv", f"{stem}.manifest.json", f"{stem}.ok"]
        manifest = await get(sftp, f"{top}down/{stem}.manifest.json")
        assert await get(sftp, f"{top}down/{stem}.ok") == sm3(manifest).encode() + b"\n"
        listed = await get(sftp, f"{top}down/{stem}.csv")
        [file] = json.loads(manifest)["files"]
        assert (file["size"], file["sm3"]) == (len(listed), sm3(listed))
        [row] = csv.DictReader(io.StringIO(listed.decode("utf-8-sig"), newline=""))
        assert (row["结果"], row["错误码"]) == ("受理", "")
        await sftp.rename(f"{top}down/{stem}.ok", f"{top}down/{stem}.taken")
        [day] = set(await sftp.listdir(f"{top}done")) - {".", ".."}
        assert await get(sftp, f"{top}done/{day}/{written.stem}.ok") == written.sealed()[f"{written.stem}.ok"]
        assert await way.mock.breaches() == []
        assert (await way.mock.control("GET", "requests"))["sftp.mark"] == 2
        if path:
            assert set(await sftp.listdir("/")) == {".", "..", "exchange"}


async def test_library_calls_that_a_client_may_rather_use(way: Account, tmp_path: Path) -> None:
    data = bytes(range(256)) * 1000
    (tmp_path / "there").write_bytes(data)
    async with way.session() as sftp:
        await sftp.put(tmp_path / "there", "up/QLTJ.csv.part")
        await sftp.get("up/QLTJ.csv.part", tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == data
        assert (await sftp.stat("up/QLTJ.csv.part")).size == len(data)
        assert await sftp.isdir("up")
        assert not await sftp.exists("up/other")
        assert await sftp.realpath("up/../../down") == "/down"
        assert [str(name.filename) for name in await sftp.readdir("/")] == [
            ".",
            "..",
            "bad",
            "done",
            "down",
            "heartbeat.json",
            "up",
        ]
        assert "gateway" in str((await sftp.readdir("up"))[-1].longname)
        async with sftp.open("up/QLTJ.csv.part", "ab") as file:
            await file.write(b"more")
        assert (await get(sftp, "up/QLTJ.csv.part")).endswith(b"more")


# --- what is told, and kept


async def test_the_configuration_tells_the_account(tmp_path: Path) -> None:
    async with account(tmp_path / "ec") as way:
        told = await way.mock.control("GET", "sftp")
        keys = ("root", "host_key", "private_key_file")
        first = {key: way.config[key] for key in keys}
        assert first == way.mock.platform.told() == {key: told[key] for key in keys}
        assert way.config["root"] == f"sftp://gateway@127.0.0.1:{way.address.port}/"
        assert way.config["host_key"].startswith("SHA256:")
        assert told["shown_key"] == way.config["host_key"]
        for name in ("host_key", "gateway_key"):
            assert stat.S_IMODE((way.data / name).stat().st_mode) == 0o600
    async with platform(tmp_path / "ec") as again:
        assert again.platform.told() == first
    async with platform(tmp_path / "plain") as plain:
        assert (plain.platform.told(), await plain.control("GET", "sftp")) == ({}, {})


async def test_keys_of_the_gateway_s_own(tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    public = key.export_public_key().decode()
    async with account(tmp_path / "one", authorized_key=public) as way:
        assert way.config["private_key_file"] == ""
        assert not (way.data / "gateway_key").exists()
        async with way.connected(client_keys=[key]) as connection:
            assert await (await connection.start_sftp_client()).isdir("up")
    file = tmp_path / "key"
    key.write_private_key(file)
    async with account(tmp_path / "two", private_key_file=str(file)) as way:
        assert way.config["private_key_file"] == str(file)
        async with way.session() as sftp:
            assert await sftp.isdir("up")
    key.write_private_key(file, "pkcs8-pem", passphrase="secret")
    for settings, said in (
        ({"private_key_file": str(file)}, "passphrase"),
        ({"authorized_key": "ssh-ed25519 AAAA"}, "authorized_key"),
        ({"host_key": "SHA256:other"}, "host_key"),
    ):
        with pytest.raises(ValueError, match=said):
            async with account(tmp_path / said, **settings):
                pass


@pytest.mark.parametrize(
    "root",
    [
        "ftp://gateway@127.0.0.1:22/",
        "sftp://127.0.0.1:22/",
        "sftp://gateway@127.0.0.1/",
        "sftp://gateway:secret@127.0.0.1:22/",
        "sftp://gateway@127.0.0.1:port/",
        "sftp://gateway@127.0.0.1:22/a/../b",
        "sftp://gateway@127.0.0.1:22/?x=1",
    ],
)
async def test_an_address_of_another_form(tmp_path: Path, root: str) -> None:
    with pytest.raises(ValueError, match=r"^root: ") as caught:
        async with platform(tmp_path / "ec", root=root):
            pass
    assert "secret" not in str(caught.value)


async def test_an_address_that_is_taken_leaves_nothing_open(way: Account, tmp_path: Path) -> None:
    other = MockServer(EnterpriseConfederation, tmp_path / "other", settings={"root": way.config["root"]})
    with pytest.raises(OSError, match="in use"):
        await other.start()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", urlsplit(other.url).port)


async def test_without_the_package_the_error_names_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("mocks.enterprise_confederation.")]:
        if name.rpartition(".")[2] in ("sftp", "session", "keys"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "asyncssh", None)
    with pytest.raises(ValueError, match=r"mediation-gateway\[sftp\]"):
        async with platform(tmp_path / "ec", root=ROOT):
            pass
    async with platform(tmp_path / "plain") as plain:
        assert plain.platform.service is None


# --- who comes in


@pytest.mark.parametrize(
    "other",
    [
        {"username": "root"},
        {"client_keys": None, "password": "gateway"},
        {"client_keys": None, "password": ""},
        {"client_keys": "another"},
    ],
)
async def test_one_account_one_key(way: Account, other: dict[str, Any]) -> None:
    if other.get("client_keys") == "another":
        other = other | {"client_keys": [asyncssh.generate_private_key("ssh-ed25519")]}
    with pytest.raises(asyncssh.PermissionDenied):
        async with way.connected(**other):
            pass


async def test_the_pin_holds_and_keys_alone_are_asked_for(way: Account) -> None:
    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        async with way.connected(client_factory=asyncssh.SSHClient):
            pass
    host, port = way.address.hostname, way.address.port
    assert host is not None
    assert port is not None
    assert await asyncssh.get_server_auth_methods(host, port, "gateway", config=None) == ["publickey"]


async def test_nothing_but_sftp(way: Account) -> None:
    async with way.connected() as connection:
        for command in ("id", None, "scp -f up/x", "internal-sftp"):
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.create_process(command)
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.create_process(subsystem="netconf")
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_connection("127.0.0.1", way.address.port)
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_port("", 0, "127.0.0.1", 9)
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_unix_connection("x")
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.create_process(subsystem="sftp", term_type="xterm")
        assert await (await connection.start_sftp_client()).isdir("up")


# --- what he may do


async def test_rights(way: Account) -> None:
    down = way.directory / "down"
    (down / "QLST_20260917_000001.json").write_bytes(b"{}")
    (down / "QLST_20260917_000001.ok").write_bytes(b"0")
    (way.directory / "done" / "20260917").mkdir()
    (way.directory / "done" / "20260917" / "x.csv").write_bytes(b"x")
    status = "down/QLST_20260917_000001"
    async with way.session() as sftp:
        await put(sftp, "x.csv", b"1")

        async def write(path: str) -> None:
            async with sftp.open(path, "wb") as file:
                await file.write(b"x")

        denied: list[Step] = [
            lambda: write("x"),
            lambda: write("heartbeat.json"),
            lambda: write("down/x"),
            lambda: write(f"{status}.json"),
            lambda: write("done/20260917/x.csv"),
            lambda: write("bad/x"),
            lambda: write("up/folder/x"),
            lambda: write("../x"),
            lambda: write("/etc/x"),
            lambda: sftp.remove(f"{status}.json"),
            lambda: sftp.remove("done/20260917/x.csv"),
            lambda: sftp.remove("heartbeat.json"),
            lambda: sftp.rename(f"{status}.json", f"{status}.taken"),
            lambda: sftp.rename(f"{status}.ok", "down/other.taken"),
            lambda: sftp.rename(f"{status}.ok", f"{status}.done"),
            lambda: sftp.rename(f"{status}.ok", "up/x.ok"),
            lambda: sftp.rename("up/x.csv", "down/x.csv"),
            lambda: sftp.rename("up/x.csv", "x.csv"),
            lambda: sftp.rename("up/x.csv", "up/folder/x.csv"),
            lambda: sftp.rename("up", "up2"),
            lambda: sftp.rename("done/20260917/x.csv", "up/y.csv"),
            lambda: sftp.mkdir("up/folder"),
            lambda: sftp.mkdir("other"),
            lambda: sftp.rmdir("bad"),
            lambda: sftp.chmod("up/x.csv", 0o777),
            lambda: sftp.utime("up/x.csv", (0, 0)),
            lambda: sftp.truncate("up/x.csv", 0),
            lambda: sftp.symlink("x.csv", "up/link"),
            lambda: sftp.link("up/x.csv", "up/y.csv"),
            lambda: sftp.posix_rename("up/x.csv", "up/y.csv"),
        ]
        for step in denied:
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await step()
        unsupported: list[Step] = [lambda: sftp.statvfs("up"), lambda: sftp.readlink("up/x.csv")]
        for step in unsupported:
            with pytest.raises(asyncssh.SFTPOpUnsupported):
                await step()
        await sftp.rename(f"{status}.ok", f"{status}.bad")
        await sftp.remove("up/x.csv")
    assert sorted(path.name for path in down.iterdir()) == ["QLST_20260917_000001.bad", "QLST_20260917_000001.json"]
    assert list((way.directory / "up").iterdir()) == []
    breaches = await way.mock.breaches()
    assert {"no right to write", "no right to link", "no right to rename over another file"} <= set(breaches)
    assert all(breach.startswith("no right") for breach in breaches)


async def test_no_rename_overwrites(way: Account) -> None:
    up, down = way.directory / "up", way.directory / "down"
    for name, data in (("a.ok", b"new"), ("a.taken", b"old")):
        (down / name).write_bytes(data)
    async with way.session() as sftp:
        await put(sftp, "x.csv", b"first")
        with pytest.raises(asyncssh.SFTPFailure):
            await put(sftp, "x.csv", b"second")
        with pytest.raises(asyncssh.SFTPFailure):
            await sftp.rename("down/a.ok", "down/a.taken")
        with pytest.raises(asyncssh.SFTPFailure):
            await sftp.rename("up/x.csv", "up/x.csv")
        with pytest.raises(asyncssh.SFTPFailure):
            async with sftp.open("up/x.csv", "xb"):
                pass
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await sftp.rename("up/y.csv.part", "up/y.csv")
    assert ((up / "x.csv").read_bytes(), (up / "x.csv.part").read_bytes()) == (b"first", b"second")
    assert ((down / "a.ok").read_bytes(), (down / "a.taken").read_bytes()) == (b"new", b"old")


async def test_nothing_outside_the_directory(way: Account) -> None:
    secret = way.data / "host_key"
    for name in ("up/link", "down/link.ok", "done/20260917"):
        target = secret if "." in name or name == "up/link" else way.data
        (way.directory / name).symlink_to(target)
    async with way.session() as sftp:
        for path in (
            "../host_key",
            "/../host_key",
            "up/../../host_key",
            str(secret),
            "/etc/passwd",
            "up/x/../../../host_key",
            "up//../.././config.json",
            "heartbeat.json/../../host_key",
            "up/a\0b",
        ):
            with pytest.raises((asyncssh.SFTPNoSuchFile, asyncssh.SFTPPermissionDenied)):
                await get(sftp, path)
        for path in ("up/link", "done/20260917/host_key"):
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await get(sftp, path)
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await sftp.stat(path)
        with pytest.raises(asyncssh.SFTPPermissionDenied):
            await sftp.listdir("done/20260917")
        with pytest.raises(asyncssh.SFTPPermissionDenied):
            async with sftp.open("up/link", "wb"):
                pass
        with pytest.raises(asyncssh.SFTPPermissionDenied):
            await sftp.rename("down/link.ok", "down/link.taken")
        with pytest.raises(asyncssh.SFTPFailure):
            await get(sftp, "up")
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await sftp.listdir("/..//etc")
    assert secret.read_bytes().startswith(b"-----BEGIN")


async def test_names_that_are_no_text(way: Account) -> None:
    async with way.session() as sftp:
        for name in (b"\xff.csv", b"\xff.ok"):
            async with sftp.open(b"up/" + name, "wb") as file:
                await file.write(b"x")
        with pytest.raises(asyncssh.SFTPPermissionDenied):
            await sftp.remove(b"down/\xff")
    await way.mock.run()
    told = await way.mock.lines("conduct")
    assert {line["business_key"] for line in told} == {"\\udcff.csv", "\\udcff.ok", "\\udcff"}
    assert [line["business_key"] for line in await way.mock.lines("refusal")] == ["\\udcff"]


# --- conduct, of which a directory alone shows nothing


async def test_conduct(way: Account) -> None:
    written = one()
    files = written.sealed()
    marker = f"{written.stem}.ok"
    async with way.session() as sftp:
        async with sftp.open(f"up/{written.stem}.csv", "wb") as file:
            await file.write(files[f"{written.stem}.csv"])
        async with sftp.open(f"up/{written.stem}_001.json.part", "wb") as file:
            await file.write(files[f"{written.stem}_001.json"])
        await sftp.rename(f"up/{written.stem}_001.json.part", f"up/{written.stem}_001.json")
        await put(sftp, marker, files[marker])
        await sftp.remove(f"up/{written.stem}_001.json")
    assert await way.mock.breaches() == [
        "written under its own name",
        "renamed before it was flushed",
        "marker before its manifest",
        "removed under its marker",
    ]

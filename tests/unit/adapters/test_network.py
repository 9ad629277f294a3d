"""The guard: nothing reaches out, and every attempt is counted."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from draftproof.adapters import network
from draftproof.errors import NetworkBlockedError

# TEST-NET-1: no machine has it.
FAR = ("192.0.2.1", 80)


@pytest.fixture(autouse=True)
def guard(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install the guard, and take it and its switches away again."""
    for name in network.QUIET_SWITCHES:
        monkeypatch.setenv(name, os.environ.get(name, ""))
    network.install()
    yield
    network.uninstall()
    network.install(frozenset())
    network.uninstall()


def tcp() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.settimeout(2)
    return made


def udp() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def with_socket(make: Callable[[], socket.socket], act: Callable[[socket.socket], object]) -> None:
    with make() as made:
        act(made)


ATTEMPTS: dict[str, Callable[[], object]] = {
    "connect": lambda: with_socket(tcp, lambda s: s.connect(FAR)),
    "connect_ex": lambda: with_socket(tcp, lambda s: s.connect_ex(FAR)),
    "create_connection": lambda: socket.create_connection(FAR, timeout=2),
    "loopback": lambda: with_socket(tcp, lambda s: s.connect(("127.0.0.1", 9))),
    "connect UDP": lambda: with_socket(udp, lambda s: s.connect(FAR)),
    "sendto": lambda: with_socket(udp, lambda s: s.sendto(b"x", FAR)),
    "sendto with flags": lambda: with_socket(udp, lambda s: s.sendto(b"x", 0, FAR)),
    "sendmsg": lambda: with_socket(udp, lambda s: s.sendmsg([b"x"], [], 0, FAR)),
    "getaddrinfo": lambda: socket.getaddrinfo("example.com", 443),
    "getaddrinfo by name": lambda: socket.getaddrinfo("example.com", "https"),
    "gethostbyname": lambda: socket.gethostbyname("example.com"),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex("example.com"),
    "gethostbyaddr": lambda: socket.gethostbyaddr("192.0.2.1"),
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_attempt_is_refused_and_counted(attempt: Callable[[], object]) -> None:
    before = network.refused()

    with pytest.raises(NetworkBlockedError, match="refused a connection"):
        attempt()

    assert network.refused() == before + 1


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_ipv6_is_refused() -> None:
    with pytest.raises(NetworkBlockedError), socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as made:
        made.connect(("2001:db8::1", 80))


def test_library_that_copes_with_a_missing_network_copes_with_the_guard() -> None:
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen("http://example.com", timeout=2)

    assert network.refused() == 1


def test_event_loop_is_refused_too() -> None:
    async def reach() -> None:
        await asyncio.open_connection("192.0.2.1", 80)

    with pytest.raises(OSError, match="refused a connection"):
        asyncio.run(reach())

    assert network.refused() == 1


def test_refusal_names_host_and_port() -> None:
    with pytest.raises(NetworkBlockedError, match=r"192\.0\.2\.1:80"):
        ATTEMPTS["connect"]()


def test_unix_socket_is_allowed(tmp_path: Path) -> None:
    name = "s"
    here = Path.cwd()
    # The name of a socket is short: it is made from inside its folder.
    os.chdir(tmp_path)
    try:
        with (
            socket.socket(socket.AF_UNIX) as server,
            socket.socket(socket.AF_UNIX) as client,
        ):
            server.bind(name)
            server.listen()
            client.connect(name)
            client.sendall(b"x")
            peer, _ = server.accept()
            with peer:
                assert peer.recv(1) == b"x"
    finally:
        os.chdir(here)

    assert network.refused() == 0


def test_socket_pair_is_allowed() -> None:
    one, other = socket.socketpair()
    with one, other:
        one.sendall(b"x")

        assert other.recv(1) == b"x"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", None, "::1"])
def test_lookup_that_leaves_no_machine_is_allowed(host: str | None) -> None:
    try:
        socket.getaddrinfo(host, 80)
    except socket.gaierror:
        pytest.skip(f"{host} is not known here")

    assert network.refused() == 0


def test_named_pair_is_allowed_and_its_neighbour_is_not() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        host, port = server.getsockname()
        network.install(frozenset({(host, port)}))
        with socket.create_connection((host, port), timeout=2) as client:
            assert client.getpeername() == (host, port)
        with pytest.raises(NetworkBlockedError), tcp() as other:
            other.connect((host, port + 1 if port < 65535 else port - 1))


def test_installing_twice_guards_once() -> None:
    network.install()

    with pytest.raises(NetworkBlockedError):
        ATTEMPTS["connect"]()

    assert network.refused() == 1


def test_libraries_are_told_to_be_quiet() -> None:
    assert {name: os.environ[name] for name in network.QUIET_SWITCHES} == network.QUIET_SWITCHES


def test_uninstalling_gives_the_calls_back() -> None:
    network.uninstall()

    assert "call" not in {socket.socket.connect.__name__, socket.getaddrinfo.__name__, socket.gethostbyname.__name__}
    assert network.refused() == 0


def test_guard_holds_in_a_fresh_process() -> None:
    code = (
        "import socket\nfrom draftproof.adapters import network\nnetwork.install()\n"
        "try:\n    socket.create_connection(('example.com', 80))\n"
        "except OSError as error:\n    print(type(error).__name__, network.refused())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["NetworkBlockedError", "1"]


def test_bytes_to_this_machine_are_not_counted_as_sent() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    host, port = server.getsockname()
    network.install(frozenset({(host, port)}))
    try:
        with socket.create_connection((host, port)) as client:
            client.sendall(b"twelve bytes")

        assert network.sent() == 0
    finally:
        network.uninstall()
        server.close()

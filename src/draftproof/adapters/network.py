"""
The guard: this process opens no connection off the machine.

It replaces the calls of Python's socket module that reach out. Libraries that
bring their own network stack in native code (Chroma's Rust core among them) are
kept quiet by their switches; the network-namespace test covers those.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from typing import Any

from draftproof.errors import NetworkBlockedError

# Set before any library is imported; each is read once, at import.
QUIET_SWITCHES = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "CHROMA_TELEMETRY_IMPL": "none",
    "OTEL_SDK_DISABLED": "true",
    "TOKENIZERS_PARALLELISM": "false",
}

_CALLS = ("connect", "connect_ex", "sendto", "sendmsg")
_SENDS = ("send", "sendall")
_LOOKUPS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr")

_original: dict[str, Any] = {}
_refused = 0
_sent = 0
_allowed: frozenset[tuple[str, int]] = frozenset()


def refused() -> int:
    """Return how many outgoing connections the guard has refused since it was installed."""
    return _refused


def sent() -> int:
    """Return how many bytes were sent to other machines since then; loopback does not count."""
    return _sent


def install(allowed: frozenset[tuple[str, int]] = frozenset()) -> None:
    """
    Refuse every outgoing connection from now on, count from nothing, and quiet the libraries.

    Args:
        allowed: Pairs of host and port that the user named (a team's Chroma
                 server); nothing else is reachable, loopback included.

    """
    global _allowed, _refused, _sent
    _allowed, _refused, _sent = allowed, 0, 0
    os.environ.update(QUIET_SWITCHES)
    if _original:
        return
    for name in _CALLS:
        _original[name] = getattr(socket.socket, name)
        setattr(socket.socket, name, _guarded(name))
    for name in _SENDS:
        # Subclasses (TLS sockets) call these in turn.
        _original[name] = getattr(socket.socket, name)
        setattr(socket.socket, name, _counted(name))
    for name in _LOOKUPS:
        _original[name] = getattr(socket, name)
        setattr(socket, name, _guarded_lookup(name))


def uninstall() -> None:
    """Give the socket module its own calls back; for tests."""
    global _refused, _sent
    _sent = 0
    for name, function in _original.items():
        setattr(socket if name in _LOOKUPS else socket.socket, name, function)
    _original.clear()
    _refused = 0


def _counted(name: str) -> Any:
    original = _original[name]

    def call(self: socket.socket, data: Any, *rest: Any) -> Any:
        global _sent
        result = original(self, data, *rest)
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(self):
            _sent += result if isinstance(result, int) else len(data)
        return result

    return call


def _is_loopback(connection: socket.socket) -> bool:
    try:
        return ipaddress.ip_address(connection.getpeername()[0]).is_loopback
    except (OSError, ValueError):
        return False


def _guarded(name: str) -> Any:
    original = _original[name]

    def call(self: socket.socket, *arguments: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            address = _address_of(name, arguments)
            if address is not None:
                _refuse_unless_allowed(str(address[0]), int(address[1]))
        return original(self, *arguments)

    return call


def _address_of(name: str, arguments: tuple[Any, ...]) -> Any:
    if name in ("connect", "connect_ex"):
        return arguments[0]
    if name == "sendto":
        return arguments[-1]
    return arguments[3] if len(arguments) > 3 else None


def _guarded_lookup(name: str) -> Any:
    original = _original[name]

    def call(host: Any, *rest: Any, **options: Any) -> Any:
        # A name that is looked up is a name that leaves the machine; so does an
        # address whose name is asked for.
        local = _is_address(str(host)) and name != "gethostbyaddr"
        if host and not local and str(host) != "localhost":
            port = options.get("port", rest[0] if rest else 0)
            _refuse_unless_allowed(str(host), int(port) if str(port).isdigit() else 0)
        found = original(host, *rest, **options)
        if name == "getaddrinfo":
            _allow_addresses(str(host), found)
        return found

    return call


def _allow_addresses(host: str, found: Any) -> None:
    """Let the connection that follows reach the addresses of a host that is allowed by name."""
    global _allowed
    ports = {port for name, port in _allowed if name == host}
    _allowed |= {(str(item[4][0]), port) for item in found for port in ports}


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _refuse_unless_allowed(host: str, port: int) -> None:
    global _refused
    if any(host == name and port in (number, 0) for name, number in _allowed):
        return
    _refused += 1
    raise NetworkBlockedError(f"refused a connection to {host}:{port}: a review sends nothing")

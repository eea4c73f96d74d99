"""Posting to an address that somebody typed, without being led into the networks that this machine can see.

The name is looked up once. Every address it has must be public (no private, loopback, link-local, shared, reserved
or multicast one, nor an IPv6 address that wraps such an IPv4 address), and the connection goes to an address that was
looked at, so that a second look-up cannot name another. TLS is required and its certificate checked against the name.
No redirect is followed; of the answer only the head is read; both have to come in time. Hosts that the
administrators list in ``WEBHOOK_INTERNAL_HOSTS`` may be internal and without TLS.
"""

import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Timer
from urllib.parse import urlsplit

from certifi import where
from django.conf import settings

SECONDS = 10.0
"""For connecting, and as long again for the handshake, the request and the answer's head."""
MOST_ADDRESSES = 3
"""Of a name, that are tried one after the other."""

NAT64 = IPv6Network("64:ff9b::/96")
NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")


class Refused(Exception):
    """An address that is not posted to; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """Where a post goes: an address taken apart."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def is_internal(self) -> bool:
        """Whether the administrators allow this host in spite of where it is."""
        return self.host in {name.lower() for name in settings.WEBHOOK_INTERNAL_HOSTS}


def target(url: str) -> Target:
    """``url`` taken apart. Raises ``Refused`` for what is no address, or lacks TLS without being allowed to."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode().lower()
        port = parts.port
    except ValueError:
        raise Refused("bad_address") from None
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None or not url.isprintable():
        raise Refused("bad_address")
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    found = Target(secure, host, port or (443 if secure else 80), path)
    if " " in url or not path.isascii():
        raise Refused("bad_address")
    if not secure and not found.is_internal:
        raise Refused("not_https")
    return found


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open Internet, and not to this machine or its surroundings."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address) and (within := _wrapped(ip)):
        return is_public(str(within))
    local = isinstance(ip, IPv6Address) and (ip.is_site_local or ip in NAT64_LOCAL)
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or local)


def addresses(goal: Target) -> list[str]:
    """The addresses of ``goal``. Raises ``Refused`` when there is none, or one that is not public.

    Which of the two it is, is said of hosts that are allowed alone: who asks learns no internal names.
    """
    try:
        found = socket.getaddrinfo(goal.host, goal.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refused("no_such_host" if goal.is_internal else "internal_address") from None
    known = list(dict.fromkeys(str(row[4][0]) for row in found))
    if not goal.is_internal and not all(map(is_public, known)):
        raise Refused("internal_address")
    return known


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post ``body``; the answer's status. Raises ``Refused``, ``TimeoutError``, ``OSError`` or ``HTTPException``."""
    goal = target(url)
    sock = _connect(goal, addresses(goal))
    timer = Timer(SECONDS, _cut, [sock])
    until = time.monotonic() + SECONDS
    timer.start()
    try:
        if isinstance(sock, ssl.SSLSocket):
            sock.do_handshake()
        connection = (HTTPSConnection if goal.secure else HTTPConnection)(goal.host, goal.port)
        connection.sock = sock
        connection.request("POST", goal.path, body, dict(headers))
        return connection.getresponse().status
    except (OSError, HTTPException, ValueError):
        if time.monotonic() >= until:
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
        sock.close()


def _connect(goal: Target, known: list[str]) -> socket.socket:
    """A connection to the first of the addresses that takes one, still before its handshake. Raises ``OSError``."""
    failure: OSError | None = None
    for address in known[:MOST_ADDRESSES]:
        try:
            sock = socket.create_connection((address, goal.port), timeout=SECONDS / MOST_ADDRESSES)
        except OSError as error:
            failure = error
            continue
        sock.settimeout(SECONDS)
        return _wrap(goal, sock)
    raise failure or OSError(goal.host)


def _wrap(goal: Target, sock: socket.socket) -> socket.socket:
    if not goal.secure:
        return sock
    context = ssl.create_default_context(cafile=where())
    context.load_default_certs()  # and what this machine's administrators trust
    return context.wrap_socket(sock, server_hostname=goal.host, do_handshake_on_connect=False)


def _cut(sock: socket.socket) -> None:
    """End a conversation that takes too long, whatever the other side trickles."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _wrapped(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for. (Teredo's range is no public one as it is.)"""
    if ip in NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour

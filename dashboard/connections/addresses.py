"""Where a connection may lead: typed by administrators, and still not believed."""

from ipaddress import ip_address
from urllib.parse import urlsplit

NEVER = {"metadata", "metadata.google.internal"}
"""Names at which a cloud's machines are told secrets."""


class BadAddress(ValueError):
    """``code`` is ``bad_address`` or ``not_https``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def checked(address: str, *, https: bool) -> str:
    """``address`` without a slash at its end. Private addresses are legitimate: one's own servers are there. ``https``
    wants TLS, but on this machine. Raises ``BadAddress`` for what is no plain address, or where no service can be.
    """
    try:
        parts = urlsplit(address)
        host, _port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise BadAddress("bad_address") from None
    is_plain = address.isascii() and address.isprintable() and " " not in address and "\\" not in address
    more = "@" in parts.netloc or parts.query or parts.fragment
    if parts.scheme not in {"http", "https"} or not host or more or not is_plain or _never(host):
        raise BadAddress("bad_address")
    if https and parts.scheme == "http" and not _is_here(host):
        raise BadAddress("not_https")
    return address.rstrip("/")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _never(host: str) -> bool:
    try:
        ip = ip_address(host)
    except ValueError:
        return host in NEVER or not any(letter.isalpha() for letter in host)  # 2852039166 is an address too
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_link_local or ip.is_unspecified or ip.is_multicast or str(ip) == "fd00:ec2::254"

"""Who may ask: under which name the app is reached, and from which page a browser asks.

On a Space the app stands in a frame of huggingface.co. A page of any other Space that stands in such a frame sends our
cookie along, so the cookie alone does not say that our own page asks. Browsers say so themselves, in headers that no
page can write.
"""

from __future__ import annotations

import ipaddress
import os
from urllib.parse import urlsplit

from pipeline.store import hosts, is_share_link, on_space
from web.asgi import Refused, Scope, header

__all__ = ["check_host", "check_origin"]

# Where a link on another site may lead to; everything else is asked for by our own page alone.
ENTRANCES = ("/", "/login/callback")


def check_host(scope: Scope) -> None:
    """Refuse a name that the app is not told of: at home a page elsewhere could point its own name at us."""
    if on_space() or is_share_link():
        return
    name = _name(header(scope, "host"))
    if not (_is_loopback(name) or name in hosts() or "*" in hosts()):
        raise Refused(
            421,
            "Open this app as http://127.0.0.1 on the computer that it runs on. To reach it by another name, start it "
            "with CHAT_TWIN_HOSTS set to that name.",
        )


def check_origin(scope: Scope) -> None:
    """Refuse what a page of another site asks for, except to come in by a link or to be shown in a frame."""
    site = header(scope, "sec-fetch-site")
    if site in ("same-origin", "none"):
        return
    arrives = header(scope, "sec-fetch-mode") == "navigate" and scope["method"] == "GET"
    if site and arrives and scope["path"] in ENTRANCES:
        return
    origin = header(scope, "origin")
    # A browser that is too old for the one header names a foreign page in the other wherever it does any harm.
    if site or (origin and _netloc(origin) not in _own_names(scope)):
        raise Refused(403, "Another site asked for this, which only the app's own page may.")


def _own_names(scope: Scope) -> set[str]:
    names = (header(scope, "host"), header(scope, "x-forwarded-host"), os.environ.get("SPACE_HOST", ""))
    return {name.strip().lower() for name in names if name}


def _name(host: str) -> str:
    """A Host header without its port; "" for what is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False

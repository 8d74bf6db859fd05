"""Who pushes: the token for this call, and where its owner may write. No token is kept, printed or put into a URL."""

import os
from dataclasses import dataclass
from typing import Any

from pipeline.compat import is_repo_id
from pipeline.errors import ChatError
from pipeline.hub.faults import ask_hub

__all__ = ["Account", "find_token", "full_name", "hub_api", "read_account"]


@dataclass(frozen=True)
class Account:
    """The token's owner, the namespaces it may write to by name, and whether it may write at all."""

    name: str
    namespaces: tuple[str, ...]
    can_write: bool


def find_token(oauth_token: str | None = None) -> str | None:
    """The token to push with: the visitor's own; at home also HF_TOKEN or the cached login, never on a Space.

    A Space's own token would push visitors' chats in its owner's name.
    """
    if oauth_token or os.environ.get("SPACE_ID"):
        return oauth_token
    from huggingface_hub import get_token

    return get_token()


def hub_api(token: str | None, endpoint: str | None = None) -> Any:
    """The Hub's client for one call. Raises ChatError without a token."""
    if not token:
        raise ChatError("You are not signed in to the Hugging Face Hub: sign in, or set HF_TOKEN, and try again.")
    from huggingface_hub import HfApi
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    return HfApi(endpoint=endpoint, token=token, library_name="chat-twin")


def read_account(token: str | None, endpoint: str | None = None) -> Account:
    """Whose token this is and what it may do. Raises ChatError where the Hub does not take it or cannot be reached."""
    api = hub_api(token, endpoint)
    answer = ask_hub("your account", api.whoami)
    scopes = (answer.get("auth") or {}).get("accessToken") or {}
    fine = [p for scoped in (scopes.get("fineGrained") or {}).get("scoped", []) for p in scoped.get("permissions", [])]
    # An OAuth token has no role; the scopes asked for at sign-in let it write.
    can_write = scopes.get("role", "write") in ("write", "admin") or "repo.write" in fine
    organisations = (org["name"] for org in answer.get("orgs", []) if org.get("roleInOrg") in ("write", "admin", None))
    return Account(answer["name"], (answer["name"], *organisations), can_write)


def full_name(repo: str, account: Account) -> str:
    """The repository's name with its owner's, once both are known to be allowed. Raises ChatError."""
    name = repo.strip() if "/" in repo else f"{account.name}/{repo.strip()}"
    if name.count("/") != 1 or not is_repo_id(name):
        raise ChatError(
            "This repository name is not allowed: use letters, digits, -, _ and ., at most 96 of them, "
            "as in your-name/our-chat."
        )
    if not account.can_write:
        raise ChatError("This token may only read: make one with write access in your Hub settings, and push again.")
    return name

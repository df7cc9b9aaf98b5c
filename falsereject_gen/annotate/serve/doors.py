"""Who may come in: invite links, sessions and form tokens, all made from one secret.

Nothing is kept but the secret (`serve.secret` beside the batch), so links and sessions outlive the
server. A link, a session and a form token are keyed hashes (HMAC-SHA256) of a person's name.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from falsereject_gen.errors import StoreError
from falsereject_gen.files import replace_file

__all__ = ["SECRET", "Doors", "secret_of"]

SECRET = "serve.secret"
"""File of a batch's folder that its invite links are made from; readable by its owner only."""
_BYTES = 32


def secret_of(folder: Path, *, anew: bool = False) -> bytes:
    """The secret of a batch, made when there is none or when a new one is wanted.

    Raises:
        StoreError: it cannot be read or written.
    """
    path = folder / SECRET
    if anew or not path.exists():
        before = os.umask(0o077)
        try:
            replace_file(path, [secrets.token_bytes(_BYTES)])
        finally:
            os.umask(before)
    try:
        with contextlib.suppress(OSError):
            path.chmod(0o600)
        found = path.read_bytes()
    except OSError as fault:
        raise StoreError(f"{path}: cannot be read: {fault.strerror}") from None
    if len(found) != _BYTES:
        raise StoreError(f"{path}: not the secret of a batch; `--new-links` makes a new one")
    return found


class Doors:
    """Links, sessions and form tokens of the people of one batch.

    Args:
        secret: of `secret_of`.
        people: everybody who may come in.
        token: what people have to say as well; another token makes other links and sessions.
    """

    def __init__(self, secret: bytes, people: Sequence[str], token: str = "") -> None:
        self.people, self.token = tuple(people), token
        self._key = hmac.digest(secret, f"token:{token}".encode(), hashlib.sha256)
        self.cookie = f"frg_{self._sign('cookie')[:10]}"

    def link(self, name: str) -> str:
        """What stands in a person's invite link: 192 bits that nobody guesses."""
        return self._sign(f"link:{name}")[:32]

    def welcome(self, link: str) -> str | None:
        """Whose link this is; None for nobody's. Takes as long for a near miss as for a far one."""
        return self._whose("link", link, 32)

    def session(self, name: str) -> str:
        """The cookie of a person who has come in."""
        return self._sign(f"session:{name}")

    def inside(self, cookie: str | None) -> str | None:
        """Whose cookie this is; None for nobody's."""
        return self._whose("session", cookie or "")

    def form(self, name: str) -> str:
        """The token in that person's forms: a page of somebody else cannot send them."""
        return self._sign(f"form:{name}")

    def begun(self, name: str) -> str:
        """The cookie of a person who has seen the content warning."""
        return self._sign(f"begun:{name}")

    def knows(self, token: str) -> bool:
        """Whether this is the token; true when none is asked for."""
        return not self.token or same(token, self.token)

    def _whose(self, what: str, given: str, length: int | None = None) -> str | None:
        right = [n for n in self.people if same(given, self._sign(f"{what}:{n}")[:length])]
        return right[0] if right else None

    def _sign(self, text: str) -> str:
        digest = hmac.digest(self._key, text.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))

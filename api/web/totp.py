"""The second factor: a code of six digits from a telephone (RFC 6238), kept encrypted, and good once."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyotp import TOTP

from engine.errors import Problem, RunError

NEEDED_BY = frozenset({"administrator", "governance"})
"""Who gives rights to others, and who reads what everybody did: a stolen password alone must not be enough."""

SECONDS = 30
"""A code's life by RFC 6238, 5.2; every telephone's own setting."""

DRIFT = 1
"""Steps a telephone's clock may be off, either way: RFC 6238, 5.2 recommends one."""

_ISSUER = "Wardwise"


class Seal:
    """What is kept encrypted under a key made from the deployment's secret. `purpose` keeps keys apart."""

    def __init__(self, secret: str, purpose: str = "totp") -> None:
        key = HKDF(SHA256(), 32, salt=None, info=f"wardwise {purpose} 1".encode()).derive(secret.encode())
        self._fernet = Fernet(urlsafe_b64encode(key))

    def close(self, text: str) -> str:
        """A text that only this secret opens."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, closed: str) -> str:
        """The text again. Raises RunError where it was closed under another secret."""
        try:
            return self._fernet.decrypt(closed.encode()).decode()
        except InvalidToken:
            raise RunError(Problem("WARDWISE_SECRET", "is not the secret that second factors were kept under",
                                   "the one of before",
                                   "put it back, or `wardwise user reset` for each of them")) from None


def needs_code(roles: frozenset[str] | tuple[str, ...]) -> bool:
    """Whether somebody in these roles cannot sign in without a second factor."""
    return bool(NEEDED_BY & frozenset(roles))


def find_step(secret: str, code: str, at: datetime, used: int | None) -> int | None:
    """The time step a code belongs to, if it is right now and neither it nor a later one was used; else None."""
    now = int(at.timestamp()) // SECONDS
    typed, found = "".join(code.split()), None
    for step in range(now - DRIFT, now + DRIFT + 1):
        right = hmac.compare_digest(TOTP(secret).generate_otp(step).encode(), typed.encode("utf-8", "surrogatepass"))
        if right and (used is None or step > used):
            found = step
    return found


def write_address(secret: str, login: str) -> str:
    """What an authenticator app reads, as `otpauth://...`."""
    return TOTP(secret, interval=SECONDS).provisioning_uri(name=login, issuer_name=_ISSUER)


def write_key(secret: str) -> str:
    """The key in groups of four, for whoever has to type it."""
    return " ".join(secret[at:at + 4] for at in range(0, len(secret), 4))

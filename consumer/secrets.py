"""The vault: secrets are encrypted in the ledger, compared without being kept, and wiped.

Keys are Fernet keys (32 bytes, URL-safe base64). The first one encrypts, all of them decrypt, so
that keys can be rotated: put the new key first, and drop the old one when the operations that were
accepted under it have ended.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from msgspec.structs import replace

from consumer.canonical import told
from handlers.commands import Command, Invalid
from handlers.secret import Secret

#: What a secret is after the end of its operation.
WIPED = Secret("")

_MARK = "***"
_LABEL = b"trove-resources command fingerprint"


class Undecipherable(Exception):
    """A secret that none of the configured keys opens. Says nothing of key or text."""


class Vault:
    """Encrypts, compares and wipes the secrets of commands; made from the configured keys."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        """`keys`: Fernet keys, the encrypting one first. Raises ValueError for a malformed one."""
        fernets: list[Fernet] = []
        self._stamps: dict[str, bytes] = {}
        for place, key in enumerate(keys, start=1):
            try:
                fernets.append(Fernet(key))
            except ValueError:
                raise ValueError(
                    f"secret key {place} is no Fernet key (32 bytes, base64)"
                ) from None
            stamp = hmac.digest(key.encode(), _LABEL, "sha256")
            self._stamps[hashlib.sha256(stamp).hexdigest()[:8]] = stamp
        self._fernet = MultiFernet(fernets) if fernets else None

    @staticmethod
    def new_key() -> str:
        """A fresh key, for the configuration file or the demo."""
        return Fernet.generate_key().decode()

    def admit(self, command: Command) -> None:
        """Raises Invalid for a command with secrets when no key is configured."""
        if self._fernet is None and has_secrets(command):
            raise Invalid(
                "the command carries a secret and this deployment has no key to keep it with:"
                " set [secrets] keys, or send the command without the secret"
            )

    def seal(self, secret: Secret) -> str:
        """The text that the ledger keeps; empty for a wiped secret. Raises Undecipherable."""
        text = secret.reveal()
        if not text:
            return ""
        if self._fernet is None:
            raise Undecipherable("no key is configured to encrypt secrets with")
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, token: str) -> Secret:
        """Back from `seal`; raises Undecipherable when no configured key fits."""
        if not token:
            return WIPED
        if self._fernet is None:
            raise Undecipherable("no key is configured to decrypt secrets with")
        try:
            return Secret(self._fernet.decrypt(token.encode()).decode())
        except InvalidToken:
            raise Undecipherable("none of the configured keys opens a stored secret") from None

    def fingerprint(self, command: Command) -> str:
        """What tells whether two commands of one id say the same.

        SHA-256 of the content without its secrets; with secrets `.<key id>.<HMAC of the secrets>`
        follows. The trace is no content: a publisher's second try has another one.
        """
        plain, secrets = _content(command)
        if not secrets or not self._stamps:
            return plain
        key, stamp = next(iter(self._stamps.items()))
        return f"{plain}.{key}.{_hmac(stamp, secrets)}"

    def matches(self, command: Command, stored: str) -> bool:
        """Whether the command says what `fingerprint` said of the stored one, under any key.

        Secrets whose key is no longer configured cannot be compared: the rest then decides.
        """
        plain, secrets = _content(command)
        known, _, sealed = stored.partition(".")
        if plain != known or bool(secrets) != bool(sealed):
            return False
        key, _, digest = sealed.partition(".")
        stamp = self._stamps.get(key)
        return stamp is None or hmac.compare_digest(_hmac(stamp, secrets), digest)


def has_secrets(command: Command) -> bool:
    """Whether the command carries a secret that was not wiped."""
    return any(secret != WIPED for secret in _walk(command.body))


def was_wiped(command: Command) -> bool:
    """Whether the command carried a secret that is gone."""
    return any(secret == WIPED for secret in _walk(command.body))


def wipe(command: Command) -> Command:
    """The command with an empty marker for every secret; the same object when it has none."""
    return replace(command, body=_map(command.body, WIPED)) if has_secrets(command) else command


def _hmac(stamp: bytes, secrets: list[bytes]) -> str:
    return hmac.digest(stamp, b"\0".join(secrets), "sha256").hex()


def _content(command: Command) -> tuple[str, list[bytes]]:
    """SHA-256 (hex) over the canonical JSON without secrets, and the secrets."""
    secrets: list[bytes] = []

    def hide(value: Any) -> Any:
        if isinstance(value, Secret):
            secrets.append(value.reveal().encode())
            return _MARK
        raise TypeError(f"cannot encode {type(value).__name__}")

    content = (command.type, command.source, command.subject, told(command.body))
    text = msgspec.json.encode(content, enc_hook=hide, order="sorted")
    return hashlib.sha256(text).hexdigest(), secrets


def _walk(value: Any) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _walk(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _walk(item)


def _map(value: Any, secret: Secret) -> Any:
    if isinstance(value, Secret):
        return secret
    if isinstance(value, msgspec.Struct):
        names = value.__struct_fields__
        return replace(value, **{name: _map(getattr(value, name), secret) for name in names})
    if isinstance(value, tuple):
        return tuple(_map(item, secret) for item in value)
    return value

"""The vault: sealing, comparing, wiping, rotation; and what it never says."""

import pytest

from consumer.secrets import Undecipherable, Vault, has_secrets, was_wiped, wipe
from handlers.commands import Body, Command, CreateInstance, DeleteInstance, Invalid
from handlers.parts import Network
from handlers.secret import Secret

TEXT = "canary-4b1d"


def command(user_data: str | None = TEXT, *, trace: str | None = None, name: str = "db") -> Command:
    body = CreateInstance(
        project="p1",
        name=name,
        flavor="f1",
        image="i1",
        networks=(Network(network="n1"),),
        user_data=None if user_data is None else Secret(user_data),
    )
    return Command(id="c1", subject="s1", source="test", body=body, trace=trace)


def user_data(of: Command) -> Secret | None:
    assert isinstance(of.body, CreateInstance)
    return of.body.user_data


def test_what_is_sealed_is_opened_by_the_same_key_only() -> None:
    vault = Vault([Vault.new_key()])
    token = vault.seal(Secret(TEXT))
    assert TEXT not in token
    assert vault.unseal(token) == Secret(TEXT)
    with pytest.raises(Undecipherable):
        Vault([Vault.new_key()]).unseal(token)
    with pytest.raises(Undecipherable):
        Vault().unseal(token)
    with pytest.raises(Undecipherable):
        vault.unseal(token[:-4] + "AAAA")


def test_the_first_key_seals_and_all_keys_open() -> None:
    old, new = Vault.new_key(), Vault.new_key()
    rotated = Vault([new, old])
    assert rotated.unseal(Vault([old]).seal(Secret(TEXT))) == Secret(TEXT)
    assert Vault([new]).unseal(rotated.seal(Secret(TEXT))) == Secret(TEXT)


def test_a_wiped_secret_is_an_empty_text() -> None:
    vault = Vault()
    assert vault.seal(Secret("")) == ""
    assert vault.unseal("") == Secret("")


def test_nothing_is_sealed_without_a_key() -> None:
    with pytest.raises(Undecipherable):
        Vault().seal(Secret(TEXT))


def test_without_a_key_a_command_with_a_secret_is_refused_with_advice() -> None:
    with pytest.raises(Invalid, match=r"\[secrets\] keys") as caught:
        Vault().admit(command())
    assert TEXT not in str(caught.value)


@pytest.mark.parametrize("body", [command(None).body, DeleteInstance(project="p1")])
def test_without_a_key_other_commands_are_admitted(body: Body) -> None:
    Vault().admit(Command(id="c1", subject="s1", source="test", body=body))


def test_with_a_key_every_command_is_admitted() -> None:
    Vault([Vault.new_key()]).admit(command())


@pytest.mark.parametrize("key", ["", "short", "x" * 44, TEXT])
def test_a_malformed_key_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ValueError, match="secret key 2") as caught:
        Vault([Vault.new_key(), key])
    assert not key or key not in str(caught.value)
    assert caught.value.__cause__ is None


def test_errors_and_fingerprints_show_neither_key_nor_secret() -> None:
    key = Vault.new_key()
    vault = Vault([key])
    assert TEXT not in vault.fingerprint(command())
    assert key not in vault.fingerprint(command())
    with pytest.raises(Undecipherable) as caught:
        vault.unseal(Vault([Vault.new_key()]).seal(Secret(TEXT)))
    assert key not in str(caught.value)
    assert TEXT not in repr(command())


def test_a_fingerprint_tells_contents_apart() -> None:
    vault = Vault([Vault.new_key()])
    stored = vault.fingerprint(command())
    assert vault.matches(command(), stored)
    assert vault.matches(command(trace="00-1-2-01"), stored)
    for other in (command("other"), command(None), command(name="other")):
        assert not vault.matches(other, stored)
    assert not vault.matches(command(), vault.fingerprint(command(None)))


def test_a_fingerprint_holds_under_rotation() -> None:
    old, new = Vault.new_key(), Vault.new_key()
    stored = Vault([old]).fingerprint(command())
    rotated = Vault([new, old])
    assert rotated.matches(command(), stored)
    assert not rotated.matches(command("other"), stored)
    assert rotated.fingerprint(command()) != stored


def test_when_the_key_is_gone_the_rest_of_the_content_decides() -> None:
    stored = Vault([Vault.new_key()]).fingerprint(command())
    vault = Vault([Vault.new_key()])
    assert vault.matches(command("other"), stored)
    assert not vault.matches(command(name="other"), stored)


def test_a_fingerprint_without_secrets_needs_no_key() -> None:
    stored = Vault([Vault.new_key()]).fingerprint(command(None))
    assert Vault().matches(command(None), stored)


def test_a_secret_cannot_be_guessed_from_its_fingerprint_without_the_key() -> None:
    prints = {Vault([Vault.new_key()]).fingerprint(command()) for _ in range(2)}
    assert len(prints) == 2


def test_wiping_leaves_the_rest_and_is_seen() -> None:
    wiped = wipe(command())
    assert user_data(wiped) == Secret("")
    assert (has_secrets(command()), was_wiped(command())) == (True, False)
    assert (has_secrets(wiped), was_wiped(wiped)) == (False, True)
    assert wiped.id == "c1"
    bare = command(None)
    assert wipe(bare) is bare
    assert not was_wiped(bare)

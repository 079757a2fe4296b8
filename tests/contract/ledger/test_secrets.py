"""No secret is in clear anywhere, and none is kept longer than its operation."""

from consumer.ledger.base import Ledger
from consumer.secrets import Vault
from handlers.commands import CreateInstance
from handlers.operation import Operation
from tests.contract.ledger.builders import (
    CANARY,
    accept,
    create,
    failure,
    offer,
    opened,
    opener,
    record,
    success,
)
from tests.contract.ledger.sites import Site, SqlSite


def secret_of(op: Operation | None) -> str:
    assert op is not None
    assert isinstance(op.command.body, CreateInstance)
    assert op.command.body.user_data is not None
    return op.command.body.user_data.reveal()


def test_no_table_holds_a_secret_in_clear(sql_site: SqlSite) -> None:
    ledger, clock = sql_site.ledger, sql_site.clock
    accept(ledger, offer("c0", "s0", body=create(secret=CANARY)))
    op = ledger.save(opened(ledger, "c1", "s1", secret=CANARY))
    assert secret_of(op) == CANARY
    assert CANARY not in sql_site.content()
    ledger.finish(failure(opened(ledger, "c2", "s2", secret=CANARY), clock.now(), record("s2")))
    ledger.expire(clock.now() + 1, clock.now())
    assert CANARY not in sql_site.content()


def test_no_file_of_the_database_holds_a_secret_in_clear(site: Site) -> None:
    opened(site.ledger, secret=CANARY)
    if isinstance(site, SqlSite) and site.engine.dialect.name == "sqlite":
        assert site.files() != b""
        assert CANARY.encode() not in site.files()
    assert CANARY not in site.content()


def test_the_end_wipes_the_secret_and_its_cipher_text(site: Site) -> None:
    ledger, clock = site.ledger, site.clock
    op = opened(ledger, secret=CANARY)
    finished = ledger.finish(success(op, clock.now(), record()))
    assert secret_of(finished) == ""
    assert secret_of(ledger.operation("c1")) == ""
    assert "gAAAA" not in site.content()


def test_what_expires_is_wiped_too(site: Site) -> None:
    accept(site.ledger, offer("c1", body=create(secret=CANARY)))
    site.ledger.expire(site.clock.now() + 1, site.clock.now())
    assert secret_of(site.ledger.operation("c1")) == ""
    assert "gAAAA" not in site.content()


def test_a_wiped_command_is_still_known(site: Site) -> None:
    site.ledger.finish(success(opened(site.ledger, secret=CANARY), site.clock.now(), record()))
    known, conflict = site.ledger.accept(
        [offer("c1", body=create(secret=CANARY)), offer("c1", body=create(secret="x"))], "w1"
    )
    assert (known.value, conflict.value) == ("known", "conflict")


def test_another_process_with_the_key_reads_the_secret(site: Site) -> None:
    accept(site.ledger, offer("c1", body=create(secret=CANARY)))
    (op,) = site.another().open("w2", opener, 10)
    assert secret_of(op) == CANARY


def test_views_show_no_secret_and_need_no_key(sql_site: SqlSite) -> None:
    opened(sql_site.ledger, secret=CANARY)
    keyless = sql_site.another(Vault())
    assert secret_of(keyless.operation("c1")) == ""
    assert [secret_of(op) for op in keyless.operations()] == [""]


def test_a_worker_without_the_key_leaves_the_operation_to_others(sql_site: SqlSite) -> None:
    ledger: Ledger = sql_site.ledger
    accept(ledger, offer("c1", body=create(secret=CANARY)), offer("c2", "s2"))
    keyless = sql_site.another(Vault([Vault.new_key()]))
    assert [op.id for op in keyless.open("w2", opener, 10)] == ["c2"]
    assert [op.id for op in ledger.open("w1", opener, 10)] == ["c1"]


def test_a_rotated_key_still_reads_and_compares(sql_site: SqlSite) -> None:
    old, new = Vault.new_key(), Vault.new_key()
    before, after = sql_site.another(Vault([old])), sql_site.another(Vault([new, old]))
    accept(before, offer("c1", body=create(secret=CANARY)))
    (verdict,) = after.accept([offer("c1", body=create(secret=CANARY))], "w1")
    assert verdict.value == "known"
    (op,) = after.open("w1", opener, 10)
    assert secret_of(op) == CANARY

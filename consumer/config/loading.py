"""Reading the settings: files, environment, secrets in files."""

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec.inspect as mi
from oslo_config import cfg

from consumer.config import options
from consumer.config.settings import Settings
from consumer.config.validation import problems
from handlers.secret import Secret

PROJECT = "trove-resources"


class Misconfigured(Exception):
    """The configuration cannot be used; the message says what to do, one sentence per line."""


def load(args: Sequence[str] = (), environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of configuration files and environment; raises Misconfigured.

    `args` are `--config-file FILE` and `--config-dir DIR`, each as often as wanted; without them
    /etc/trove-resources/trove-resources.conf and its like are read if they are there. The
    environment (`OS_<GROUP>__<OPTION>`) wins over files; `environment` is where misspelt ones are
    looked for.
    """
    conf = cfg.ConfigOpts()
    for group, struct in options.groups():
        conf.register_group(group)
        conf.register_opts(options.options(group.name, struct), group=group)
    try:
        conf(args=list(args), project=PROJECT)
    except cfg.Error as error:
        raise Misconfigured(str(error).strip()) from None
    settings = Settings(
        **{group.name: _read(conf, group.name, struct) for group, struct in options.groups()}
    )
    wrong = [
        *_unknown(conf.config_file or []),
        *_unknown_variables(environment),
        *problems(settings),
    ]
    if wrong:
        raise Misconfigured("\n".join(wrong))
    return settings


def _read(conf: cfg.ConfigOpts, group: str, struct: mi.StructType) -> Any:
    """One group's struct with the values of `conf`."""
    return struct.cls(
        **{
            field.name: _secret(conf, group, field.name)
            if options.is_secret(field)
            else _frozen(_value(conf, group, field.name))
            for field in struct.fields
        }
    )


def _value(conf: cfg.ConfigOpts, group: str, name: str) -> Any:
    """One option's value; oslo.config checks it only now."""
    try:
        return conf[group][name]
    except (cfg.Error, ValueError) as error:
        if isinstance(error, cfg.TemplateSubstitutionError | cfg.NoSuchOptError):
            reason = "write $$ for every dollar sign in it"
        else:
            reason = str(error).split("is not valid: ")[-1].strip()
        raise Misconfigured(f"[{group}] {name} is not valid: {reason}.") from None


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _secret(conf: cfg.ConfigOpts, group: str, name: str) -> Secret:
    path = _value(conf, group, f"{name}_file")
    if not path:
        return Secret(_value(conf, group, name))
    try:
        return Secret(Path(path).read_text(encoding="utf-8").strip())
    except OSError as error:
        raise Misconfigured(
            f"[{group}] {name}_file: {path} cannot be read ({error.strerror}): "
            f"make it readable for the worker, or set [{group}] {name}."
        ) from None


def _unknown(files: Sequence[str]) -> Iterator[str]:
    """Options in the files that nobody reads: a typing error would go unnoticed otherwise.

    Groups that oslo.messaging reads (`[oslo_messaging_rabbit]` ...) are left alone.
    """
    known = _known()
    for path in files:
        sections: dict[str, dict[str, list[str]]] = {}
        cfg.ConfigParser(path, sections).parse()
        for group, found in sections.items():
            if group.startswith("oslo_"):
                continue
            if group not in known:
                yield f"{path}: [{group}] is no group of options{_like(group, known)}."
                continue
            for name in sorted(found.keys() - known[group]):
                yield f"{path}: [{group}] {name} is no option{_like(name, known[group])}."


def _unknown_variables(environment: Mapping[str, str]) -> Iterator[str]:
    """The same for the environment. A group that is not ours may be another program's."""
    known = _known()
    for variable in sorted(environment):
        group, separator, name = variable.removeprefix("OS_").lower().partition("__")
        if not variable.startswith("OS_") or not separator or group not in known:
            continue
        if name not in known[group]:
            yield f"{variable}: [{group}] {name} is no option{_like(name, known[group])}."


def _known() -> dict[str, set[str]]:
    """The options of every group."""
    return {
        group.name: {option.dest for option in options.options(group.name, struct)}
        for group, struct in options.groups()
    }


def _like(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f", did you mean {close[0]}" if close else ""

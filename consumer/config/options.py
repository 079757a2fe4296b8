"""The oslo.config options, made from the structs of settings.py."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import msgspec.inspect as mi
from oslo_config import cfg, types

from consumer.config.settings import Settings
from handlers.secret import Secret

#: Defaults that differ from host to host: what the sample file shows instead.
_SAMPLE_DEFAULTS = {("worker", "host"): "<host name>"}


def groups() -> Iterator[tuple[cfg.OptGroup, mi.StructType]]:
    """Each group of the configuration file with the struct behind it."""
    for field in _struct(mi.type_info(Settings)).fields:
        struct = _struct(field.type)
        yield cfg.OptGroup(field.name, help=struct.cls.__doc__), struct


def options(group: str, struct: mi.StructType) -> list[cfg.Opt]:
    """The options of one group; a secret one has a twin `<name>_file` that names a file."""
    return [option for field in struct.fields for option in _options(group, field)]


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """For oslo-config-generator and oslo-config-validator (entry point oslo.config.opts)."""
    return [(group, options(group.name, struct)) for group, struct in groups()]


def is_secret(field: mi.Field) -> bool:
    """Whether the field holds something that nobody may read."""
    kind, _ = _unwrap(field.type)
    return isinstance(kind, mi.CustomType) and kind.cls is Secret


def _options(group: str, field: mi.Field) -> Iterable[cfg.Opt]:
    kind, text = _unwrap(field.type)
    default = _default(field)
    sample: dict[str, Any] = {}
    if (group, field.name) in _SAMPLE_DEFAULTS:
        sample["sample_default"] = _SAMPLE_DEFAULTS[group, field.name]
    if is_secret(field):
        yield cfg.StrOpt(field.name, default=default.reveal(), secret=True, help=text)
        yield cfg.StrOpt(
            f"{field.name}_file",
            default="",
            help=f"File that holds [{group}] {field.name}, for those who keep secrets in files.",
        )
    else:
        yield _option(kind, field.name, default=default, help=text, **sample)


def _option(kind: mi.Type, name: str, **more: Any) -> cfg.Opt:
    """One option of the type that the struct's field has."""
    if isinstance(kind, mi.VarTupleType):
        more["default"] = list(more["default"])
    return cfg.Opt(name, type=_type(kind), **more)


def _type(kind: mi.Type) -> Any:
    """oslo.config's parser for a type; it also refuses what is out of bounds."""
    match kind:
        case mi.IntType():
            return types.Integer(min=kind.ge, max=kind.le)
        case mi.FloatType():
            return types.Float(min=kind.ge, max=kind.le)
        case mi.LiteralType():
            return types.String(choices=list(kind.values))
        case mi.BoolType() | mi.VarTupleType() | mi.DictType():
            return _compound(kind)
        case _:
            return types.String()


def _compound(kind: mi.BoolType | mi.VarTupleType | mi.DictType) -> Any:
    match kind:
        case mi.BoolType():
            return types.Boolean()
        case mi.VarTupleType():
            return types.List(_type(kind.item_type))
        case mi.DictType():
            return types.Dict(_type(kind.value_type))


def _default(field: mi.Field) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _struct(kind: mi.Type) -> mi.StructType:
    if not isinstance(kind, mi.StructType):
        raise TypeError(f"a group of settings is a struct, not {kind}")
    return kind


def _unwrap(kind: mi.Type) -> tuple[mi.Type, str]:
    """The type behind an annotation, and the annotation's text."""
    if isinstance(kind, mi.Metadata):
        return kind.type, (kind.extra_json_schema or {}).get("description", "")
    return kind, ""

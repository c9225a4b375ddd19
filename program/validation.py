"""Runs the schema over a read file and turns every fault into one line with a hint.

After a fault the faulty setting is left out and the rest is validated again, so that one typing
error does not hide what `lint` would find elsewhere. Does not belong here: rules across settings.
"""

from __future__ import annotations

import copy
import difflib
import re
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from program.paths import Finding, SettingPath, format_path
from program.schema_plans import COMPONENT_MODELS
from program.schema_sources import SOURCE_MODELS
from program.yaml_lines import Document

ModelT = TypeVar("ModelT", bound=BaseModel)
KIND_MODELS = (COMPONENT_MODELS, SOURCE_MODELS)
LIST_ERRORS = ("tuple_type", "list_type")
MAPPING_ERRORS = ("model_type", "model_attributes_type", "dict_type")
TYPE_MESSAGES = {
    "int_type": ("must be a whole number", ""),
    "bool_type": ("must be true or false", ""),
    "string_type": ("must be text", "put it in quotes"),
    **dict.fromkeys(LIST_ERRORS, ("must be a list", "write [a, b], or '- ' lines")),
    **dict.fromkeys(MAPPING_ERRORS, ("must be a mapping of settings", "write name: value lines")),
}


@dataclass
class Validated(Generic[ModelT]):
    """The model as far as it is valid, and which parts of the file it stands for.

    value: None when not even a reduced file is valid. faulty: paths in the file with a problem.
    dropped: list items that are left out of the value.
    """

    document: Document
    value: ModelT | None = None
    faulty: set[SettingPath] = field(default_factory=set)
    dropped: set[SettingPath] = field(default_factory=set)

    def original(self, path: SettingPath) -> SettingPath:
        """Path in the file of a path in `value`: list positions shift when items are left out."""
        translated: SettingPath = ()
        for part in path:
            if isinstance(part, int):
                position = 0
                skips = part
                while (*translated, position) in self.dropped or skips:
                    skips -= (*translated, position) not in self.dropped
                    position += 1
                part = position
            translated = (*translated, part)
        return translated

    def add(self, findings: Iterable[Finding]) -> None:
        """Add findings about `value`, except where a fault in the file may have caused them."""
        for path, message, hint in findings:
            original = self.original(path)
            if not any(_overlap(original, fault) for fault in self.faulty):
                self.document.add_problem(original, message, hint)


def _overlap(one: SettingPath, other: SettingPath) -> bool:
    """Whether one setting contains the other."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def validate(
    document: Document, model: type[ModelT], stand_ins: Mapping[str, Any] | None = None
) -> Validated[ModelT]:
    """Validate a file against a model, adding all problems to the document.

    stand_ins: top-level settings without a default -> a valid value that takes the place of a
    faulty one, so that the rest can still be checked. The result is then never used as terms.
    """
    result: Validated[ModelT] = Validated(document)
    # What could not be read is already a problem: its setting must not be reported again.
    unread = {problem.setting for problem in document.problems}
    if document.value is None:
        return result
    remaining = copy.deepcopy(document.value)
    if not isinstance(remaining, dict):
        document.add_problem((), "must be a mapping of settings", "write name: value lines")
        return result
    first_round = True
    while result.value is None:
        try:
            result.value = model.model_validate(remaining)
        except ValidationError as error:
            errors = _independent(error.errors(include_url=False))
            if first_round:
                _report(document, model, errors, unread, result)
            if not _drop(remaining, errors, result, dict(stand_ins or {})):
                break
        first_round = False
    return result


def _independent(errors: list[Any]) -> list[Any]:
    """Without lists that are too short only because their items are faulty."""
    return [
        error
        for error in errors
        if error["type"] != "too_short"
        or not any(
            len(other["loc"]) > len(error["loc"])
            and other["loc"][: len(error["loc"])] == error["loc"]
            for other in errors
        )
    ]


def _report(
    document: Document,
    model: type[BaseModel],
    errors: list[Any],
    unread: set[str],
    result: Validated[Any],
) -> None:
    paths = [_document_path(document.value, error["loc"]) for error in errors]
    for error, path in zip(errors, paths, strict=True):
        missing = error["type"] == "missing"
        result.faulty.add((*path, error["loc"][-1]) if missing else path)
        if format_path(path) in unread:
            continue
        path, message, hint = _describe(model, error, path)
        document.add_problem(path, message, hint)


def _document_path(value: Any, loc: tuple[str | int, ...]) -> SettingPath:
    """Pydantic's location without the names of union members and key markers."""
    path: SettingPath = ()
    for part in loc:
        is_key = isinstance(value, dict) and part in value
        if is_key or (isinstance(value, list) and isinstance(part, int) and part < len(value)):
            value = value[part]
            path = (*path, part)
    return path


def _drop(value: Any, errors: list[Any], result: Validated[Any], stand_ins: dict[str, Any]) -> bool:
    """Leave out what is faulty; False when nothing more can be done."""
    paths = {_document_path(value, error["loc"]) for error in errors} - {()}
    absent = [error["loc"][0] for error in errors if len(error["loc"]) == 1]
    replaced = {name: stand_ins[name] for name in absent if name in stand_ins and name not in value}
    value.update(replaced)
    if not paths and not replaced:
        return False
    # From the back, so that positions in front of a removed list item stay right.
    originals = {path: result.original(path) for path in paths}
    for path in sorted(paths, key=_position_order, reverse=True):
        container = value
        try:
            for part in path[:-1]:
                container = container[part]
            del container[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue
        if isinstance(path[-1], int):
            result.dropped.add(originals[path])
    return True


def _position_order(path: SettingPath) -> tuple[tuple[bool, int, str], ...]:
    return tuple(
        (isinstance(part, int), part if isinstance(part, int) else 0, str(part)) for part in path
    )


def _describe(
    model: type[BaseModel], error: Any, path: SettingPath
) -> tuple[SettingPath, str, str]:
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "extra_forbidden":
        return (path, *_unknown_setting(model, error["loc"]))
    if kind == "missing":
        name = str(error["loc"][-1])
        return (*path, name), "is missing", f"add {name} here"
    if kind == "union_tag_not_found":
        return (*path, "kind"), "is missing", f"add kind: {_kinds(model, error['loc'])}"
    if error.get("input", True) is None:
        return path, "has no value", "give it one, or remove the line to use the default"
    if kind == "union_tag_invalid":
        expected = re.findall(r"'([^']*)'", context["expected_tags"])
        return (*path, "kind"), *_not_one_of(context["tag"], expected)
    if kind == "literal_error":
        expected = re.findall(r"'([^']*)'", context["expected"])
        return (path, *_not_one_of(error["input"], expected))
    if kind in TYPE_MESSAGES:
        return (path, *TYPE_MESSAGES[kind])
    if kind == "value_error":
        return path, str(context["error"]), ""
    if kind == "greater_than_equal":
        return path, f"must be {context['ge']} or more", ""
    if kind == "less_than_equal":
        return path, f"must be {context['le']} or less", ""
    if kind == "too_short" and context["min_length"] == 1:
        return (path, *_empty(model, error["loc"]))
    if kind in ("too_short", "too_long"):
        bound = context.get("min_length") or context.get("max_length")
        most = "at least" if kind == "too_short" else "at most"
        return path, f"must have {most} {bound} entries", f"write {bound} of them"
    return path, error["msg"][0].lower() + error["msg"][1:], ""


def _empty(model: type[BaseModel], loc: tuple[str | int, ...]) -> tuple[str, str]:
    """A list or mapping without entries: what its first one would look like."""
    name = str(loc[-1])
    owner = _model_at(model, loc[:-1])
    found = _setting(owner, name) if owner else None
    if found is None:
        return f"needs at least one entry under {name}", ""
    of_entry = _plain(found.annotation)
    if get_origin(of_entry) is dict:
        first = "NAME: ..." if name == "sources" else "USD: 50.00"
        hint = f"write one under {name}, such as {first}"
    else:
        item = _plain(get_args(of_entry)[0])
        if isinstance(item, type) and issubclass(item, BaseModel):
            required = [n for n in _setting_names(item) if _setting(item, n).is_required()]
            hint = f"write '- ' under {name} and give it {' and '.join(required or ['settings'])}"
        elif get_origin(item) is Literal:
            hint = f"name one of {', '.join(get_args(item))}"
        else:
            hint = f"write {name}: [...] with one of them"
    if not found.is_required():
        hint += f", or remove {name} to use the default"
    return f"needs at least one entry under {name}", hint


def _setting(model: type[BaseModel], name: str) -> FieldInfo | None:
    return next((f for key, f in model.model_fields.items() if name in (key, f.alias)), None)


def _not_one_of(value: Any, expected: list[str]) -> tuple[str, str]:
    choices = ", ".join(expected)
    nearest = difflib.get_close_matches(str(value), expected, n=1, cutoff=0.5)
    if len(str(value)) > 40 or not str(value).isprintable():
        return f"must be one of {choices}", ""
    hint = f"did you mean {nearest[0]}?" if nearest else ""
    return f"{value!r} is not one of {choices}", hint


def _unknown_setting(model: type[BaseModel], loc: tuple[str | int, ...]) -> tuple[str, str]:
    name = str(loc[-1])
    owner = _model_at(model, loc[:-1])
    if owner is None:
        return "unknown setting", "remove it"
    for by_kind in KIND_MODELS:
        own_kind = next((kind for kind, member in by_kind.items() if member is owner), None)
        others = [kind for kind, member in by_kind.items() if name in _setting_names(member)]
        if own_kind and others:
            belongs = " and ".join(others)
            return f"belongs to kind {belongs}, not to {own_kind}", "remove it or change the kind"
    valid = _setting_names(owner)
    nearest = difflib.get_close_matches(name.lower(), valid, n=1, cutoff=0.5)
    if nearest:
        return "unknown setting", f"did you mean {nearest[0]}?"
    return "unknown setting", f"valid here: {', '.join(valid)}"


def _setting_names(model: type[BaseModel]) -> list[str]:
    return [item.alias or name for name, item in model.model_fields.items()]


def _kinds(model: type[BaseModel], loc: tuple[str | int, ...]) -> str:
    return " or ".join(COMPONENT_MODELS if "components" in loc else SOURCE_MODELS)


def _model_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model whose keys stand at a location, following lists, mappings and union members."""
    current: Any = model
    for part in loc:
        current = _step(_plain(current), part)
    current = _plain(current)
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _plain(annotation: Any) -> Any:
    """Without Annotated and without the None of an optional setting."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        return _plain(members[0]) if len(members) == 1 else annotation
    return annotation


def _step(annotation: Any, part: str | int) -> Any:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        for by_kind in KIND_MODELS:
            if by_kind.get(str(part)) in get_args(annotation):
                return by_kind[str(part)]
        return None
    if origin is tuple:
        return get_args(annotation)[0]
    if origin is dict:
        return get_args(annotation)[1]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, item in annotation.model_fields.items():
            if part in (name, item.alias):
                return item.annotation
    return None

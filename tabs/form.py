"""A form: fields of a pydantic model, and the components that show them, both ways.

A component begins with the model's own default, and `Form.read` gives one typed object; nothing of the model is said
again on the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import gradio as gr
from pydantic import BaseModel, ValidationError

from pipeline.errors import ChatError
from tabs.wiring import Updates, Values

__all__ = ["HOURS", "LIST", "SAME", "TEXT", "ZERO_IS_NONE", "Codec", "Form", "FormField", "form_field"]

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Codec:
    """How a component shows a field's value, and what its value says of the field."""

    show: Callable[[Any], Any]
    read: Callable[[Any], Any]


SAME = Codec(lambda value: value, lambda value: value)
ZERO_IS_NONE = Codec(lambda value: value or 0, lambda value: value or None)
HOURS = Codec(lambda minutes: (minutes or 0) / 60, lambda hours: (hours or 0) * 60 or None)
TEXT = Codec(lambda value: value or "", lambda value: (value or "").strip() or None)
LIST = Codec(list, lambda values: tuple(values or ()))


@dataclass(frozen=True)
class FormField:
    """A field of a model on the page.

    show: the field's value -> a value for each component. read: a value of each component -> the field's value.
    """

    components: tuple[gr.components.Component, ...]
    show: Callable[[Any], Sequence[Any]]
    read: Callable[..., Any]


def form_field(
    model: type[BaseModel], name: str, kind: type[gr.components.Component], codec: Codec = SAME, **settings: Any
) -> FormField:
    """A field shown by one component, made here with the field's default; it is called what the model says of it."""
    info = model.model_fields[name]
    value = None if info.is_required() else codec.show(info.get_default(call_default_factory=True))
    component = kind(value=value, **{"label": info.description, **settings})
    return FormField((component,), lambda value: (codec.show(value),), codec.read)


@dataclass(frozen=True)
class Form(Generic[Model]):
    """Some fields of `model`, by name.

    make: how the object comes of the fields that were read; it may raise pydantic's ValidationError.
    """

    model: type[Model]
    fields: Mapping[str, FormField]
    make: Callable[[dict[str, Any]], Model] | None = None

    @property
    def components(self) -> list[Any]:
        """All components, the inputs of a handler that reads the form."""
        return [component for field in self.fields.values() for component in field.components]

    def __getitem__(self, name: str) -> Any:
        """The component of a field that has one."""
        (component,) = self.fields[name].components
        return component

    def read(self, values: Values, **others: Any) -> Model:
        """What the components say, with other fields as given. Raises ChatError where that cannot be used."""
        asked = {name: field.read(*map(values.__getitem__, field.components)) for name, field in self.fields.items()}
        try:
            return self.make({**others, **asked}) if self.make else self.model(**{**others, **asked})
        except ValidationError as error:
            reasons = "; ".join(map(self._reason, error.errors()))
            raise ChatError(f"A setting cannot be used: {reasons}.") from None

    def _reason(self, problem: Any) -> str:
        """What is wrong, and with which of the settings as the page calls it."""
        name = str(problem["loc"][0]) if problem["loc"] else ""
        field = self.fields.get(name)
        label = getattr(field.components[0], "label", None) if field else name
        said = str(problem["msg"]).removeprefix("Value error, ")
        return f"{label}: {said[:1].lower()}{said[1:]}" if label else said

    def show(self, values: Mapping[str, Any] | Model) -> Updates:
        """The components' values for an object, or for some fields."""
        updates: Updates = {}
        for name, field in self.fields.items():
            if isinstance(values, BaseModel):
                shown = field.show(getattr(values, name))
            elif name in values:
                shown = field.show(values[name])
            else:
                continue
            updates |= dict(zip(field.components, shown, strict=True))
        return updates

    @property
    def defaults(self) -> Updates:
        """The components' values as they are at first."""
        fields = self.model.model_fields
        known = {name: fields[name].get_default(call_default_factory=True) for name in self.fields}
        return self.show({name: value for name, value in known.items() if not fields[name].is_required()})

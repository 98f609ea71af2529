"""Short references from one object to another."""

from __future__ import annotations

from attrs import frozen

from ._base import Model


@frozen(kw_only=True, repr=False)
class Reference(Model):
    """Points at another object by its id."""

    id: str | None = None
    """Id of the object."""


@frozen(kw_only=True, repr=False)
class NamedReference(Reference):
    """Points at another object by its id, with its name for display."""

    name: str | None = None
    """Name of the object."""


@frozen(kw_only=True, repr=False)
class RelatedObject(Reference):
    """Points at another object by its id and kind, such as the voucher of a balance."""

    type: str | None = None
    """Kind of the object, such as ``voucher``."""


__all__ = ["NamedReference", "Reference", "RelatedObject"]

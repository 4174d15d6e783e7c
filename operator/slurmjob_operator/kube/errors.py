"""What went wrong with the API server, by what the caller must do about it.

KubeError
├── Conflict      somebody else wrote: read again and decide again
├── NotFound      the object is gone
├── Forbidden     a rule of RBAC or admission is missing; a person has to act
│   └── Terminating   nothing new can be created there: the namespace is being deleted
├── Invalid       the API server refused what we wrote; a defect of ours, or an older CRD
└── Unavailable   try again later; a write may have taken effect
"""

from __future__ import annotations


class KubeError(Exception):
    """Base. The message never holds what a Secret holds."""


class Conflict(KubeError):
    """The resourceVersion was not the newest."""


class NotFound(KubeError):
    """There is no such object."""


class Forbidden(KubeError):
    """We may not do that."""


class Terminating(Forbidden):
    """The namespace is being deleted and takes nothing new."""


class Invalid(KubeError):
    """The API server refused the content."""


class Unavailable(KubeError):
    """No answer, 429 or 5xx."""

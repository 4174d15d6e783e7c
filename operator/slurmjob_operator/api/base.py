"""What all models share: camelCase in manifests, snake_case in code, frozen values, bounded text."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DNS_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"

MODEL_CONFIG = ConfigDict(
    alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore", str_strip_whitespace=False
)
"""Unknown keys are ignored on reading: the API server prunes what the schema does not know, and a newer
release's status must stay readable."""


class Model(BaseModel):
    """Base of everything a person writes into a manifest."""

    model_config = MODEL_CONFIG


ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=DNS_SUBDOMAIN)]
Key = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]
"""Of a Secret or ConfigMap."""


def crd(**keys: Any) -> dict[str, Any]:
    """Schema keys of Kubernetes' own (`x-kubernetes-…`) for `Field(json_schema_extra=…)`."""
    return {f"x-kubernetes-{name.replace('_', '-')}": value for name, value in keys.items()}

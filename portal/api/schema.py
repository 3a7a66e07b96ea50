"""What the OpenAPI document says beyond the views: how any operation may refuse, and what may be missing."""

from typing import Any

PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": {}, "description": "Of bad input, by field."},
    },
    "required": ["type", "title", "status", "detail"],
}
REFUSED = {
    "400": "The request has errors, said by field.",
    "401": "No token, or one that is unknown, expired or revoked.",
    "403": "The token's scope or the role of its user does not reach this far.",
    "404": "There is no such thing, or none that the user may see.",
    "429": "Too many requests a second, of which 20 are always served, or too many from an address that is not signed in; `Retry-After` says when to come again.",
}


def refusals(result: dict[str, Any], **_about: Any) -> dict[str, Any]:
    """Each operation answers any of these with problem details; what is written about one by itself stays."""
    schemas = result["components"]["schemas"]
    schemas["Problem"] = PROBLEM
    schemas["Listing"]["required"].remove("lead_url")  # drf-spectacular takes what is only read for always there
    for path, operations in result["paths"].items():
        for operation in operations.values():
            for status, why in REFUSED.items():
                if status != "404" or "{" in path:
                    operation["responses"].setdefault(status, refused(status, why))
    return result


def refused(status: str, why: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": why, "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    if status == "429":
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return answer

"""The full state of a lead at a revision, as destinations receive it. States, not changes: replays and reorderings converge."""

from typing import Any

from leads.models import Interaction, Lead
from scoring.explanation import explain

ACTS = 100  # of a lead that acts all the time the newest count; an answer of megabytes would be none


def payload(lead: Lead, revision: int) -> dict[str, Any]:
    """The body of a delivery. The lead comes with contact, listing and owner loaded."""
    contact = lead.contact
    return {
        "type": "lead.state",
        "revision": revision,
        "lead": {
            "id": str(lead.pk),
            "status": lead.status,
            "received_at": lead.received_at.isoformat(),
            "listing": {"slug": lead.listing.slug, "title": lead.listing.title, "storefront": lead.listing.storefront.slug},
            "contact": {
                "first_name": contact.first_name,
                "last_name": contact.last_name,
                "email": contact.email,
                "phone": contact.phone,
                "country": contact.country,
                "company": contact.company_name,
                "title": contact.title,
            },
            "score": {
                "total": lead.score,
                "fit": lead.fit,
                "intent": lead.intent,
                "cluster": lead.cluster,
                "explanation": [{"rule": line.rule, "points": line.points, "reason": line.reason} for line in explain(lead)],
            },
            "owner": lead.owner.username if lead.owner else None,
            "respond_by": lead.respond_by.isoformat() if lead.respond_by else None,
            "tags": lead.tags,
            "value": None if lead.value is None else f"{lead.value:.2f}",
            "interaction_count": lead.interaction_count,
            "interactions": [act(one) for one in lead.interactions.all()[:ACTS]],
        },
    }


def act(interaction: Interaction) -> dict[str, Any]:
    return {
        "id": str(interaction.pk),
        "source": interaction.source,
        "action": interaction.action,
        "description": interaction.description,
        "received_at": interaction.received_at.isoformat(),
    }

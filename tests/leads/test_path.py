"""The path of one lead, from the POST to the figures."""

from insights.offers import Period, offers


def test_an_azure_lead_walks_the_whole_path(offer, sales, arrive):
    lead = arrive(offer)
    assert (lead.contact.first_name, lead.contact.phone, lead.contact.country) == ("Ada", "+420555010203", "CZ")
    assert lead.score == lead.fit + lead.intent == sum(lead.score_points)
    assert lead.owner == sales
    assert lead.respond_by is not None
    assert [(e.campaign.kind, e.status) for e in lead.enrollments.all()] == [("demand", "active")]
    assert {a.kind for a in lead.activities.all()} == {"acted", "scored", "assigned", "enrolled"}
    assert lead.stale_since is None
    [figures] = offers(Period.last(1)).lines
    assert (figures.leads, figures.qualified, figures.median_first_response_minutes) == (1, 0, None)

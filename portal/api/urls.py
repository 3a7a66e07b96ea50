"""/api/v1/."""

from django.urls import path, re_path

from portal.api import campaigns, destinations, insights, leads, listings, submissions
from portal.problems import NoSuchAddress

urlpatterns = [
    path("storefronts/", listings.Storefronts.as_view()),
    path("listings/", listings.Listings.as_view()),
    path("submissions/", submissions.Submissions.as_view()),
    path("submissions/<uuid:pk>/", submissions.OneSubmission.as_view()),
    path("submissions/<uuid:pk>/body", submissions.SubmissionBody.as_view()),
    path("leads/", leads.Leads.as_view()),
    path("leads/<uuid:pk>/", leads.OneLead.as_view()),
    path("campaigns/", campaigns.Campaigns.as_view()),
    path("enrollments/", campaigns.Enrollments.as_view()),
    path("destinations/", destinations.Destinations.as_view()),
    path("deliveries/", destinations.Deliveries.as_view()),
    path("insights/offers/", insights.Offers.as_view()),
    re_path("", NoSuchAddress.as_view()),
]

"""/api/v1/."""

from django.urls import path, re_path

from portal.api import campaign_figures, campaigns, destinations, insights, leads, listings, plans, submissions
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
    path("campaigns/<slug:slug>/", campaigns.OneCampaign.as_view()),
    path("campaigns/<slug:slug>/stages/", campaigns.CampaignStages.as_view()),
    path("campaigns/<slug:slug>/figures/", campaigns.CampaignFigures.as_view()),
    path("campaigns/<slug:slug>/publish/", campaigns.CampaignVerb.as_view(verb="publish")),
    path("campaigns/<slug:slug>/pause/", campaigns.CampaignVerb.as_view(verb="pause")),
    path("campaigns/<slug:slug>/end/", campaigns.CampaignVerb.as_view(verb="end")),
    path("campaigns/<slug:slug>/results/", campaign_figures.CampaignResults.as_view()),
    path("campaigns/<slug:slug>/dry-run/", campaign_figures.CampaignDryRun.as_view()),
    path("campaigns/<slug:slug>/in-flight/", campaign_figures.CampaignInFlight.as_view()),
    path("mails-per-person/", campaign_figures.MailsPerPerson.as_view()),
    path("coming-mails/", campaign_figures.ComingMails.as_view()),
    path("messages/", campaigns.Messages.as_view()),
    path("strategies/", plans.Strategies.as_view()),
    path("strategies/<int:pk>/", plans.OneStrategy.as_view()),
    path("demand-activities/", plans.DemandActivities.as_view()),
    path("costs/", plans.Costs.as_view()),
    path("enrollments/", campaigns.Enrollments.as_view()),
    path("destinations/", destinations.Destinations.as_view()),
    path("deliveries/", destinations.Deliveries.as_view()),
    path("insights/offers/", insights.Offers.as_view()),
    re_path("", NoSuchAddress.as_view()),
]

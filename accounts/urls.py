"""/account/: oneself. /setup/people/ and /setup/audit/: everybody, for admins."""

from django.urls import path

from accounts import audit_pages, pages, token_pages

app_name = "accounts"
urlpatterns = [
    path("account/", pages.preferences, name="preferences"),
    path("account/tokens/", token_pages.tokens, name="tokens"),
    path("account/tokens/<int:pk>/revoke/", token_pages.revoke, name="revoke_token"),
    path("setup/people/", pages.people, name="people"),
    path("setup/people/new/", pages.person, name="invite"),
    path("setup/people/<int:pk>/", pages.person, name="person"),
    path("setup/people/<int:pk>/active/", pages.switch, name="switch"),
    path("setup/people/<int:pk>/link/", pages.send_link, name="send_link"),
    path("setup/people/teams/new/", pages.team, name="new_team"),
    path("setup/people/teams/<int:pk>/", pages.team, name="team"),
    path("setup/people/teams/<int:pk>/remove/", pages.dissolve, name="remove_team"),
    path("setup/audit/", audit_pages.audit, name="audit"),
]

"""/campaigns/, and the public /unsubscribe/ of every mail."""

from django.urls import path

from campaigns import mail_pages, pages, senders, unsubscribe

app_name = "campaigns"
urlpatterns = [
    path("unsubscribe/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
    path("campaigns/", pages.campaigns, name="list"),
    path("campaigns/senders/", senders.senders, name="senders"),
    path("campaigns/senders/<int:pk>/ask/", senders.ask_again, name="ask_again"),
    path("campaigns/senders/<int:pk>/remove/", senders.remove, name="remove_sender"),
    path("campaigns/senders/verify/<str:token>/", senders.verify, name="verify"),
    path("campaigns/suppressions/", mail_pages.suppressions, name="suppressions"),
    path("campaigns/mailbox/", mail_pages.mailbox, name="mailbox"),
    path("campaigns/mailbox/<str:key>/", mail_pages.mail, name="mail"),
    path("campaigns/<slug:slug>/", pages.detail, name="detail"),
    path("campaigns/<slug:slug>/publish/", pages.publish, name="publish"),
    path("campaigns/<slug:slug>/pause/", pages.pause, name="pause"),
    path("campaigns/<slug:slug>/messages/", pages.sent, name="messages"),
    path("campaigns/<slug:slug>/messages/<uuid:pk>/", pages.decide, name="decide"),
    path("campaigns/<slug:slug>/stages/<int:pk>/<slug:language>/", pages.text, name="text"),
    path("campaigns/<slug:slug>/stages/<int:pk>/<slug:language>/preview/", pages.preview, name="preview"),
]

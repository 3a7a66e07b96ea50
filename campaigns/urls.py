"""/campaigns/, and the public /unsubscribe/ of every mail."""

from django.urls import path

from campaigns import builder, clicks, mail_pages, pages, senders, trying, unsubscribe

app_name = "campaigns"
urlpatterns = [
    path("unsubscribe/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
    path("c/<str:token>/", clicks.click, name="click"),
    path("campaigns/", pages.campaigns, name="list"),
    path("campaigns/new/", builder.new, name="new"),
    path("campaigns/senders/", senders.senders, name="senders"),
    path("campaigns/senders/<int:pk>/ask/", senders.ask_again, name="ask_again"),
    path("campaigns/senders/<int:pk>/remove/", senders.remove, name="remove_sender"),
    path("campaigns/senders/verify/<str:token>/", senders.verify, name="verify"),
    path("campaigns/rules/", mail_pages.rules, name="rules"),
    path("campaigns/suppressions/", mail_pages.suppressions, name="suppressions"),
    path("campaigns/mailbox/", mail_pages.mailbox, name="mailbox"),
    path("campaigns/mailbox/<str:key>/", mail_pages.mail, name="mail"),
    path("campaigns/<slug:slug>/", pages.detail, name="detail"),
    path("campaigns/<slug:slug>/publish/", pages.publish, name="publish"),
    path("campaigns/<slug:slug>/pause/", pages.pause, name="pause"),
    path("campaigns/<slug:slug>/messages/", pages.sent, name="messages"),
    path("campaigns/<slug:slug>/messages/<uuid:pk>/", pages.decide, name="decide"),
    path("campaigns/<slug:slug>/draft/", builder.draft, name="draft"),
    path("campaigns/<slug:slug>/draft/drop/", builder.drop, name="drop"),
    path("campaigns/<slug:slug>/dry-run/", trying.dry, name="dry_run"),
    path("campaigns/<slug:slug>/in-flight/", trying.in_flight, name="in_flight"),
    path("campaigns/<slug:slug>/conditions/", builder.conditions, name="conditions"),
    path("campaigns/<slug:slug>/stages/", builder.add, name="add"),
    path("campaigns/<slug:slug>/stages/<int:pk>/", builder.change, name="change"),
    path("campaigns/<slug:slug>/stages/<int:pk>/move/", builder.move, name="move"),
    path("campaigns/<slug:slug>/stages/<int:pk>/duplicate/", builder.duplicate, name="duplicate"),
    path("campaigns/<slug:slug>/stages/<int:pk>/remove/", builder.remove, name="remove"),
    path("campaigns/<slug:slug>/stages/<int:pk>/<slug:language>/", builder.text, name="text"),
    path("campaigns/<slug:slug>/stages/<int:pk>/<slug:language>/test/", trying.send_test, name="send_test"),
    path("campaigns/<slug:slug>/stages/<int:pk>/<slug:language>/preview/", pages.preview, name="preview"),
]

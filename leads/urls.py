"""/leads/: the list, the record, My day, the pipeline, quarantine, imports."""

from django.urls import path

from leads.pages import archive, board, day, entry, imports, lists, quarantine, record, saved

app_name = "leads"
urlpatterns = [
    path("", lists.leads_list, name="list"),
    path("new/", entry.new, name="new"),
    path("export.csv", lists.export, name="export"),
    path("picked/status/", lists.set_status_of_picked, name="status_of_picked"),
    path("picked/export.csv", lists.export_picked, name="export_picked"),
    path("undo/<str:batch>/", lists.undo_status, name="undo"),
    path("views/", saved.save_view, name="save_view"),
    path("views/<uuid:pk>/remove/", saved.remove_view, name="remove_view"),
    path("views/<uuid:pk>/put-back/", saved.put_view_back, name="put_view_back"),
    path("my-day/", day.my_day, name="my_day"),
    path("pipeline/", board.pipeline, name="pipeline"),
    path("quarantine/everything/", archive.archive, name="archive"),
    path("quarantine/", quarantine.quarantine, name="quarantine"),
    path("quarantine/codes/", quarantine.know_code, name="know_code"),
    path("quarantine/<uuid:pk>/", quarantine.submission, name="submission"),
    path("quarantine/<uuid:pk>/run/", quarantine.run_again, name="run_again"),
    path("quarantine/<uuid:pk>/discard/", quarantine.discard, name="discard"),
    path("imports/", imports.imports, name="imports"),
    path("imports/<uuid:pk>/", imports.detail, name="import"),
    path("imports/<uuid:pk>/run/", imports.run, name="run_import"),
    path("tasks/<uuid:pk>/done/", record.finish_task, name="finish_task"),
    path("<uuid:pk>/", record.detail, name="detail"),
    path("<uuid:pk>/status/", record.set_status, name="set_status"),
    path("<uuid:pk>/notes/", record.note, name="note"),
    path("<uuid:pk>/calls/", record.call, name="call"),
    path("<uuid:pk>/wrote/", record.wrote, name="wrote"),
    path("<uuid:pk>/value/", record.value, name="value"),
    path("<uuid:pk>/tags/", record.tag, name="tag"),
    path("<uuid:pk>/tasks/", record.add_task, name="add_task"),
    path("<uuid:pk>/contact/", record.correct_contact, name="correct"),
]

"""Lists that people bring: uploaded, checked row by row, then taken in."""

import gzip
import io
import uuid
from datetime import timedelta
from typing import IO, cast

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import allow, who
from accounts.roles import OFFICE
from leads import importing
from leads.models import Disposition, Import
from listings.models import Listing

MOST_BYTES, MOST_ROWS = 10 * 1024 * 1024, 50_000
KEPT_FOR = timedelta(days=1)


class ImportForm(forms.Form):
    """A file and the listing that its leads are for."""

    listing = forms.ModelChoiceField(Listing.objects.none(), label=gettext_lazy("Listing"), empty_label=None)
    file = forms.FileField(label=gettext_lazy("CSV file"), widget=forms.FileInput({"accept": ".csv,text/csv"}))

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        choice = self.fields["listing"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = Listing.objects.for_display()
        self.fields["file"].help_text = _(
            "The first line names the columns: Email, Phone, FirstName, LastName, Company, Title, Country, Description; at most 50,000 rows and 10 MB."
        )

    def clean_file(self) -> UploadedFile:
        """The file, checked row by row; the result waits in `checked`."""
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > MOST_BYTES:
            raise forms.ValidationError(_("Larger than 10 MB: import it on the server with manage.py import_leads."))
        text = importing.opened(cast(IO[bytes], file.file))
        try:
            self.checked = importing.check(text, MOST_ROWS)
        except importing.BadFile as error:
            raise forms.ValidationError(str(error)) from None
        finally:
            text.detach()
        return file


@allow(*OFFICE)
@require_http_methods(["GET", "POST"])
def imports(request: HttpRequest) -> HttpResponse:
    """The files brought so far, and a new one."""
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        return redirect("leads:import", keep(request, form).pk)
    found = Import.objects.select_related("listing", "listing__storefront", "made_by").defer("content", "problems")[:50]
    return render(request, "leads/imports.html", {"form": form, "imports": found}, status=422 if form.errors else 200)


def keep(request: HttpRequest, form: ImportForm) -> Import:
    """Keep the checked file until it is taken in; files that nobody took in for a day are emptied."""
    Import.objects.filter(state=Import.State.CHECKED, made_at__lt=timezone.now() - KEPT_FOR).update(state=Import.State.DROPPED, content=None)
    file, result = form.cleaned_data["file"], form.checked
    file.seek(0)
    return Import.objects.create(
        listing=form.cleaned_data["listing"], file_name=(file.name or "")[:200], content=gzip.compress(file.read(), 6), made_by=who(request),
        good=result.good, bad=result.bad, problems=result.problems, unread=[said[:100] for said in result.unread[:50]],
    )  # fmt: skip


@allow(*OFFICE)
@require_GET
def detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What the check found; once taken in, what became of the rows."""
    rows = Import.objects.select_related("listing", "listing__storefront", "made_by").defer("content")
    found = get_object_or_404(rows, pk=pk)
    counts = dict(found.submissions().order_by().values_list("disposition").annotate(n=Count("pk")))
    became = [(Disposition(name).label, n, name) for name, n in sorted(counts.items(), key=lambda pair: -pair[1]) if name != Disposition.PENDING]
    leads = found.submissions().filter(disposition=Disposition.LEAD).values("lead_id").distinct().count() if counts.get(Disposition.LEAD) else 0
    settled = found.good - counts.get(Disposition.PENDING, 0)
    context = {
        "found": found,
        "became": became,
        "leads": leads,
        "settled": settled,
        "is_settled": settled >= found.good,
        "more": found.bad - len(found.problems),
    }
    return render(request, "leads/_import_progress.html" if request.headers.get("HX-Request") else "leads/import.html", context)


@allow(*OFFICE)
@require_POST
def run(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Take the checked file in."""
    found = get_object_or_404(Import, pk=pk)
    if found.state != Import.State.CHECKED or found.content is None:
        messages.warning(request, _("This file is no longer kept; upload it again."))
        return redirect("leads:import", pk)
    result = importing.run(found, opened(found))
    text = ngettext("%(n)d row taken in", "%(n)d rows taken in", result.good) % {"n": result.good}
    messages.success(request, text)
    return redirect("leads:import", pk)


def opened(found: Import) -> IO[str]:
    raw = gzip.GzipFile(fileobj=io.BytesIO(bytes(found.content or b"")))
    return importing.opened(raw)  # type: ignore[arg-type]

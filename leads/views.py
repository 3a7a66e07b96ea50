"""The lead URL as Django sees it, when a server knows nothing of leads.door; the pages of the leads are in leads/pages/."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt

from accounts.access import public
from listings.models import LeadUrl


@public
@csrf_exempt  # machines post here, and a wrong secret must meet a plain 404
def submit(request: HttpRequest, secret: str) -> HttpResponse:
    """What leads.door leaves of the lead URL: any other method is 405 for a right secret, and a wrong secret is an address that does not exist."""
    if request.method != "POST" and LeadUrl.objects.working().filter(digest=LeadUrl.digest_of(secret)).exists():
        return HttpResponseNotAllowed(["POST"])
    raise Http404

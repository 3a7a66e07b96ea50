"""The web process: the door of the leads (leads.door), and behind it the portal."""

import logging
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
portal = get_wsgi_application()

from leads.door import Door  # noqa: E402 - both need the applications to be loaded
from portal.logs import HideSecrets  # noqa: E402
from portal.start import check_at_start  # noqa: E402

application = Door(portal)
# What fails before Django hears of it, or beyond it, the servers log with its path.
for name in ("gunicorn.error", "waitress"):
    logging.getLogger(name).addFilter(HideSecrets())
logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # that every thread is busy is no news

check_at_start()

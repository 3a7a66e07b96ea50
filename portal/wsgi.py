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
# What fails before Django hears of it, gunicorn logs with its path.
logging.getLogger("gunicorn.error").addFilter(HideSecrets())

check_at_start()

"""Asks a web server on this machine whether it is alive: the supervisor at the start, a container's health check all the time."""

import http.client
import os
import sys
from urllib.parse import urlsplit


def is_live(port: int) -> bool:
    """Whether GET /health/live gives 200. The portal answers to its public name only, so it is asked by that name."""
    host = urlsplit(os.environ.get("PORTAL_URL", "")).hostname or "127.0.0.1"
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        line.request("GET", "/health/live", headers={"Host": host})
        return line.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


if __name__ == "__main__":
    sys.exit(not is_live(int(os.environ.get("PORT", "8000"))))

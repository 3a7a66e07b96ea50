"""What log lines must not say: addresses that are themselves a key."""

import logging
import re

SECRET_PATHS = re.compile(r"/(in|unsubscribe|senders/verify|accounts/password/reset/key)/[^\s/?'\"]+")


def hidden(text: str) -> str:
    return SECRET_PATHS.sub(r"/\1/…", text)


class HideSecrets(logging.Filter):
    """Takes secret paths out of a record before any handler sees it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = hidden(record.getMessage()), ()
        return True

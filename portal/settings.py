"""All settings, read from the environment in one place; docs/settings.md explains each variable.

Without PORTAL_URL the portal is a local one: it answers on loopback, keeps its engines and keys in the data folder, and demo users may sign in.
With PORTAL_URL (its public https address) it is in production: nothing is made up, what is missing stops the start.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from portal import env
from portal.engines.data import data_folder, keys, recorded

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = data_folder()

PORTAL_URL = env.text("PORTAL_URL").rstrip("/")
PRODUCTION = bool(PORTAL_URL)
DEBUG = env.flag("PORTAL_DEBUG", False)
if PRODUCTION and (DEBUG or urlsplit(PORTAL_URL).scheme != "https" or not urlsplit(PORTAL_URL).hostname):
    raise ImproperlyConfigured("PORTAL_URL is the public https address of the portal, and PORTAL_DEBUG is not for production.")
PORT = env.number("PORT", 8000, 1, 65535)
DEMO = env.flag("PORTAL_DEMO", not PRODUCTION)
ALLOW_LOOPBACK_DESTINATIONS = env.flag("PORTAL_ALLOW_LOOPBACK_DESTINATIONS", False)
if PRODUCTION and (DEMO or ALLOW_LOOPBACK_DESTINATIONS):
    raise ImproperlyConfigured("PORTAL_DEMO and PORTAL_ALLOW_LOOPBACK_DESTINATIONS are for a local portal, not for one with PORTAL_URL.")


def _secrets() -> tuple[str, list[str]]:
    """SECRET_KEY and PORTAL_KEYS as given; a local portal keeps its own in the data folder, made on the first start."""
    given, ours = env.text("SECRET_KEY"), env.words("PORTAL_KEYS")
    if given and ours:
        if PRODUCTION and len(given) < 50:
            raise ImproperlyConfigured("SECRET_KEY is too short; it takes at least 50 random characters.")
        return given, ours
    if PRODUCTION:
        raise ImproperlyConfigured("A portal with PORTAL_URL needs SECRET_KEY and PORTAL_KEYS; docs/operations.md says how to make them.")
    kept = keys(DATA_DIR)
    return given or kept["secret_key"], ours or kept["portal_keys"]


SECRET_KEY, PORTAL_KEYS = _secrets()
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or ([str(urlsplit(PORTAL_URL).hostname)] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
if "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS takes host names, not *.")

engines = recorded(DATA_DIR)
DATABASE_URL = env.text("DATABASE_URL") or engines.get("database_url") or ""
REDIS_URL = env.text("REDIS_URL") or engines.get("redis_url") or ""
if not DATABASE_URL and PRODUCTION:
    raise ImproperlyConfigured("A portal with PORTAL_URL needs DATABASE_URL, a PostgreSQL 18.")
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        # Without a running engine the commands that need none (check, makemessages) still work; the others say "connection refused".
        **environ.Env.db_url_config(DATABASE_URL or "postgres://portal@127.0.0.1:1/portal"),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        # A page of a long list is planned as if all of it were read; what PostgreSQL then lays out to memoize lookups takes longer than the page itself.
        "OPTIONS": {"connect_timeout": 5, "options": "-c timezone=UTC -c enable_memoize=off"},
        "TEST": {"TEMPLATE": "template0"},
    }
}
CELERY_DB_REUSE_MAX = 1_000_000  # otherwise a connection is closed before and after every task

INSTALLED_APPS = [
    "portal",
    "accounts",
    "listings",
    "leads",
    "scoring",
    "routing",
    "campaigns",
    "delivery",
    "insights",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "lucide",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "leads.door.LeadDoor",  # behind portal.wsgi only for servers that know nothing but Django
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.Idle",
    "accounts.middleware.Preferences",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "listings.middleware.OnePublisher",
    "accounts.middleware.DefaultDeny",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["django.templatetags.i18n", "portal.templatetags.look"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.shell.shell",
            ],
        },
    }
]

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:home"
# In production the proxy in front says who called (docs/operations.md); without one nobody's word is taken.
ALLAUTH_TRUSTED_PROXY_COUNT = int(PRODUCTION)
ACCOUNT_ADAPTER = "accounts.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
PASSWORD_RESET_TIMEOUT = 24 * 3600
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_SESSION_REMEMBER = None
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses are entered by admins; a second factor must not wait for a mail
MFA_TOTP_ISSUER = "Publisher Portal"

# Sessions, throttles and sign-in counters live in PostgreSQL: losing Redis must not sign anybody out.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 60 * 60
# Of how many people one person may read or export data in an hour before admins hear of it; 0 is never.
ALARM_READS = env.number("ALARM_READS", 1_000, 0, 1_000_000)
SESSION_IDLE_MINUTES = env.number("SESSION_IDLE_MINUTES", 30, 5, 720)
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "portal_cache", "OPTIONS": {"MAX_ENTRIES": 100_000}}}
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [PORTAL_URL] if PRODUCTION else []
if PRODUCTION:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^health/"]  # the container's own probe speaks plain http
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

LEAD_MAX_BYTES = env.number("LEAD_MAX_BYTES", 256 * 1024, 1024, 16 * 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_000

LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("pt-br", "Português (Brasil)"),
    ("es", "Español"),
    ("cs", "Čeština"),
    ("ru", "Русский"),
    ("nl", "Nederlands"),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_THOUSAND_SEPARATOR = False  # keys and values of forms stand in the same templates as figures, which `{% number %}` writes

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# A local portal writes its mail to files, which the portal shows; EMAIL_URL names a real server.
EMAIL_URL = env.text("EMAIL_URL")
EMAIL_FILE_PATH = str(DATA_DIR / "mail")
EMAIL_TIMEOUT = 20
if EMAIL_URL:
    vars().update(environ.Env.email_url_config(EMAIL_URL))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
# What the mail provider tells of bounces and complaints comes to /mail-events/, read by anymail.
MAIL_EVENTS = env.text("MAIL_EVENTS")
if MAIL_EVENTS and MAIL_EVENTS not in ("brevo", "mailgun", "mailjet", "postmark", "sendgrid", "sparkpost"):
    raise ImproperlyConfigured(f"MAIL_EVENTS is {MAIL_EVENTS!r}; it takes brevo, mailgun, mailjet, postmark, sendgrid or sparkpost.")
MAIL_EVENTS_SECRET = env.text("MAIL_EVENTS_SECRET")
MAIL_EVENTS_KEY = env.text("MAIL_EVENTS_KEY")
ANYMAIL = {"WEBHOOK_SECRET": MAIL_EVENTS_SECRET, "MAILGUN_WEBHOOK_SIGNING_KEY": MAIL_EVENTS_KEY or None}
if MAIL_EVENTS and (":" not in MAIL_EVENTS_SECRET or len(MAIL_EVENTS_SECRET) < 20):
    raise ImproperlyConfigured("MAIL_EVENTS_SECRET takes user:password, 20 characters or more; the provider sends it along.")
if MAIL_EVENTS == "mailgun" and not MAIL_EVENTS_KEY:
    raise ImproperlyConfigured("MAIL_EVENTS_KEY is missing: the key that Mailgun signs its webhooks with.")
DEFAULT_FROM_EMAIL = env.text("PORTAL_FROM_EMAIL", "portal@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

CELERY_BROKER_URL = REDIS_URL or "redis://127.0.0.1:1/0"
# What beat asks for and how often, in seconds. It asks for all work of portal.due, which a test holds, and less often: every worker sweeps by itself.
BEAT = {
    "leads": 5,
    "deliveries": 5,
    "campaigns": 15,
    "states": 15,
    "mail": 15,
    "notices": 30,
    "uncertain_mail": 60,
    "segments": 60,
    "splits": 600,
    "rescore": 60,
    "recount": 60,
    "decay": 60,
    "seats": 60,
    "alarms": 60,
    "seals": 300,
    "paces": 3_600,
    "months": 21_600,
}
NUDGE = "portal.due.nudge_leads"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SOFT_TIME_LIMIT, CELERY_TASK_TIME_LIMIT = 240, 300
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BEAT_SCHEDULE = {
    name: {"task": "portal.run", "schedule": seconds, "args": [name], "options": {"expires": 60}} for name, seconds in BEAT.items()
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A message only says "look": one that is lost costs a sweep of time, so none is kept for a worker that died. Keeping them would end a worker that
# holds one while Redis goes away: kombu 5.7 puts them back through a connection that it has closed, which nothing catches.
CELERY_BROKER_TRANSPORT_OPTIONS = {"ack_emulation": False, "socket_connect_timeout": 1, "socket_timeout": 2, "retry_on_timeout": False}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.tokens.BearerToken", "rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.RoleAndScope"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "NUM_PROXIES": int(PRODUCTION),
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttling.SignedIn", "accounts.throttling.Anonymous"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "portal.problems.problem_details",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Publisher Portal",
    "DESCRIPTION": "Leads of Microsoft's commercial marketplace: archived, understood, scored, assigned, nurtured, delivered, counted.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["accounts.permissions.SignedIn"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "portal.api.schema.refusals"],
    "ENUM_NAME_OVERRIDES": {
        "LeadStatus": "leads.models.Status",
        "EnrollmentStatus": "campaigns.models.Enrollment.Status",
        "ListingKind": "listings.models.ListingKind",
        "ListingState": "listings.models.Listing.State",
        "CampaignKind": "listings.models.CampaignKind",
        "CampaignState": "campaigns.models.Campaign.State",
        "StageKind": "campaigns.models.Stage.Kind",
        "DestinationState": "delivery.models.Destination.State",
        "DeliveryState": "delivery.models.Delivery.State",
        "Disposition": "leads.models.Disposition",
    },
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"hide_secrets": {"()": "portal.logs.HideSecrets"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["hide_secrets"]}},
    "root": {"handlers": ["console"], "level": "INFO"},
    # Request lines name secret URLs: each logger that writes them hides the secret before any handler, ours or a library's, sees it.
    "loggers": {
        **{name: {"level": "ERROR", "filters": ["hide_secrets"]} for name in ("django.request", "django.security.csrf", "django.server")},
        **{name: {"level": "WARNING"} for name in ("httpx2", "httpcore2")},
    },
}

"""Settings: read from the environment alone (portal/environment.py); .env.example lists every variable."""

from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from portal import logs
from portal.environment import boolean as _bool
from portal.environment import decimal as _float
from portal.environment import env
from portal.environment import integer as _int
from portal.environment import keys as _keys
from portal.environment import networks as _networks
from portal.environment import optional_secret as _optional_secret
from portal.environment import secret as _secret
from portal.environment import texts as _json
from web.addresses import Allowed

BASE_DIR = Path(__file__).resolve().parent.parent

DEMO = _bool("PORTAL_DEMO", False)
DEBUG = False
SECRET_KEY = _secret("PORTAL_SECRET_KEY", 50)
TOKEN_PEPPER = _secret("PORTAL_TOKEN_PEPPER", 32)
ENCRYPTION_KEYS = _keys("PORTAL_ENCRYPTION_KEYS")

EXTERNAL_URL = env.str("PORTAL_EXTERNAL_URL").rstrip("/")
_address = urlsplit(EXTERNAL_URL)
_secure = _address.scheme == "https"
if not _secure and not DEMO:
    raise ImproperlyConfigured("PORTAL_EXTERNAL_URL must start with https://.")
ALLOWED_HOSTS = env.list("PORTAL_ALLOWED_HOSTS", default=[_address.hostname])
CSRF_TRUSTED_ORIGINS = [EXTERNAL_URL]

INSTALLED_APPS = [
    "portal",
    "onboarding",
    "catalog",
    "tenants",
    "workflow",
    "clusters",
    "notify",
    "accounts",
    "audit",
    "work",
    "web",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "axes",
    "csp",
]

MIDDLEWARE = [
    "portal.middleware.MeasureMiddleware",
    "portal.middleware.RequestIdMiddleware",
    "portal.middleware.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SessionLifeMiddleware",
    "accounts.middleware.FreshRolesMiddleware",
    "accounts.middleware.PreferredLanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.middleware.AccessMiddleware",
    "portal.middleware.ErrorMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.navigation.navigation",
                "notify.bell.bell",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "web.templatetags.components"],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
        },
    }
]

# Persistent connections: without them a list costs three times as much (docs/architecture.md, figures).
DATABASES = {"default": env.db_url("PORTAL_DATABASE_URL")}
DATABASES["default"] |= {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("PORTAL_DATABASE_URL must be a postgres:// address; the portal runs on PostgreSQL only.")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Who you are
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "accounts.backends.EmergencyBackend",
    "accounts.backends.DirectoryBackend",
]
# Only emergency access has a password here; Django's first hasher.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
# How many hours emergency access may be opened for at most; 0 forbids it.
BREAK_GLASS_HOURS = _int("PORTAL_BREAK_GLASS_HOURS", 8)
CSRF_FAILURE_VIEW = "portal.errors.csrf_failure"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
# One address, or several separated by spaces: the first that answers is asked.
LDAP_URL = env.str("PORTAL_LDAP_URL")
LDAP_START_TLS = _bool("PORTAL_LDAP_START_TLS", False)
if not LDAP_START_TLS and not all(url.startswith("ldaps://") for url in LDAP_URL.split()):
    raise ImproperlyConfigured("PORTAL_LDAP_URL must be ldaps://, or set PORTAL_LDAP_START_TLS=true.")
LDAP_CA_FILE = env.str("PORTAL_LDAP_CA_FILE", "")
LDAP_BIND_DN = env.str("PORTAL_LDAP_BIND_DN")
LDAP_BIND_PASSWORD = env.str("PORTAL_LDAP_BIND_PASSWORD")
LDAP_USER_BASE = env.str("PORTAL_LDAP_USER_BASE")
LDAP_USER_FILTER = env.str("PORTAL_LDAP_USER_FILTER", "(uid=%(user)s)")
LDAP_GROUP_BASE = env.str("PORTAL_LDAP_GROUP_BASE")
# Portal role -> DN of the LDAP group: administrator, auditor, approver:<slug>.
ROLE_GROUPS = _json("PORTAL_ROLE_GROUPS")
# How long the directory is not asked again for somebody's groups.
ROLES_FRESH_SECONDS = _int("PORTAL_ROLES_FRESH_SECONDS", 300)

SESSION_ENGINE = "portal.sessions"
# A session ends after so long in any case, and before when nothing happens.
SESSION_COOKIE_AGE = _int("PORTAL_SESSION_HOURS", 12) * 3600
SESSION_IDLE_SECONDS = _int("PORTAL_SESSION_IDLE_MINUTES", 30) * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _secure
SESSION_COOKIE_NAME = "__Host-session" if _secure else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if _secure else "csrf"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"

# Trusted proxies in front, each of which adds one entry to X-Forwarded-For.
PROXY_COUNT = _int("PORTAL_PROXY_COUNT", 0)
# How many tries a person has at one address before a pause.
AXES_FAILURE_LIMIT = _int("PORTAL_LOGIN_TRIES", 5)
AXES_COOLOFF_TIME = _int("PORTAL_LOGIN_PAUSE_HOURS", 1)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "accounts.views.locked_out"
AXES_USERNAME_FORM_FIELD = "username"
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "accounts.addresses.client_address"
AXES_VERBOSE = False

# Security headers
SECURE_SSL_REDIRECT = _secure
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _bool("PORTAL_BEHIND_PROXY", False) else None
SECURE_HSTS_SECONDS = 31536000 if _secure else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _secure
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

# Words, numbers and times
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = env.str("PORTAL_TIME_ZONE", "Asia/Shanghai")

# Static files: built by script/assets into static/dist, hashed and compressed by collectstatic.
STATIC_URL = "static/"
WHITENOISE_ALLOW_ALL_ORIGINS = False
STATIC_ROOT = env.str("PORTAL_STATIC_ROOT", str(BASE_DIR / "var" / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["web.bodies.StrictJSONParser"],
    # What an endpoint takes is in the API document; OPTIONS would answer for rows one may not see.
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "web.document.EndpointSchema",
    # The one format needs no parameter in the address to choose it by.
    "URL_FORMAT_OVERRIDE": None,
    "EXCEPTION_HANDLER": "portal.errors.api_problem",
    "DATETIME_FORMAT": "iso-8601",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Container cloud portal",
    "DESCRIPTION": "Ask for projects and quota, decide, and see them applied.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["accounts.authentication.HasScope"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "MailWishEnum": "notify.models.mail.WISHES",
        "ScopeEnum": "accounts.rules.SCOPES",
        "ProgramScopeEnum": "accounts.rules.PROGRAM_SCOPES",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "workflow.openapi.kind_schemas",
        "web.document.problems",
    ],
}

# Calls of the API that a token (without one, a person) has each minute, 0: as many as wanted; and how many calls of a
# process may wait for news (?wait=) at once, less than it has threads.
API_READS_PER_MINUTE = _int("PORTAL_API_READS_PER_MINUTE", 600)
API_WRITES_PER_MINUTE = _int("PORTAL_API_WRITES_PER_MINUTE", 120)
API_WAITERS = _int("PORTAL_API_WAITERS", 4)

# Work: the broker only wakes workers; rows in PostgreSQL say what is to be done.
CELERY_BROKER_URL = env.str("PORTAL_REDIS_URL")
WORK_LEASE_SECONDS = _int("PORTAL_WORK_LEASE_SECONDS", 60)
WORK_OFFER_SECONDS = _int("PORTAL_WORK_OFFER_SECONDS", 30)
WORK_POLL_SECONDS = _float("PORTAL_WORK_POLL_SECONDS", 2.0)
WORK_LANE_LIMIT = _int("PORTAL_WORK_LANE_LIMIT", 4)
# How often a bundle is compared with its cluster.
DRIFT_SECONDS = _int("PORTAL_DRIFT_SECONDS", 600)
# How often what happened is sealed.
AUDIT_SEAL_SECONDS = _int("PORTAL_AUDIT_SEAL_SECONDS", 60)
WORK_SLOW_LIMIT = _int("PORTAL_WORK_SLOW_LIMIT", 1)
# Networks and ends of host names that API servers and Git repositories must lie in; none: any that are no danger.
try:
    CLUSTER_ADDRESSES = Allowed.read(env.list("PORTAL_CLUSTER_ADDRESSES", default=[]))
except ValueError as error:
    raise ImproperlyConfigured(f"PORTAL_CLUSTER_ADDRESSES: {error}.") from None
# Where webhooks may go beside public addresses: networks and ends of host names; their ports, and who signs them.
try:
    WEBHOOK_ADDRESSES = Allowed.read(env.list("PORTAL_WEBHOOK_ADDRESSES", default=[]))
    WEBHOOK_PORTS = [int(port) for port in env.list("PORTAL_WEBHOOK_PORTS", default=["443", "8443"])]
except ValueError as error:
    raise ImproperlyConfigured(f"PORTAL_WEBHOOK_ADDRESSES or PORTAL_WEBHOOK_PORTS: {error}.") from None
WEBHOOK_CA_FILE = env.str("PORTAL_WEBHOOK_CA_FILE", "")
# Mails: none without a server. The connection is secured unless it is the demo's.
MAIL_HOST = env.str("PORTAL_MAIL_HOST", "")
MAIL_PORT = _int("PORTAL_MAIL_PORT", 587)
MAIL_SECURITY = env.str("PORTAL_MAIL_SECURITY", "starttls")
if MAIL_SECURITY not in ("starttls", "tls", "none") or (MAIL_SECURITY == "none" and not DEMO):
    raise ImproperlyConfigured("PORTAL_MAIL_SECURITY must be starttls or tls.")
MAIL_USER = env.str("PORTAL_MAIL_USER", "")
MAIL_PASSWORD = env.str("PORTAL_MAIL_PASSWORD", "")
MAIL_FROM = env.str("PORTAL_MAIL_FROM", f"portal@{_address.hostname}")
MAIL_CA_FILE = env.str("PORTAL_MAIL_CA_FILE", "")
# Where fault tests leave orders to stop at a named place; "" everywhere else.
FAILPOINT_FOLDER = env.str("PORTAL_FAILPOINT_FOLDER", "")
if FAILPOINT_FOLDER and not DEMO:
    raise ImproperlyConfigured("PORTAL_FAILPOINT_FOLDER is for fault tests only.")
# What is driven to an end, and by what (model, handler).
WORK_ITEMS = [
    ("clusters.Bundle", "clusters.reconcile.reconcile"),
    ("clusters.Capacity", "clusters.capacity.refresh"),
    ("clusters.Health", "clusters.health.check"),
    ("clusters.DriftCheck", "clusters.drift.check"),
    ("clusters.UsageThinning", "clusters.sampling.thin"),
    ("notify.Delivery", "notify.delivering.deliver"),
    ("notify.Mail", "notify.mailing.send"),
    ("notify.Digest", "notify.mailing.digest"),
    ("workflow.Deadline", "workflow.services.deadlines.watch"),
    ("tenants.Deletion", "tenants.deletion.proceed"),
    ("audit.Sealing", "audit.sealing.proceed"),
]

# What the dispatcher does whenever it connects, before it offers anything.
WORK_PREPARATIONS = ["clusters.services.holding.notice_restore", "clusters.sampling.keep_thinning"]

# Kinds of request, in the order in which they are offered.
REQUEST_KINDS = [
    "tenants.kinds.new_project.NewProject",
    "tenants.kinds.new_tenant.NewTenant",
    "tenants.kinds.change_members.ChangeMembers",
    "tenants.kinds.change_tenant_members.ChangeTenantMembers",
    "tenants.kinds.delete_project.DeleteProject",
    "tenants.kinds.change_quota.ChangeQuota",
    "tenants.kinds.rollback_project.RollbackProject",
    "tenants.kinds.tenant_quota.TenantQuota",
    "tenants.kinds.adopt_namespaces.AdoptNamespaces",
    "workflow.kinds.change_policy.ChangePolicy",
]
# What keeps a project from being deleted: (project, use of its quota) -> sentences.
PROJECT_BLOCKERS = ["tenants.blockers.running_pods", "tenants.blockers.volumes", "tenants.blockers.load_balancers"]
# How long a deletion can be called off after its approval, by environment.
PROJECT_GRACE_HOURS = {"dev": 24, "test": 72, "prod": 336}
# What policies may ask about: name -> workflow.facts.Fact, of each room.
POLICY_FACTS = ["workflow.facts.COMMON", "tenants.facts.QUOTA"]

# What is promised of each cluster: clusters -> {cluster id: {resource: with limit, settled, held and left}}.
CLUSTER_STANDINGS = "tenants.ledger.standings_of_clusters"
# Which tenants it is promised to: (cluster, user) -> clusters.shares.Share, those with most first.
CLUSTER_SHARES = "tenants.shares.shares_of"
# Who is told what became of a bundle's revisions (clusters.following).
BUNDLE_FOLLOWERS = ["workflow.services.following.bundle_moved"]
# Holds a service account to what its owner may: (user=, at=); raises PersonGone.
SERVICE_ACCOUNT_HOLD = "tenants.services.service_accounts.hold"
# Whom bundles are kept for: (bundles, user) -> {bundle id: clusters.owners.Owner}.
BUNDLE_OWNERS = "tenants.owners.owners_of"

# Who may read /metrics beside auditors and administrators: whoever sends the token, or comes from one of the networks.
METRICS_TOKEN = _optional_secret("PORTAL_METRICS_TOKEN", 24)
METRICS_NETWORKS = _networks("PORTAL_METRICS_NETWORKS")

LOGGING = logs.configuration(env.str("PORTAL_LOG_LEVEL", "INFO"))

"""Django settings. Every value that differs between installations comes from ``env.py``."""

from __future__ import annotations

import datetime

from csp.constants import NONE, SELF
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from apps.config.env import BASE_DIR, env
from apps.config.logs import logging_config

DEBUG = env.debug
SECRET_KEY = env.secret_key
ENCRYPTION_KEYS = env.encryption_keys
ALLOWED_HOSTS = env.allowed_hosts
CSRF_TRUSTED_ORIGINS = env.csrf_trusted_origins

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "import_export",
    # Without its search for admin modules: only the web process needs them (urls.py), the engine starts without.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "apps.accounts",
    "apps.customers",
    "apps.telephony",
    "apps.agents",
    "apps.queues",
    "apps.ivr",
    "apps.calls",
    "apps.recordings",
    "apps.reports",
    "apps.engine",
    "apps.live",
    "apps.api",
    "apps.webhooks",
    "apps.consoles",
    "apps.operations",
    "apps.demo",
    # After ours: our templates come before theirs.
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "auditlog",
]

MIDDLEWARE = [
    "apps.operations.request_log.RequestLog",
    "apps.api.middleware.ApiAnswers",
    "django.middleware.security.SecurityMiddleware",
    "apps.accounts.headers.PageHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "apps.accounts.middleware.RefuseNul",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.middleware.UserLanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "apps.accounts.middleware.SessionPolicy",
    "apps.accounts.audit.AuditedBy",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "apps.config.urls"
ASGI_APPLICATION = "apps.config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.accounts.permissions.permissions",
                "apps.webhooks.trouble.for_templates",
            ]
        },
    }
]

DATABASES = {"default": env.database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people -------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "apps.accounts.passwords.TenantPolicy"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]

ACCOUNT_ADAPTER = "apps.accounts.sign_in.AccountAdapter"
ACCOUNT_FORMS = {"login": "apps.accounts.sign_in.SignInForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True  # how long a session lives is the tenant's to say (apps/accounts/sessions.py)
# By address only against floods: an office shares one. Guessing is stopped by axes, before these.
ACCOUNT_RATE_LIMITS = {"login": "240/m/ip", "login_failed": "60/m/ip,10/5m/key"}
MFA_ADAPTER = "apps.accounts.sign_in.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # half a minute: clocks of telephones differ
USERSESSIONS_TRACK_ACTIVITY = False  # SessionPolicy does, once a minute

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = datetime.timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # nobody can lock somebody else out from afar
AXES_USERNAME_CALLABLE = "apps.accounts.sign_in.counted_name"
AXES_LOCKOUT_CALLABLE = "apps.accounts.sign_in.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False  # ours is in apps/accounts/admin
AXES_VERBOSE = False

AUDITLOG_CID_HEADER = "HTTP_X_REQUEST_ID"  # the log's own, which is a sane one (apps/operations/request_log.py)

# --- language and time --------------------------------------------------------------------------------------

LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LANGUAGE_CODE = env.language
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.time_zone

# --- static files and recordings ----------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = env.static_root
# With collectstatic not yet run (demo, tests) files are served from where they are.
WHITENOISE_USE_FINDERS = True
# Built scripts carry a hash of their content in their names (apps/consoles/templatetags/bundles.py).
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/consoles/build/.+-[\w-]{8}\.(js|css)$"
RECORDINGS_DIR = env.recordings_dir
RECORDINGS_FREE_MB = env.recordings_free_mb
CDR_DIR = env.cdr_dir

# --- tasks ----------------------------------------------------------------------------------------

REDIS_URL = env.redis_url
# No CHANNEL_LAYERS: pages are fed from their process's own copy of the engine's state, so Redis may be away.
CELERY_BROKER_URL = env.celery_url
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = env.time_zone
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # its lines are ours: one format, masked alike
CELERY_BEAT_SCHEDULER = "apps.operations.heartbeat:Scheduler"

# --- REST interface -----------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    # The token first: its authenticate_header makes an unknown asker a 401, and it outranks a cookie.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.api.authentication.TokenAuthentication",
        "apps.api.authentication.PageSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.api.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["apps.api.throttling.PerToken"],
    "DEFAULT_PARSER_CLASSES": ["apps.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "apps.api.pagination.SignedCursorPagination",
    "DEFAULT_SCHEMA_CLASS": "apps.api.schema.ProblemAwareSchema",
    "EXCEPTION_HANDLER": "apps.api.problems.handle",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Trunkline",
    "VERSION": "1",
    "DESCRIPTION": "The REST interface of a Trunkline contact centre. See docs/api.md for its habits.",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "CallOutcomeEnum": "apps.api.schema.call_outcomes",
        "CallbackOutcomeEnum": "apps.api.schema.callback_outcomes",
    },
    "WEBHOOKS": [
        f"apps.webhooks.schema.{name}"
        for name in (
            *("call_arrived", "call_dialed", "call_queued", "call_offered", "call_answered", "call_ended"),
            *("call_consulted", "call_consult_ended", "call_three_way"),
            *("call_wrapped_up", "callback_booked", "callback_tried", "callback_ended"),
            *("agent_state_changed", "recording_ready", "ping"),
        )
    ],
}

WEBHOOK_NETWORKS = env.webhook_networks

# --- engine -------------------------------------------------------------------------------------------------

ENGINE_URL = env.engine_url
ENGINE_NUMBER = env.engine_number
ENGINE_BIND = env.engine_bind
ENGINE_TOKEN = env.engine_token
JOURNAL_DIR = env.journal_dir
JOURNAL_KEEP_HOURS = env.journal_keep_hours
JOURNAL_FREE_MB = env.journal_free_mb
NOTIFY_SOCKET = env.notify_socket
STATE_DIR = env.state_dir
METRICS_TOKEN = env.metrics_token
TURN_SERVERS = env.turn_servers
TURN_SECRET = env.turn_secret
TURN_VALID_S = env.turn_valid_s

# --- security -----------------------------------------------------------------------------------------------

SESSION_COOKIE_SECURE = env.secure_cookies
CSRF_COOKIE_SECURE = env.secure_cookies
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.secure_cookies else None
SECURE_SSL_REDIRECT = False  # the proxy in front does it; a redirect here would break health checks by address
SECURE_HSTS_SECONDS = 31_536_000 if env.secure_cookies else 0
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# The admin's is wider (apps/accounts/headers.py). A browser phone reaches its switch over wss at another port.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "media-src": [SELF, "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF, "wss:"] if env.secure_cookies else [SELF, "wss:", "ws:"],
        "worker-src": [SELF, "blob:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

LOGGING_CONFIG = None
logging_config(env.log_level, env.log_format)

IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True  # a name that begins with = is no formula

# The consoles' blue (#0072B2 is 600), so that the administration reads as the same product.
CONSOLE_BLUE = {
    "50": "oklch(97.5% .013 237)",
    "100": "oklch(95% .026 237)",
    "200": "oklch(90% .056 236)",
    "300": "oklch(82% .1 237)",
    "400": "oklch(72% .14 240)",
    "500": "oklch(61% .145 244)",
    "600": "oklch(53.4% .131 244)",
    "700": "oklch(46% .115 246)",
    "800": "oklch(40% .1 247)",
    "900": "oklch(35% .085 248)",
    "950": "oklch(26% .06 250)",
}

UNFOLD = {
    "SITE_TITLE": "Trunkline",
    "SITE_HEADER": "Trunkline",
    "SITE_SUBHEADER": _("Contact centre"),
    "SITE_SYMBOL": "headset_mic",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("consoles/icon.svg")},
    ],
    "COLORS": {"primary": CONSOLE_BLUE},
    "SHOW_LANGUAGES": True,
    "SIDEBAR": {"show_search": True, "navigation": "apps.accounts.admin_menu.navigation"},
    "DASHBOARD_CALLBACK": "apps.operations.overview.overview",
}

"""Which distributions bring which modules, where their names differ; and what the popular bring.

From the distributions' own pages on PyPI. What stands in no table is called as its module.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The modules of every Python that images have, whichever runs this.
STANDARD = sys.stdlib_module_names | {
    *("tomllib", "zoneinfo", "annotationlib", "compression", "graphlib", "__future__"),
    *("distutils", "imp", "asyncore", "asynchat", "smtpd", "cgi", "cgitb", "crypt", "telnetlib"),
    *("pipes", "imghdr", "sndhdr", "audioop", "aifc", "chunk", "nntplib", "uu", "xdrlib"),
    *("mailcap", "msilib", "nis", "ossaudiodev", "spwd", "sunau"),
}  # fmt: skip

# Module -> the distributions that have it, the usual one first.
IMPORTS: dict[str, tuple[str, ...]] = {
    "yaml": ("pyyaml",),
    "cv2": (
        "opencv-python-headless",
        "opencv-python",
        "opencv-contrib-python",
        "opencv-contrib-python-headless",
    ),
    "PIL": ("pillow", "pillow-simd"),
    "dotenv": ("python-dotenv",),
    "jose": ("python-jose",),
    "jwt": ("pyjwt",),
    "bs4": ("beautifulsoup4",),
    "sklearn": ("scikit-learn",),
    "skimage": ("scikit-image",),
    "dateutil": ("python-dateutil",),
    "multipart": ("python-multipart", "multipart"),
    "python_multipart": ("python-multipart",),
    "magic": ("python-magic", "python-magic-bin", "file-magic"),
    "docx": ("python-docx",),
    "pptx": ("python-pptx",),
    "slugify": ("python-slugify", "unicode-slugify", "awesome-slugify"),
    "socketio": ("python-socketio",),
    "engineio": ("python-engineio",),
    "decouple": ("python-decouple",),
    "telegram": ("python-telegram-bot",),
    "pythonjsonlogger": ("python-json-logger",),
    "ldap": ("python-ldap",),
    "gitlab": ("python-gitlab",),
    "crontab": ("python-crontab", "crontab"),
    "psycopg2": ("psycopg2-binary", "psycopg2"),
    "psycopg": ("psycopg",),
    "psycopg_pool": ("psycopg-pool",),
    "MySQLdb": ("mysqlclient",),
    "mysql": ("mysql-connector-python",),
    "pymysql": ("pymysql",),
    "Crypto": ("pycryptodome", "pycrypto"),
    "Cryptodome": ("pycryptodomex",),
    "OpenSSL": ("pyopenssl",),
    "nacl": ("pynacl",),
    "zmq": ("pyzmq",),
    "git": ("gitpython",),
    "github": ("pygithub",),
    "serial": ("pyserial",),
    "usb": ("pyusb",),
    "fitz": ("pymupdf",),
    "pymupdf": ("pymupdf",),
    "attr": ("attrs",),
    "attrs": ("attrs",),
    "pkg_resources": ("setuptools",),
    "setuptools": ("setuptools",),
    "markdown": ("markdown",),
    "jinja2": ("jinja2",),
    "flask": ("flask", "flask-unchained"),
    "flask_cors": ("flask-cors",),
    "flask_sqlalchemy": ("flask-sqlalchemy",),
    "flask_login": ("flask-login",),
    "flask_migrate": ("flask-migrate",),
    "rest_framework": ("djangorestframework",),
    "rest_framework_simplejwt": ("djangorestframework-simplejwt",),
    "corsheaders": ("django-cors-headers",),
    "environ": ("django-environ", "environ-config"),
    "django_filters": ("django-filter",),
    "storages": ("django-storages",),
    "whitenoise": ("whitenoise",),
    "allauth": ("django-allauth",),
    "channels": ("channels",),
    "allure": ("allure-pytest",),
    "gridfs": ("pymongo",),
    "bson": ("pymongo", "bson"),
    "motor": ("motor",),
    "pymongo": ("pymongo",),
    "passlib": ("passlib",),
    "argon2": ("argon2-cffi",),
    "fastapi_users": ("fastapi-users",),
    "fastapi_mail": ("fastapi-mail",),
    "fastapi_limiter": ("fastapi-limiter",),
    "fastapi_cache": ("fastapi-cache2", "fastapi-cache"),
    "fastapi_pagination": ("fastapi-pagination",),
    "prometheus_fastapi_instrumentator": ("prometheus-fastapi-instrumentator",),
    "prometheus_client": ("prometheus-client",),
    "sentry_sdk": ("sentry-sdk",),
    "pydantic_settings": ("pydantic-settings",),
    "pydantic_core": ("pydantic-core",),
    "email_validator": ("email-validator",),
    "typing_extensions": ("typing-extensions",),
    "sqlalchemy_utils": ("sqlalchemy-utils",),
    "elasticsearch_dsl": ("elasticsearch-dsl", "elasticsearch"),
    "pinecone": ("pinecone", "pinecone-client"),
    "weaviate": ("weaviate-client",),
    "qdrant_client": ("qdrant-client",),
    "chromadb": ("chromadb", "chromadb-client"),
    "faiss": ("faiss-cpu", "faiss-gpu", "faiss-gpu-cu12"),
    "sentence_transformers": ("sentence-transformers",),
    "langchain_core": ("langchain-core",),
    "langchain_community": ("langchain-community",),
    "langchain_openai": ("langchain-openai",),
    "langchain_text_splitters": ("langchain-text-splitters",),
    "llama_index": ("llama-index", "llama-index-core"),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tensorflow-gpu"),
    "keras": ("keras", "tensorflow"),
    "umap": ("umap-learn",),
    "discord": ("discord-py", "py-cord", "discord"),
    "speech_recognition": ("speechrecognition",),
    "pyaudio": ("pyaudio",),
    "pypdf2": ("pypdf2",),
    "docker": ("docker",),
    "dns": ("dnspython",),
    "ruamel": ("ruamel-yaml",),
    "unidecode": ("unidecode",),
    "Levenshtein": ("levenshtein", "python-levenshtein"),
    "mpl_toolkits": ("matplotlib",),
    "pylab": ("matplotlib",),
    "win32api": ("pywin32",),
    "websocket": ("websocket-client",),
    "socks": ("pysocks",),
    "openai": ("openai",),
    "stripe": ("stripe",),
    "twilio": ("twilio",),
    "sendgrid": ("sendgrid",),
    "botocore": ("botocore",),
    "kafka": ("kafka-python", "kafka-python-ng"),
    "confluent_kafka": ("confluent-kafka",),
    "pika": ("pika",),
    "aio_pika": ("aio-pika",),
    "apscheduler": ("apscheduler",),
    "taskiq_redis": ("taskiq-redis",),
    "grpc": ("grpcio",),
    "grpc_status": ("grpcio-status",),
    "google.protobuf": ("protobuf",),
    "firebase_admin": ("firebase-admin",),
    "googleapiclient": ("google-api-python-client",),
    "humanfriendly": ("humanfriendly",),
    "pkg_about": ("pkg-about",),
    "pydantic": ("pydantic",),
    "uvloop": ("uvloop",),
    "tortoise": ("tortoise-orm",),
    "peewee": ("peewee",),
    "playhouse": ("peewee",),
    "clickhouse_driver": ("clickhouse-driver",),
    "clickhouse_connect": ("clickhouse-connect",),
    "snowflake": ("snowflake-connector-python",),
    "ibm_db": ("ibm-db",),
    "oracledb": ("oracledb",),
    "pyodbc": ("pyodbc",),
    "pymssql": ("pymssql",),
    "wx": ("wxpython",),
    "gi": ("pygobject",),
    "bcrypt": ("bcrypt", "py-bcrypt"),
    "orjson": ("orjson",),
    "ujson": ("ujson",),
}
# Packages of these names are spread over many distributions, which are called after them.
NAMESPACES = frozenset(
    {"google", "azure", "opentelemetry", "zope", "backports", "jaraco", "sphinxcontrib", "airflow"}
    | {"ruamel", "snowflake", "mysql", "llama_index", "keystoneauth1", "flytekitplugins"}
)
_NAMED_OTHERWISE = {"google": {"protobuf", "googleapis-common-protos", "firebase-admin"}}

# Distribution -> what it always brings along. One without a line may bring anything.
BRINGS: dict[str, frozenset[str]] = {
    name: _words(others)
    for name, others in {
        "fastapi": "starlette pydantic",
        "starlette": "anyio typing-extensions",
        "pydantic": "pydantic-core annotated-types typing-extensions typing-inspection",
        "pydantic-settings": "pydantic python-dotenv",
        "anyio": "idna sniffio exceptiongroup typing-extensions",
        "uvicorn": "click h11 typing-extensions",
        "gunicorn": "packaging",
        "httpx": "httpcore anyio certifi idna sniffio",
        "httpcore": "h11 certifi",
        "requests": "urllib3 certifi idna charset-normalizer",
        "sqlalchemy": "greenlet typing-extensions",
        "sqlmodel": "sqlalchemy pydantic",
        "alembic": "sqlalchemy mako typing-extensions",
        "mako": "markupsafe",
        "jinja2": "markupsafe",
        "flask": "werkzeug jinja2 itsdangerous click blinker markupsafe",
        "werkzeug": "markupsafe",
        "django": "asgiref sqlparse",
        "asyncpg": "async-timeout",
        "aiosqlite": "typing-extensions",
        "psycopg2-binary": "",
        "psycopg2": "",
        "psycopg": "typing-extensions psycopg-pool psycopg-binary",
        "redis": "async-timeout pyjwt",
        "rq": "redis click croniter",
        "pymongo": "dnspython",
        "motor": "pymongo",
        "beanie": "pydantic pymongo motor click lazy-model typing-extensions",
        "python-dotenv": "",
        "python-multipart": "",
        "email-validator": "dnspython idna",
        "itsdangerous": "",
        "passlib": "bcrypt argon2-cffi",
        "bcrypt": "",
        "python-jose": "ecdsa rsa pyasn1 cryptography pycryptodome",
        "pyjwt": "cryptography",
        "cryptography": "cffi",
        "orjson": "",
        "ujson": "",
        "loguru": "",
        "tenacity": "",
        "aiofiles": "",
        "websockets": "",
        "numpy": "",
        "pandas": "numpy python-dateutil pytz tzdata",
        "python-dateutil": "six",
        "pytz": "",
        "pgvector": "numpy",
        "pyyaml": "",
        "psutil": "",
        "slowapi": "limits",
        "beautifulsoup4": "soupsieve typing-extensions",
        "lxml": "",
        "pillow": "",
        "celery": "kombu billiard vine amqp click python-dateutil tzdata redis pyyaml six",
        "apscheduler": "tzlocal pytz six tzdata",
    }.items()
}


# What others often bring along: where one of these is imported, nothing is said of a list that
# holds distributions without a line above.
COMMON = frozenset(name for names in BRINGS.values() for name in names) | _words(
    """
    aiohttp attrs blinker boto3 botocore cachetools charset-normalizer colorama dill distro
    docstring-parser email-validator fastapi filelock fsspec google-auth grpcio h2 httptools
    httpx huggingface-hub importlib-metadata itsdangerous jinja2 joblib jsonpatch jsonschema
    langchain-community langchain-core langchain-text-splitters langsmith lxml
    markdown-it-py matplotlib mdurl msgpack multidict nest-asyncio networkx numpy oauthlib
    openai opencv-python opencv-python-headless orjson packaging pandas pillow platformdirs
    protobuf psutil pyasn1 pycparser pydantic pygments pyparsing pypdf python-multipart pytz
    pyyaml redis regex requests requests-oauthlib requests-toolbelt rich rpds-py s3transfer
    safetensors scikit-learn scipy setuptools shellingham simplejson six soupsieve
    sqlalchemy starlette sympy tabulate tenacity threadpoolctl tiktoken tokenizers toml
    tomli torch tqdm transformers typer tzlocal ujson uvicorn uvloop watchfiles
    websocket-client websockets werkzeug wrapt yarl
    """
)
# Modules that are called as their distribution, which nothing else has.
ALIKE = _words(
    """
    aiocache aiofiles aiohttp aiomysql aiosqlite alembic anthropic anyio ariadne arq arrow
    asyncpg authlib beanie boto3 cachetools catboost celery click cryptography django
    dramatiq faker fastapi gradio graphene gunicorn httpcore httpx huey itsdangerous jinja2
    langchain langgraph lightgbm limits loguru lxml matplotlib minio nltk numpy openai
    openpyxl pandas pdfplumber pendulum plotly polars psutil pypdf pytest pytz qrcode redis
    reportlab requests rich rq scipy seaborn slowapi spacy sqlalchemy sqlmodel starlette
    strawberry streamlit stripe structlog taskiq tenacity tiktoken toml tomli torch tqdm
    transformers typer urllib3 uvicorn websockets xgboost xlsxwriter
    """
)


def normal(name: str) -> str:
    """A name of a module or distribution, for comparing both: without case and separators."""
    return re.sub(r"[-_.]+", "", name).lower()


def brought(names: Collection[str]) -> frozenset[str]:
    """These distributions, and what they always bring along."""
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += BRINGS.get(name, ())
    return frozenset(seen)


def provides(names: Collection[str], module: str) -> bool:
    """Whether one of these distributions may have a top-level module.

    Names that contain each other count: it is not known what a distribution holds.
    """
    if any(known in names for known in IMPORTS.get(module, ())):
        return True
    if module in IMPORTS and module not in NAMESPACES:
        return False
    if _NAMED_OTHERWISE.get(module, set()).intersection(names):
        return True
    wanted = normal(module)
    for name in names:
        other = normal(name)
        if wanted == other:
            return True
        if module in ALIKE:
            continue
        shorter, longer = sorted((wanted, other), key=len)
        if len(shorter) > 2 and shorter in longer:
            return True
    return False

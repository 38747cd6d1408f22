"""What a secret is called: the one list, for all who only have a variable's name to go by."""

from __future__ import annotations

import re

# By the last word, and whether the value is the secret and nothing else: a data source's name is an
# address with a secret in it, and credentials may be a file's path, or a document.
_WORDS = {
    "SECRET": True,
    "PASSWORD": True,
    "TOKEN": True,
    "KEY": True,
    "DSN": False,
    "CREDENTIALS": False,
}
# NEXT_PUBLIC_… is in what browsers load; a publishable or site key is the half of a pair that they
# are given; ALLOW_CREDENTIALS is a switch of CORS.
_OPEN = re.compile(r"(?:.*_)?(?:(?:PUBLIC|PUBLISHABLE)_.+|SITE_KEY|ALLOW_CREDENTIALS)")


def looks_secret(name: str) -> bool:
    """Whether a variable's value is likely for nobody else's eyes, by its name.

    It is where the name's last word is SECRET, PASSWORD, TOKEN, KEY, DSN or CREDENTIALS, and no
    word before says that it is public: `STRIPE_SECRET_KEY` and `SENTRY_DSN` are secrets,
    `STRIPE_PUBLISHABLE_KEY` and `NEXT_PUBLIC_SENTRY_DSN` are not. What a stack itself needs is
    marked as a secret in its model.
    """
    return name.rpartition("_")[2] in _WORDS and _OPEN.fullmatch(name) is None


def is_bare(name: str) -> bool:
    """Whether a secret's value holds nothing but the secret, so that it shows how strong that is.

    A DSN or credentials do not: their length says nothing, and two may well be the same.
    """
    return looks_secret(name) and _WORDS[name.rpartition("_")[2]]

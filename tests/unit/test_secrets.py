"""What looks like a secret, by its name."""

from __future__ import annotations

import pytest

from extensions.secrets import is_bare, looks_secret


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("SECRET", True),
        ("STRIPE_SECRET_KEY", True),
        ("SENTRY_DSN", True),
        ("SMTP_PASSWORD", True),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", False),
        ("MONKEY", False),
        ("LOG_LEVEL", False),
    ],
)
def test_what_looks_like_a_secret(name: str, secret: bool) -> None:
    assert looks_secret(name) == secret


@pytest.mark.parametrize(
    ("name", "secret", "bare"),
    [
        # Any key may open something.
        ("BACKUP_ENCRYPTION_KEY", True, True),
        ("S3_ACCESS_KEY", True, True),
        ("KEY", True, True),
        # An address with a secret in it; the path of a file, or a document.
        ("SENTRY_DSN", True, False),
        ("DSN", True, False),
        ("GOOGLE_APPLICATION_CREDENTIALS", True, False),
        # A switch.
        ("CORS_ALLOW_CREDENTIALS", False, False),
        # What browsers are given.
        ("STRIPE_PUBLIC_KEY", False, False),
        ("CLERK_PUBLISHABLE_KEY", False, False),
        ("RECAPTCHA_SITE_KEY", False, False),
        ("NEXT_PUBLIC_MAPS_API_KEY", False, False),
        ("NEXT_PUBLIC_SENTRY_DSN", False, False),
        ("PUBLIC_KEY", False, False),
    ],
)
def test_names_that_two_lists_disagreed_on(name: str, secret: bool, bare: bool) -> None:
    assert (looks_secret(name), is_bare(name)) == (secret, bare)


@pytest.mark.parametrize(
    "name", ["SITE_PASSWORD", "SITE_SECRET_KEY", "REPUBLIC_KEY", "WEBSITE_KEY"]
)
def test_only_whole_words_make_it_public(name: str) -> None:
    assert looks_secret(name)

"""Each setting, and what becomes of values nothing can be made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import BadSetting, Settings

NAMES = (
    "DATABASE_URL",
    "BASE_URL",
    "SMTP_URL",
    "MAIL_FROM",
    "SIGN_IN_FROM",
    "BOUNCES_TO",
    "CONTACT",
    "TRUSTED_PROXIES",
    "ALLOW_HOSTS",
    "KEEP_DAYS",
    "MAIL_RATE",
    "DKIM_SELECTOR",
    "DKIM_KEY",
    "NOW",
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://ada:secret@host/name"),
        ("DATABASE_URL", "adjacent.sqlite3"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "postgresql://ada:secret@host:port/name"),
        ("DATABASE_URL", "postgresql://ada:secret@host/name?sslmode=require&channel_binding=require"),
        ("BASE_URL", "events.example.org"),
        ("BASE_URL", "https://"),
        ("BASE_URL", "https://example.org/events"),
        ("BASE_URL", "https://example.org?x=1"),
        ("BASE_URL", "https://example.org:port"),
        ("SMTP_URL", "mail.example.org"),
        ("SMTP_URL", "http://ada:secret@mail.example.org"),
        ("SMTP_URL", "smtp://ada:secret@mail.example.org:port"),
        ("MAIL_FROM", "Adjacent"),
        ("MAIL_FROM", "Adjacent <events@example.org>\nBcc: all@example.org"),
        ("SIGN_IN_FROM", "Adjacent <events>"),
        ("BOUNCES_TO", "Adjacent <events@example.org>"),
        ("CONTACT", "Café"),
        ("CONTACT", "a\nb"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("ALLOW_HOSTS", "127.0.0.1"),
        ("ALLOW_HOSTS", "127.0.0.1:65536"),
        ("ALLOW_HOSTS", "http://127.0.0.1:80"),
        ("KEEP_DAYS", "99"),
        ("KEEP_DAYS", "9999999999"),
        ("KEEP_DAYS", "²00"),
        ("MAIL_RATE", "0"),
        ("MAIL_RATE", "nan"),
        ("MAIL_RATE", "1e-300"),
        ("DKIM_SELECTOR", "two words"),
        ("DATA", "~nobody-of-that-name/data"),
        ("DKIM_KEY", "~nobody-of-that-name/key"),
        ("NOW", "yesterday"),
        ("NOW", "2026-11-23T08:00:00"),
    ],
)
def test_value_nothing_can_be_made_of_is_one_line_that_names_the_setting(name: str, value: str) -> None:
    with pytest.raises(BadSetting) as caught:
        Settings.from_environment({f"ADJACENT_{name}": value})
    told = str(caught.value)
    assert told.startswith(f"ADJACENT_{name}")
    assert "secret" not in told
    assert len(told.splitlines()) == 1


def test_settings_that_are_empty_count_as_not_set(tmp_path: Path) -> None:
    data = {"ADJACENT_DATA": str(tmp_path)}
    empty = dict.fromkeys((f"ADJACENT_{name}" for name in NAMES), " ")
    assert Settings.from_environment(data | empty) == Settings.from_environment(data)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://ada:p%40ss@host/name", "postgresql+asyncpg://ada:p%40ss@host/name"),
        ("postgresql://ada:p%40ss@host:5433/name", "postgresql+asyncpg://ada:p%40ss@host:5433/name"),
        ("postgresql://ada@host/name?sslmode=require", "postgresql+asyncpg://ada@host/name?ssl=require"),
        ("postgresql:///name?host=/run/postgresql", "postgresql+asyncpg:///name?host=/run/postgresql"),
        ("sqlite:////srv/adjacent/events.db", "sqlite+aiosqlite:////srv/adjacent/events.db"),
    ],
)
def test_addresses_of_databases_are_understood_as_elsewhere(given: str, used: str) -> None:
    assert Settings.from_environment({"ADJACENT_DATABASE_URL": given}).database_url == used


def test_secrets_lie_in_a_folder_nobody_else_may_enter(tmp_path: Path) -> None:
    settings = Settings.from_environment({"ADJACENT_DATA": str(tmp_path / "new")})
    secret = settings.secret("mail")
    assert secret == settings.secret("mail")
    assert len(secret) == 32
    assert settings.data.stat().st_mode & 0o777 == 0o700
    assert (settings.data / "mail.key").stat().st_mode & 0o777 == 0o600

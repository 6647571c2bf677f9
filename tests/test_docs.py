"""What the documents name is there: commands, targets, settings, files, and links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from apps.config.env import VARIABLES
from apps.demo.surroundings import VARIABLES as DEMO_VARIABLES

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DJANGO_S_OWN = {"migrate", "createsuperuser", "collectstatic"}
# Compose's own, names of permissions, a state.
OTHER_WORDS = {"COMPOSE_PROFILES", "CUSTOMERS_READ", "CUSTOMERS_WRITE", "WRAP_UP"}


def code(text: str) -> str:
    """Blocks and words between backticks."""
    return "\n".join(re.findall(r"```\n?(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_targets_exist(page: Path) -> None:
    commands = re.findall(r"(?:manage\.py|^manage|&& manage) ([a-z_]+)", code(page.read_text()), re.MULTILINE)
    assert set(commands) <= set(get_commands()) | DJANGO_S_OWN
    targets = set(re.findall(r"\bmake ([a-z-]+)", code(page.read_text())))
    assert targets <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_exist(page: Path) -> None:
    names = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", code(page.read_text())))
    compose = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
    assert names - compose - OTHER_WORDS <= set(VARIABLES) | set(DEMO_VARIABLES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_files_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    files = re.findall(
        r"`((?:apps|tests|docs|fixtures|switch_config|dialplan_templates)/[^`\s*{<]+)`", page.read_text()
    )
    missing = [link for link in links if not (page.parent / link).exists()]
    missing += [file for file in files if not (ROOT / file).exists()]
    assert missing == []

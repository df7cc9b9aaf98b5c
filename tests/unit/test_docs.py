"""The documents: generated pages are fresh, links lead somewhere, commands and settings exist."""

import importlib.util
import re
from pathlib import Path

import pytest
import typer

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))
MADE = ("settings.md", "cli.md")
IDS = [str(page.relative_to(ROOT)) for page in PAGES]


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_fresh(generate):
    for path, text in generate.pages().items():
        assert path.read_text(encoding="utf-8") == text, "stale: run python docs/generate.py"


def test_every_setting_is_on_its_page(generate):
    from falsereject_gen.settings import RunSettings

    page = generate.settings_page()
    for name, field in RunSettings.model_fields.items():
        nested = getattr(field.annotation, "model_fields", None)
        for full in [f"{name}.{part}" for part in nested] if nested else [name]:
            assert f"| `{full}` |" in page


def test_the_drawing_in_the_readme_is_that_of_the_loop():
    drawn = (ROOT / "graphs" / "loop.mmd").read_text(encoding="utf-8").strip()
    assert drawn in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_relative_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    lost = [x for x in links if "://" not in x and not (page.parent / x).exists()]
    assert not lost


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_no_path_of_a_machine(page):
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"/(?:work|tmp|home|root|usr)/\S*", text)


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands_that_are_written_down_exist(page):
    from falsereject_gen.cli.main import app

    root = typer.main.get_command(app)
    text = page.read_text(encoding="utf-8")
    for line in re.findall(r"(?:^|`)falsereject-gen ([a-z][^`\n]*)", text, flags=re.M):
        command, words = root, line.split()
        while words and getattr(command, "commands", None):
            assert words[0] in command.commands, line
            command = command.commands[words.pop(0)]
        known = {flag for param in command.params for flag in param.opts} | {"--help"}
        unknown = [w for w in words if w.startswith("--") and w.split("=")[0] not in known]
        assert not unknown, line

"""The house of design.md: who may import whom, what may live where, how long things get."""

import ast
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "falsereject_gen"
FILES = sorted(PACKAGE.rglob("*.py"))

# A room may import rooms of a lower rank only (design.md, section 2).
RANK = {"errors": 0, "records": 0, "files": 1, "rooms": 1, "settings": 2, "taxonomy": 2}
RANK |= {"table_out": 2, "dedup": 3, "models": 3, "entities": 4, "seeds": 4, "roles": 5}
RANK |= {"respond": 5, "loop": 6, "run": 7, "dataset": 8, "report": 8, "annotate": 8}
RANK |= {"evaluate": 8, "scale": 8, "doctor": 8, "forecast": 8, "job": 9, "scoring": 9, "studio": 9}
RANK |= {"categories": 8, "publish": 9, "__init__": 10, "cli": 11}

# A library and the only places that may import it.
FENCES = {
    "langgraph": ("loop/graph.py",),
    "networkx": ("entities/",),
    "spacy": ("entities/",),
    "textblob": ("entities/",),
    "lemminflect": ("entities/",),
    "inflect": ("entities/",),
    "sentence_transformers": ("dedup/",),
    "torch": ("dedup/",),
    "faiss": ("dedup/",),
    "resvg_py": ("report/raster.py",),
    "transformers": ("dedup/",),
    "openai": ("models/",),
    "ray": ("scale/",),
    "sklearn": ("roles/embedded/fit.py", "seeds/categorise.py", "annotate/agreement/"),
    "nltk": ("annotate/agreement/",),
    "crowdkit": ("annotate/dawid_skene.py",),
    "pandas": ("annotate/dawid_skene.py",),
}

# Longer than 50 lines with their docstrings; a name that no longer is must leave this list.
LONG = {("job.py", "run")}


def name_of(path):
    return path.relative_to(PACKAGE).as_posix()


def room_of(path):
    return name_of(path).split("/")[0].removesuffix(".py")


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def for_types_only(tree):
    blocks = [n for n in ast.walk(tree) if isinstance(n, ast.If)]
    typing = [n for n in blocks if getattr(n.test, "id", "") == "TYPE_CHECKING"]
    return {id(node) for block in typing for node in ast.walk(block)}


def imports(path, *, types=True):
    """(module, name) of every import; name is empty for `import module`."""
    tree = tree_of(path)
    left_out = set() if types else for_types_only(tree)
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from ((node.module, alias.name) for alias in node.names)


def test_every_room_has_a_place():
    assert {room_of(path) for path in FILES} - set(RANK) == set()


def test_imports_point_one_way():
    wrong = []
    for path in FILES:
        for module, name in imports(path):
            parts = module.split(".")
            if parts[0] != "falsereject_gen" or (len(parts) == 1 and name == "__version__"):
                continue
            other = parts[1] if len(parts) > 1 else name
            if other != room_of(path) and RANK[other] >= RANK[room_of(path)]:
                wrong.append(f"{name_of(path)} imports {other}")
    assert wrong == []


def test_a_library_has_one_room():
    wrong = []
    for path in FILES:
        for module, _ in imports(path, types=False):
            fence = FENCES.get(module.split(".")[0])
            if fence and not name_of(path).startswith(fence):
                wrong.append(f"{name_of(path)} imports {module}, which belongs to {fence}")
    assert wrong == []


def test_the_fences_stand_round_something():
    used = {module.split(".")[0] for path in FILES for module, _ in imports(path)}
    assert set(FENCES) - used <= {"ray", "sentence_transformers"}


def test_asset_rooms_hold_no_python():
    for room in ("agents", "graphs", "prompts"):
        assert (ROOT / room).is_dir()
        assert list((ROOT / room).rglob("*.py")) == []


def sort_key(name):
    """The order of ruff's RUF022: CONSTANTS, Classes, functions."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name


def declared(path):
    for node in tree_of(path).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return ast.literal_eval(node.value)
    return None


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", [p for p in FILES if declared(p) is not None], ids=name_of)
def test_all_is_sorted_and_true(path):
    names = declared(path)
    assert names == sorted(set(names), key=sort_key)
    module = importlib.import_module(module_of(path))
    assert [name for name in names if not hasattr(module, name)] == []


def test_nobody_borrows_a_private_name():
    taken = [(p, m, n) for p in FILES for m, n in imports(p) if m.startswith("falsereject_gen")]
    wrong = [f"{name_of(p)}: {m}.{n}" for p, m, n in taken if n.startswith("_") and n[1:2] != "_"]
    assert wrong == []


def public(node):
    """Public classes and functions of a module, and public methods of public classes."""
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for child in node.body:
        if isinstance(child, kinds) and not child.name.startswith("_"):
            yield child
            if isinstance(child, ast.ClassDef):
                yield from public(child)


def test_what_is_public_is_described():
    bare = [name_of(p) for p in FILES if not ast.get_docstring(tree_of(p))]
    for path in FILES:
        found = public(tree_of(path))
        bare += [f"{name_of(path)}: {node.name}" for node in found if not ast.get_docstring(node)]
    assert bare == []


def test_functions_and_files_stay_short():
    long = set()
    for path in FILES:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path
        for node in ast.walk(tree_of(path)):
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if function and node.end_lineno - node.lineno >= 50:
                long.add((name_of(path), node.name))
    assert long == LONG


def test_a_command_file_has_at_most_80_lines():
    shared = {"progress.py", "spending.py"}  # no command
    for path in (PACKAGE / "cli").glob("*.py"):
        if path.name in shared:
            continue
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 80, path


def test_the_command_line_starts_light():
    code = (
        "import sys, falsereject_gen, falsereject_gen.cli.main\n"
        "heavy = 'torch spacy langgraph networkx sklearn numpy faiss transformers openai pyarrow'\n"
        "print([name for name in heavy.split() if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_the_client_is_loaded_by_the_process_that_makes_the_calls_only():
    code = "import sys, falsereject_gen.models.remote; print('openai' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "False"


def test_public_names_are_found_lazily():
    import falsereject_gen

    for name in falsereject_gen.__all__:
        assert callable(getattr(falsereject_gen, name)), name
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = falsereject_gen.no_such_thing


def test_the_drawn_loop_is_fresh():
    from falsereject_gen.loop.graph import draw_loop

    drawn = (ROOT / "graphs" / "loop.mmd").read_text(encoding="utf-8")
    assert drawn == draw_loop(), "draw it anew: write draw_loop() to graphs/loop.mmd"


def test_the_fitted_judge_is_fresh(rooms):
    from falsereject_gen.roles.embedded.fit import load_judge
    from falsereject_gen.seeds.bundled import seed_files

    assert load_judge(rooms, seed_files(rooms)) is not None, "fit it anew: make fit"


def test_the_main_job_can_be_called_twice_though_a_room_has_its_name():
    code = (
        "import falsereject_gen as frg\n"
        "frg.RunResult\n"
        "assert callable(frg.run) and callable(frg.run), type(frg.run)\n"
        "import falsereject_gen.run.store as store\n"
        "assert store.Store"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_langgraph_json_names_something():
    place = ROOT / "langgraph.json"
    if not place.exists():
        pytest.skip("no langgraph.json")
    for entry in json.loads(place.read_text(encoding="utf-8"))["graphs"].values():
        file, _, name = entry["path"].partition(":")
        module = file.removeprefix("./").removesuffix(".py").replace("/", ".")
        assert hasattr(importlib.import_module(module), name)


def test_the_makefile_is_small():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):", text, flags=re.MULTILINE))
    assert {"demo", "test"} <= targets
    assert len(targets) <= 10


def test_no_path_of_a_machine_is_committed():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = ["git", "ls-files", "-z"]
    names = subprocess.run(listed, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    roots = [f"/{folder}/" for folder in ("work", "tmp", "root")]
    found = []
    for name in filter(None, names.split("\0")):
        path = ROOT / name
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        words = {word.strip("\"'`(,") for word in text.split()}
        found += [f"{name}: {word}" for word in sorted(words) if word.startswith(tuple(roots))]
    assert found == []

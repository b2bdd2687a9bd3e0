#!/usr/bin/env python3
"""Our own lint: what the documents promise about the tree, checked on every build."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TOP = {"CMakeLists.txt", "CMakePresets.json", "README.md", "common", "coordinator", "worker", "proto", "tests", "deploy", "docs"}
LINES_MAX = 600
# A folder may include these, besides itself (docs/architecture.md).
PURE = {"coordinator/access": ["common", "proto"],
        "coordinator/core": ["common", "proto"],
        "coordinator/forecast": ["common", "coordinator/core"],
        "coordinator/show": ["common", "proto"],
        "coordinator/plan": ["common", "proto", "coordinator/show"],
        "coordinator/verdict": ["common", "coordinator/plan", "coordinator/show"],
        "coordinator/report": ["common", "coordinator/verdict", "coordinator/plan", "coordinator/show"],
        "worker/session": ["common", "proto"]}
LAYERS = {"common": ["common"], "proto": ["common", "proto"],
          "coordinator": ["common", "proto", "coordinator"], "worker": ["common", "proto", "worker"],
          "worker/dsp": ["common", "worker/dsp"],
          "worker/media": ["common", "proto", "worker/media"],
          "worker/render": ["common", "proto", "worker/dsp", "worker/media", "worker/render"],
          "worker/tasks": ["common", "proto", "worker/dsp", "worker/media", "worker/render", "worker/tasks"],
          "worker/executor": ["common", "proto", "worker/dsp", "worker/media", "worker/tasks", "worker/executor"],
          **{folder: [folder, *allowed] for folder, allowed in PURE.items()}}
WORLD = {"zmq.h", "uv.h", "sqlite3.h", "pthread.h", "unistd.h", "fcntl.h", "time.h", "sys/socket.h", "sys/stat.h", "stdio_ext.h"}
FORBIDDEN = re.compile(r"\b(TODO|FIXME|XXX)\b")
SLEEP = re.compile(r"\b(usleep|nanosleep|time\.sleep|sleep)\s*\(")

problems = []


def complain(path, line, text):
    problems.append(f"{path}:{line}: {text}")


def tracked():
    done = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print("skipped: the tree is no git checkout, so nothing says which files belong to it")
        sys.exit(77)
    return [Path(name) for name in done.stdout.split("\n") if name and (ROOT / name).is_file()]


def check_includes(path, lines):
    folder = str(path.parent)
    rules = [allowed for prefix, allowed in LAYERS.items() if folder == prefix or folder.startswith(prefix + "/")]
    pure = any(folder == prefix or folder.startswith(prefix + "/") for prefix in PURE)
    for number, line in enumerate(lines, 1):
        ours = re.match(r'#include "([^"]+)/[^/"]+"', line)
        if ours and path.parts[0] != "tests":
            target = ours.group(1)
            for allowed in rules:
                if not any(target == prefix or target.startswith(prefix + "/") for prefix in allowed):
                    complain(path, number, f"includes {target}; this folder may include {', '.join(allowed)}")
                    break
        system = re.match(r"#include <([^>]+)>", line)
        if system and pure and system.group(1) in WORLD:
            complain(path, number, f"includes <{system.group(1)}>: this folder is pure")


def check_source(path):
    lines = (ROOT / path).read_text().split("\n")
    if len(lines) - 1 > LINES_MAX:
        complain(path, len(lines), f"has {len(lines) - 1} lines; at most {LINES_MAX} are allowed: split it by what it does")
    for number, line in enumerate(lines, 1):
        if len(line) > 132 and '"' not in line:  # a sentence for people stays in one piece
            complain(path, number, f"has {len(line)} columns")
        if FORBIDDEN.search(line):
            complain(path, number, "leaves work behind in a comment")
        if path.parts[0] == "tests" and SLEEP.search(line):
            complain(path, number, "sleeps: wait for what is to happen")
    if path.suffix == ".h" and path.parts[0] != "tests" and not re.search(r"^#ifndef \w+_H$", "\n".join(lines), re.M):
        complain(path, 1, "has no include guard")
    check_includes(path, lines)


def check_links(path):
    for number, line in enumerate((ROOT / path).read_text().split("\n"), 1):
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", line):
            if "://" not in target and not (ROOT / path.parent / target).exists():
                complain(path, number, f"links to {target}, which is not there")


def check_show_reference():
    """Every key that the parser knows stands in docs/show-file.md."""
    text = (ROOT / "docs/show-file.md").read_text()
    for source in ("show_file.c", "show_stems.c", "show_deliverables.c", "show_waivers.c"):
        code = (ROOT / "coordinator/show" / source).read_text()
        for block in re.findall(r"\bkeys\[\] = \{([^}]*)\}", code):
            for key in re.findall(r'"([a-z_0-9]+)"', block):
                if f"`{key}`" not in text and f"{key}:" not in text:
                    complain("docs/show-file.md", 1, f"does not tell of the key {key}, which {source} reads")


def check_commands():
    """Every command of the program stands in the README or in the operations guide."""
    code = (ROOT / "coordinator/cli/command_table.c").read_text()
    text = (ROOT / "README.md").read_text() + (ROOT / "docs/operations.md").read_text()
    for name in re.findall(r'^    \{"([a-z]+)", "[^"]*", "', code, re.M):
        if f"`{name}`" not in text and f"reelmill {name}" not in text:
            complain("docs/operations.md", 1, f"does not name the command {name}, nor does the README")


def check_settings():
    """Every key of the two configuration files stands in docs/operations.md."""
    text = (ROOT / "docs/operations.md").read_text()
    for source in ("coordinator/shell/farm_config.c", "worker/shell/worker_config.c"):
        for key in re.findall(r'\{"(\w+)", SETTING_(?:ANYWHERE|FILE_ONLY)', (ROOT / source).read_text()):
            if f"| `{key}`" not in text:
                complain("docs/operations.md", 1, f"does not tell of the key {key}, which {source} reads")


def main():
    files = tracked()
    for top in {path.parts[0] for path in files}:
        if not top.startswith(".") and top not in TOP:
            complain(top, 1, "has no place at the top level")
    for path in files:
        if path.suffix in (".c", ".h"):
            check_source(path)
        if path.suffix == ".md":
            check_links(path)
    check_show_reference()
    check_commands()
    check_settings()
    for problem in problems:
        print(problem)
    print(f"{len(files)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

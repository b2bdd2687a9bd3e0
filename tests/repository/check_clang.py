#!/usr/bin/env python3
"""Every source of this build, read by clang with the project's warnings as errors: the fuzz targets are built with it, and what
gcc takes clang may not. Nothing is compiled; the flags are those of compile_commands.json."""
import json
import os
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ["REELMILL_BUILD"])
SOURCES_MIN = 300
KEPT = ("-I", "-D", "-O", "-W", "-m", "-std=", "-isystem", "-pthread")


def commands():
    """source: what clang is asked, for each source of the repository."""
    found = {}
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        path = Path(entry["file"])
        if ROOT not in path.parents or BUILD in path.parents:
            continue
        words = shlex.split(entry["command"])
        flags = [word for before, word in zip(words, words[1:]) if word.startswith(KEPT) or before == "-isystem"]
        found[str(path)] = ["clang", "-fsyntax-only", "-fno-caret-diagnostics", "-Werror", *flags, str(path)]
    return found


def complaint(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.stderr if done.returncode != 0 else ""


def main():
    if shutil.which("clang") is None:
        print("clang is not installed (deploy/packages.sh test)")
        return 77
    asked = commands()
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        problems = [text for text in pool.map(complaint, asked.values()) if text]
    if len(asked) < SOURCES_MIN:
        problems.append(f"only {len(asked)} sources in {BUILD}/compile_commands.json, of {SOURCES_MIN} or more\n")
    print("".join(problems), end="")
    print(f"{len(asked)} sources, {len(problems)} that clang refuses")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""No result of a worker, and no gain of a plan, comes from a function of libm whose last bit depends on the processor.

glibc picks its sine, logarithm and others by the processor; what a worker measures must not differ from node to node
(common/base/plain_math.h has its own). Checked: what the executor imports, and which of its objects import it; and what those
objects of the coordinator import whose numbers workers get.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

BUILD = Path(os.environ["REELMILL_BUILD"])
NM = os.environ["REELMILL_NM"]
INEXACT = re.compile(r"(a?(sin|cos|tan)h?|atan2|sincos|exp(2|10|m1)?|log(2|10|1p)?|pow|hypot|cbrt|erfc?|[lt]gamma)[fl]?")
# The second opinion of libebur128, which computes with these itself.
ALLOWED = {"second_meter.c": {"log10", "pow"}}
# What render programs, and with them files, are made from. recipe.c writes a sentence with a logarithm.
PLANNED = ("coordinator/plan/**/*.c.o", "coordinator/show/**/*.c.o", "coordinator/verdict/**/gain_to_spec.c.o")
PLANNED_ALLOWED = {"recipe.c": {"log10"}}


def symbols(*arguments):
    """(file, kind, name) of each."""
    done = subprocess.run([NM, "-A", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{NM} failed: {done.stderr.strip()}")
    for line in done.stdout.splitlines():
        path, rest = line.split(":", 1)
        yield Path(path), rest.split()[-2], rest.split()[-1].split("@")[0]


def main():
    problems = []
    executor, = BUILD.glob("lib/reelmill/reelmill-executor-*")
    imported = {name for _, kind, name in symbols("-D", executor) if kind == "U" and INEXACT.fullmatch(name)}
    own = {name for _, kind, name in symbols(executor) if kind == "T"}
    used, linked = {}, set()
    for path, kind, name in symbols(*(path for folder in ("common", "proto", "worker") for path in (BUILD / folder).glob("**/*.c.o"))):
        if kind == "U" and name in imported:
            used.setdefault(path, set()).add(name)
        if kind == "T" and name in own:
            linked.add(path)
    for path in sorted(linked & set(used)):
        for name in sorted(used[path] - ALLOWED.get(path.name.removesuffix(".o"), set())):
            problems.append(f"{path.relative_to(BUILD)} calls {name}() of libm, which differs from processor to processor, and is part "
                            "of the executor: use common/base/plain_math.h")
        imported -= used[path]
    for name in sorted(imported):
        problems.append(f"{executor.name} imports {name}() of libm, which differs from processor to processor, and no object says what for")
    planned = [path for pattern in PLANNED for path in BUILD.glob(pattern)]
    for path, kind, name in symbols(*planned):
        if kind == "U" and INEXACT.fullmatch(name) and name not in PLANNED_ALLOWED.get(path.name.removesuffix(".o"), set()):
            problems.append(f"{path.relative_to(BUILD)} calls {name}() of libm, which differs from processor to processor, and what it "
                            "plans is rendered: use common/base/plain_math.h")
    for problem in problems:
        print(problem)
    print(f"{len(linked)} objects of the executor, {len(planned)} of the planner, {len(problems)} problems")
    return 1 if problems or not linked or not planned else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Alarms and Grafana's dashboard: every metric they name is one that the coordinator has, every alarm has its page; promtool,
where it is installed, reads the rules and runs their stories."""
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RULES = ROOT / "deploy/prometheus/alerts.yaml"
DASHBOARD = ROOT / "deploy/prometheus/grafana-dashboard.json"
problems = []


def known_metrics():
    code = (ROOT / "coordinator/shell/farm_metrics.c").read_text()
    names = set(re.findall(r'put_(?:head|one)\((?:&?writer), "([a-z_]+)"', code)) | set(re.findall(r'\{"([a-z_]+)", "(?:gauge|counter)"', code))
    names |= set(re.findall(r'\{"(node_[a-z_]+_total)", "', code))
    return {"reelmill_" + name for name in names}


def check_names(where, text, known):
    for name in re.findall(r"\breelmill_[a-z_]+", text):
        if re.sub(r"_(bucket|sum|count)$", "", name) not in known and name not in known:
            problems.append(f"{where}: {name} is no metric of farm_metrics.c")


def main():
    known = known_metrics()
    if len(known) < 20:
        problems.append(f"only {len(known)} metrics found in farm_metrics.c")
    rules = RULES.read_text()
    check_names(RULES.name, rules, known)
    panels = json.loads(DASHBOARD.read_text())["panels"]
    for panel in panels:
        for target in panel["targets"]:
            check_names(f"{DASHBOARD.name}: {panel['title']}", target["expr"], known)
    alarms = re.findall(r"alert: (\w+)", rules)
    pages = re.findall(r"runbook: (\S+)", rules)
    if len(alarms) != len(pages):
        problems.append(f"{len(alarms)} alarms, {len(pages)} pages named")
    for alarm, page in zip(alarms, pages):
        if not (ROOT / page).is_file() or alarm not in (ROOT / page).read_text():
            problems.append(f"{alarm}: {page} is not there, or is not about it")
    unused = {str(path.relative_to(ROOT)) for path in (ROOT / "docs/alarms").glob("*.md")} - set(pages) - {"docs/alarms/README.md"}
    problems.extend(f"{page}: no alarm names it" for page in sorted(unused))
    if shutil.which("promtool"):
        for command in (["check", "rules", RULES], ["test", "rules", RULES.with_name("alerts.test.yaml")],
                        ["check", "config", RULES.with_name("prometheus.yml")]):
            done = subprocess.run(["promtool", *map(str, command)], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                problems.append(f"promtool {command[0]} {command[1]}: {done.stdout}{done.stderr}")
    else:
        print("promtool is not installed: the rules were read, not run")
    for problem in problems:
        print(problem)
    print(f"{len(alarms)} alarms, {len(panels)} panels, {len(known)} metrics, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What is deployed on other people's engines, as far as it can be checked without them.

Checked: every Kubernetes object against closed schemas of the fields that we use (a wrong or misplaced field is refused), that
names, labels, volumes, ports, probes and configuration hold together, that the programs read the configuration, and that the
OpenJD template has the form of its 2023-09 schema with every reference defined. Not checked: an API server's own validation and
admission, that images can be built or pulled, and any run on a real cluster or on Deadline Cloud.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing.name} is not installed")
    sys.exit(77)

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "deploy/kubernetes"
BIN = os.environ.get("REELMILL_BIN")
problems = []


def closed(required=(), **fields):
    return {"type": "object", "properties": fields, "required": list(required), "additionalProperties": False}


def items(schema):
    return {"type": "array", "items": schema, "minItems": 1}


TEXT, COUNT, YES = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "boolean"}
NAME = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength": 253}
LABELS = {"type": "object", "additionalProperties": TEXT}
META = closed(("name",), name=NAME, labels=LABELS, annotations=LABELS)
QUANTITY = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(m|Ki|Mi|Gi|Ti)?$"}
RESOURCES = closed(requests={"type": "object", "additionalProperties": QUANTITY}, limits={"type": "object", "additionalProperties": QUANTITY})
PORT = {"anyOf": [TEXT, COUNT]}
SELECTOR = closed(matchLabels=LABELS)
PROBE = closed(httpGet=closed(("path", "port"), path=TEXT, port=PORT), exec=closed(("command",), command=items(TEXT)),
               initialDelaySeconds=COUNT, periodSeconds=COUNT, timeoutSeconds=COUNT, failureThreshold=COUNT)
CONTAINER = closed(("name", "image", "securityContext", "resources"), name=NAME, image=TEXT, command=items(TEXT), workingDir=TEXT,
                   ports=items(closed(("containerPort",), name=NAME, containerPort=COUNT)),
                   env=items(closed(("name",), name=TEXT, valueFrom=closed(fieldRef=closed(("fieldPath",), fieldPath=TEXT)))),
                   startupProbe=PROBE, livenessProbe=PROBE, readinessProbe=PROBE, resources=RESOURCES,
                   securityContext=closed(allowPrivilegeEscalation={"const": False}, readOnlyRootFilesystem={"const": True},
                                          capabilities=closed(drop={"const": ["ALL"]})),
                   volumeMounts=items(closed(("name", "mountPath"), name=NAME, mountPath=TEXT, readOnly=YES)))
VOLUME = closed(("name",), name=NAME, configMap=closed(("name",), name=NAME), secret=closed(("secretName",), secretName=NAME, defaultMode=COUNT),
                persistentVolumeClaim=closed(("claimName",), claimName=NAME), emptyDir=closed(medium=TEXT, sizeLimit=QUANTITY))
POD = closed(("containers", "terminationGracePeriodSeconds"), terminationGracePeriodSeconds=COUNT, automountServiceAccountToken={"const": False},
             securityContext=closed(runAsNonRoot={"const": True}, runAsUser=COUNT, runAsGroup=COUNT, fsGroup=COUNT, fsGroupChangePolicy=TEXT,
                                    seccompProfile=closed(type={"const": "RuntimeDefault"})),
             containers=items(CONTAINER), volumes=items(VOLUME))
TEMPLATE = closed(("metadata", "spec"), metadata=closed(labels=LABELS, annotations=LABELS), spec=POD)
CLAIM = closed(("accessModes", "resources"), accessModes=items({"enum": ["ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]}), resources=RESOURCES)
PEER = closed(podSelector=SELECTOR, namespaceSelector=SELECTOR)
RULE_PORTS = items(closed(("port",), port=PORT, protocol={"enum": ["TCP", "UDP"]}))
POLICY = items(closed(("type", "value", "periodSeconds"), type={"enum": ["Percent", "Pods"]}, value=COUNT, periodSeconds=COUNT))
SPECS = {
    ("v1", "Namespace"): None,
    ("v1", "Service"): closed(("selector", "ports"), selector=LABELS, ports=items(closed(("port",), name=NAME, port=COUNT, targetPort=PORT))),
    ("v1", "PersistentVolumeClaim"): CLAIM,
    ("apps/v1", "StatefulSet"): closed(("serviceName", "selector", "template"), serviceName=NAME, replicas={"const": 1}, selector=SELECTOR,
                                       template=TEMPLATE, volumeClaimTemplates=items(closed(metadata=META, spec=CLAIM))),
    ("apps/v1", "Deployment"): closed(("selector", "template"), selector=SELECTOR, template=TEMPLATE,
                                      strategy=closed(rollingUpdate=closed(maxUnavailable=PORT, maxSurge=PORT))),
    ("policy/v1", "PodDisruptionBudget"): closed(("selector", "maxUnavailable"), maxUnavailable=PORT, selector=SELECTOR),
    ("networking.k8s.io/v1", "NetworkPolicy"): closed(("podSelector", "policyTypes"), podSelector=SELECTOR,
                                                      policyTypes=items({"enum": ["Ingress", "Egress"]}),
                                                      ingress=items({**closed(ports=RULE_PORTS), "properties": {"ports": RULE_PORTS, "from": items(PEER)}}),
                                                      egress=items(closed(ports=RULE_PORTS, to=items(PEER)))),
    ("autoscaling/v2", "HorizontalPodAutoscaler"): closed(
        ("scaleTargetRef", "maxReplicas", "metrics"), scaleTargetRef=closed(("kind", "name"), apiVersion=TEXT, kind=TEXT, name=NAME),
        minReplicas=COUNT, maxReplicas=COUNT,
        metrics=items(closed(("type",), type={"const": "External"}, external=closed(
            ("metric", "target"), metric=closed(("name",), name=TEXT), target=closed(("type",), type={"const": "AverageValue"}, averageValue=QUANTITY)))),
        behavior=closed(scaleUp=closed(policies=POLICY), scaleDown=closed(policies=POLICY, stabilizationWindowSeconds=COUNT))),
}


def expect(good, text):
    if not good:
        problems.append(text)


def check_pod(where, made, maps):
    pod = made["spec"]["template"]["spec"]
    labels = made["spec"]["template"]["metadata"]["labels"]
    claims = {claim["metadata"]["name"] for claim in made["spec"].get("volumeClaimTemplates", [])}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    expect(made["spec"]["selector"]["matchLabels"].items() <= labels.items(), f"{where}: the selector does not select its own pods")
    for container in pod["containers"]:
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        expect(set(mounts) == set(volumes) | claims, f"{where}: volumes and mounts are not the same: {sorted(set(mounts) ^ (set(volumes) | claims))}")
        for inner in mounts.values():  # a runtime cannot make a mount point inside a read-only volume
            expect(not any(inner.startswith(outer + "/") for outer in mounts.values()), f"{where}: {inner} lies within another mount")
        ports = {port["name"] for port in container.get("ports", [])}
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            port = container.get(kind, {}).get("httpGet", {}).get("port")
            expect(port is None or port in ports, f"{where}: {kind} asks a port that the container has not")
        expect("livenessProbe" in container, f"{where}: no liveness probe")
        config = volumes["config"]["configMap"]["name"]
        expect(config in maps and container["command"][2] == f"{mounts['config']}/{maps.get(config)}", f"{where}: the program's --config is not in its volume")
    return labels


def check_kubernetes():
    custom = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    maps = {entry["name"]: entry["files"][0] for entry in custom["configMapGenerator"]}
    objects = {}
    listed = {"kustomization.yaml", *custom["resources"], *maps.values()}
    expect({path.name for path in FOLDER.iterdir()} == listed, f"kustomization.yaml and the folder differ: {sorted({p.name for p in FOLDER.iterdir()} ^ listed)}")
    for name in custom["resources"]:
        for made in yaml.safe_load_all((FOLDER / name).read_text()):
            where = f"{name}: {made['kind']} {made['metadata']['name']}"
            kind = (made["apiVersion"], made["kind"])
            if kind not in SPECS:
                problems.append(f"{where}: {kind} is no kind that this test knows")
                continue
            fields = {"apiVersion": TEXT, "kind": TEXT, "metadata": META}
            schema = closed(("metadata",), **fields) if SPECS[kind] is None else closed(("metadata", "spec"), **fields, spec=SPECS[kind])
            for error in jsonschema.Draft7Validator(schema).iter_errors(made):
                problems.append(f"{where}: {'/'.join(map(str, error.absolute_path))}: {error.message}")
            objects[(made["kind"], made["metadata"]["name"])] = (where, made)
    if problems:
        return
    labels = {name: check_pod(where, made, maps) for (kind, name), (where, made) in objects.items() if kind in ("StatefulSet", "Deployment")}
    for (kind, name), (where, made) in objects.items():
        spec = made.get("spec", {})
        chosen = spec.get("selector" if kind != "NetworkPolicy" else "podSelector", {})
        if kind in ("Service", "PodDisruptionBudget", "NetworkPolicy"):
            wanted = chosen.get("matchLabels", chosen)
            expect(any(wanted.items() <= have.items() for have in labels.values()), f"{where}: selects no pod of ours")
        if kind == "HorizontalPodAutoscaler":
            expect((spec["scaleTargetRef"]["kind"], spec["scaleTargetRef"]["name"]) in objects, f"{where}: scales nothing")
            metric = spec["metrics"][0]["external"]["metric"]["name"].replace("reelmill_", "")
            expect(f'"{metric}"' in (ROOT / "coordinator/shell/farm_metrics.c").read_text(), f"{where}: there is no metric {metric}")
    stop = int(re.search(r"TimeoutStopSec=(\d+)", (ROOT / "deploy/systemd/reelmill-worker@.service").read_text()).group(1))
    grace = objects[("Deployment", "worker")][1]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    expect(grace >= stop, "the worker's grace period is shorter than the unit's")
    for name, path in maps.items():  # the programs take every key, and get as far as what only a cluster has
        if BIN:
            done = subprocess.run([f"{BIN}/reelmill-{name}", "--config", FOLDER / path, "--check-config"], capture_output=True, text=True, check=False)
            expect("/run/secrets/reelmill" in done.stderr + done.stdout or "/srv/reelmill" in done.stderr + done.stdout,
                   f"{path}: {done.stderr.strip() or 'accepted without its secrets'}")


def check_openjd():
    path = ROOT / "deploy/openjd/reelmill-workers.yaml"
    text = path.read_text()
    made = yaml.safe_load(text)
    action = closed(("command",), command=TEXT, cancelation=closed(("mode",), mode={"const": "NOTIFY_THEN_TERMINATE"},
                                                                 notifyPeriodInSeconds={"type": "integer", "minimum": 1, "maximum": 600}))
    schema = closed(
        ("specificationVersion", "name", "steps"), specificationVersion={"const": "jobtemplate-2023-09"}, name=TEXT,
        parameterDefinitions=items(closed(("name", "type"), name=TEXT, type={"enum": ["INT", "FLOAT", "STRING", "PATH"]}, default={}, minValue=COUNT,
                                          maxValue=COUNT, description=TEXT, objectType={"enum": ["FILE", "DIRECTORY"]},
                                          dataFlow={"enum": ["NONE", "IN", "OUT", "INOUT"]})),
        steps=items(closed(("name", "script"), name=TEXT,
                           parameterSpace=closed(taskParameterDefinitions=items(closed(("name", "type", "range"), name=TEXT, type=TEXT, range={}))),
                           hostRequirements=closed(attributes=items(closed(("name",), name=TEXT, anyOf=items(TEXT))),
                                                   amounts=items(closed(("name",), name=TEXT, min=COUNT))),
                           script=closed(("actions",), actions=closed(("onRun",), onRun=action),
                                         embeddedFiles=items(closed(("name", "type", "data"), name=TEXT, type={"const": "TEXT"}, runnable=YES, data=TEXT))))))
    for error in jsonschema.Draft7Validator(schema).iter_errors(made):
        problems.append(f"{path.name}: {'/'.join(map(str, error.absolute_path))}: {error.message}")
    known = {"Param." + one["name"] for one in made["parameterDefinitions"]}
    for step in made["steps"]:
        known |= {"Task.Param." + one["name"] for one in step["parameterSpace"]["taskParameterDefinitions"]}
        known |= {"Task.File." + one["name"] for one in step["script"]["embeddedFiles"]}
        for one in step["script"]["embeddedFiles"]:
            done = subprocess.run(["sh", "-n"], input=one["data"], capture_output=True, text=True, check=False)
            expect(done.returncode == 0, f"{path.name}: {one['name']}: {done.stderr}")
    used = set(re.findall(r"\{\{([A-Za-z.]+)\}\}", text))
    expect(used <= known, f"{path.name}: {sorted(used - known)} is not defined")


if __name__ == "__main__":
    check_kubernetes()
    check_openjd()
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems")
    sys.exit(1 if problems else 0)

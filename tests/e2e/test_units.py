"""The shipped units and configuration under a systemd of their own, booted in a container over this machine's /usr."""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from farm_kit import BIN, PATIENCE_S, FarmTest, digests, main, reelmill, small_show

SOURCE = Path(os.environ["REELMILL_SOURCE"])
USER = 64201
BOOT = ("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--console=pipe", "--bind-ro=/usr")
# What the host starts beside these is none of the test's business.
TARGET = "[Unit]\nRequires=basic.target\nAfter=basic.target\nWants=reelmill-coordinator.service reelmill-worker@1.service probe.service\n"
PROBE = """[Unit]
SuccessAction=exit-force
FailureAction=exit-force
After=reelmill-coordinator.service reelmill-worker@1.service
[Service]
Type=oneshot
ExecStart=/bin/sh -eu /probe.sh
StandardOutput=file:/probe.out
StandardError=file:/probe.out
"""
# A job goes on while both services are started anew: as an upgrade does it, the worker first.
SCRIPT = """export REELMILL_FARM=tcp://127.0.0.1:7070 REELMILL_KEY=/root/key/reelmill.secret
export REELMILL_COORDINATOR_KEY=/etc/reelmill/coordinator.public PATH=/opt/reelmill/bin:/usr/bin:/bin
trap 'journalctl --no-pager --output=cat --unit="reelmill*" > /journal' EXIT
timeout 120 sh -c 'until reelmill nodes --json | grep -q "\\"state\\": *\\"ready\\""; do
    systemctl is-active --quiet reelmill-coordinator || exit 3; done'
reelmill submit /srv/reelmill/show.yaml
systemctl reload reelmill-coordinator
systemctl restart reelmill-worker@1
systemctl restart reelmill-coordinator
timeout 120 reelmill wait 1
reelmill report 1 --json > /report.json
systemctl show --property=ActiveState,NRestarts reelmill-coordinator reelmill-worker@1 > /services
"""


def make_root(root):
    """A machine with nothing of its own but what the packages would put there."""
    for name in ("bin", "sbin", "lib", "lib64"):
        if Path("/", name).is_symlink():
            (root / name).symlink_to(os.readlink(f"/{name}"))
    for name in ("usr", "proc", "sys", "dev", "run", "tmp", "var", "root", "opt/reelmill/bin", "srv/reelmill", "etc/systemd/system"):
        (root / name).mkdir(parents=True)
    if Path("/etc/fonts").is_dir():
        shutil.copytree("/etc/fonts", root / "etc/fonts")
    for name in ("passwd", "group", "nsswitch.conf", "ld.so.cache"):
        shutil.copy(f"/etc/{name}", root / "etc" / name)
    for name, line in (("passwd", f"reelmill:x:{USER}:{USER}::/var/lib/reelmill:/usr/sbin/nologin\n"), ("group", f"reelmill:x:{USER}:\n")):
        with open(root / "etc" / name, "a", encoding="utf-8") as file:
            file.write(line)
    shutil.copy("/usr/lib/os-release", root / "etc/os-release")
    (root / "etc/machine-id").write_text("5d1c" * 8 + "\n")  # without one it were a first boot, which enables whatever is there


class Units(FarmTest):
    def test_a_farm_of_services(self):
        root = self.folder / "root"
        root.mkdir(mode=0o755)
        make_root(root)
        for program in BIN.glob("reelmill*"):
            shutil.copy(program, root / "opt/reelmill/bin")
        shutil.copytree(BIN.parent / "lib", root / "opt/reelmill/lib")
        settings, units = root / "etc/reelmill", root / "etc/systemd/system"
        settings.mkdir()
        keys = {}
        for name in ("coordinator", "worker"):
            shutil.copy(SOURCE / "deploy/packages" / name / f"{name}.yaml", settings)
            keys[name] = self.passes(reelmill("keygen", settings / name)).out.strip()
        keys["chief"] = self.passes(reelmill("keygen", root / "root/key")).out.strip()
        (settings / "coordinator.public").write_text(keys["coordinator"] + "\n")
        for name, role in (("worker", "worker"), ("chief", "operator")):
            self.passes(reelmill("authorize", keys[name], "--role", role, "--name", name, "--authorized", settings / "authorized"))
        os.chown(settings / "authorized", 0, USER)
        (settings / "authorized").chmod(0o640)
        for unit in (SOURCE / "deploy/systemd").glob("*.service"):
            text = unit.read_text().replace("/usr/bin/", "/opt/reelmill/bin/")
            # A sanitizer's leak check traces its process, which no service may.
            (units / unit.name).write_text(text.replace("[Service]\n", "[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n"))
        (units / "default.target").write_text(TARGET)
        (units / "probe.service").write_text(PROBE)
        (root / "probe.sh").write_text(SCRIPT)
        show = small_show(root / "srv/reelmill")
        self.passes(reelmill("run", show.path, "--out", self.folder / "alone"))
        for path in (root / "srv/reelmill", *(root / "srv/reelmill").rglob("*")):
            os.chown(path, USER, USER)

        done = subprocess.run([*BOOT, f"--directory={root}", "--boot"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        told = "\n".join((root / name).read_text() for name in ("probe.out", "journal") if (root / name).exists())
        self.assertEqual(done.returncode, 0, f"{done.stdout}\n{done.stderr}\n{told}")
        self.assertEqual(digests(root / "srv/reelmill/out"), digests(self.folder / "alone"))
        self.assertEqual((root / "services").read_text().split(), ["NRestarts=0", "ActiveState=active"] * 2)


if __name__ == "__main__":
    if os.geteuid() != 0 or shutil.which("systemd-nspawn") is None:
        print("skipped: booting a systemd of its own needs root and systemd-nspawn (package systemd-container)")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="reelmill-e2e-") as probe:
        make_root(Path(probe))
        tried = subprocess.run([*BOOT, f"--directory={probe}", "/bin/true"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               check=False)
    if tried.returncode != 0:
        print(f"skipped: this machine cannot start a container: {tried.stderr.strip()}")
        sys.exit(77)
    main()

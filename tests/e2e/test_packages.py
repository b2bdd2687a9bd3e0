"""The Debian packages and the systemd units as built here: what is in them, and how far the units are shut in."""
import os
import re
import shutil
import subprocess
from pathlib import Path

from farm_kit import BIN, FarmTest, main, small_show

SOURCE = Path(os.environ["REELMILL_SOURCE"])
UNITS = sorted((SOURCE / "deploy" / "systemd").glob("*.service"))


def told(*command, **options):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True, **options).stdout


PARTS = sorted(path.name for path in (BIN.parent / "lib" / "reelmill").iterdir())  # named with their version


class Packages(FarmTest):
    def test_packages(self):
        told("cpack", "-G", "DEB", "--config", BIN.parent / "CPackConfig.cmake", "-B", self.folder)
        packages = {told("dpkg-deb", "-f", path, "Package").strip(): path for path in self.folder.glob("*.deb")}
        self.assertEqual(sorted(packages), ["reelmill", "reelmill-coordinator", "reelmill-worker"])
        held = {}
        for name, path in packages.items():
            told("dpkg-deb", "-x", path, self.folder / name)
            told("dpkg-deb", "-e", path, self.folder / name / "DEBIAN")
            held[name] = {"/" + str(file.relative_to(self.folder / name)) for file in (self.folder / name).rglob("*")
                          if file.is_file()}
        control = {f"/DEBIAN/{name}" for name in ("control", "md5sums", "conffiles", "postinst", "prerm", "postrm")}
        self.assertEqual(held["reelmill-coordinator"] - control, {
            "/etc/reelmill/coordinator.yaml", "/lib/systemd/system/reelmill-coordinator.service",
            "/usr/share/man/man8/reelmill-coordinator.8.gz"})
        self.assertEqual(held["reelmill-worker"] - control, {
            "/etc/reelmill/worker.yaml", "/lib/systemd/system/reelmill-worker@.service", "/usr/share/man/man8/reelmill-worker.8.gz"})
        self.assertEqual(held["reelmill"] - control, {
            "/usr/bin/reelmill", "/usr/bin/reelmill-coordinator", "/usr/bin/reelmill-worker",
            *(f"/usr/lib/reelmill/{part}" for part in PARTS),
            "/usr/share/reelmill/reelmill-worker.sbatch", "/usr/share/reelmill/mail-at-end", "/usr/share/reelmill/post-at-end",
            "/usr/share/man/man1/reelmill.1.gz", "/usr/share/bash-completion/completions/reelmill",
            "/usr/share/zsh/vendor-completions/_reelmill", "/usr/share/fish/vendor_completions.d/reelmill.fish"})
        for name in ("coordinator", "worker"):
            folder = self.folder / f"reelmill-{name}" / "DEBIAN"
            self.assertEqual((folder / "conffiles").read_text().split(), [f"/etc/reelmill/{name}.yaml"])
            for script in ("postinst", "prerm", "postrm"):
                told("sh", "-n", folder / script)
                self.assertEqual((folder / script).stat().st_mode & 0o777, 0o755)

    def test_tarball_brings_its_libraries(self):
        """The loader finds every library but glibc's in the archive's own folder, and the programs the parts that lie there."""
        if not shutil.which("patchelf"):
            self.skipTest("patchelf is not installed")
        told("sh", SOURCE / "deploy" / "tarball.sh", BIN.parent, self.folder / "reelmill.tar.gz")
        told("tar", "-C", self.folder, "-xzf", self.folder / "reelmill.tar.gz")
        root = self.folder / "reelmill"
        self.assertRegex((root / "README").read_text(), r"glibc \d+\.\d+ or newer")
        programs = [root / "bin" / name for name in ("reelmill", "reelmill-coordinator", "reelmill-worker")]
        parts = [root / "lib" / "reelmill" / part for part in PARTS]
        for program in programs:
            self.assertIn("render version", told(program, "--version"))
        self.assertEqual(len(parts), 5)  # the executor and what is loaded late
        for file in programs + parts:
            used = re.findall(r" => (\S+) ", told("ldd", file))
            others = {Path(path).name for path in used if not Path(path).resolve().is_relative_to(root.resolve())}
            self.assertLessEqual({name.split(".so")[0] for name in others}, {"libc", "libm", "libdl", "librt", "libpthread", "libresolv"})
        show = small_show(self.folder / "show")
        run = [programs[0], "run", show.path]
        told(*run, cwd=show.folder)
        pdf = next(show.folder.rglob("report.pdf"))
        self.assertTrue(pdf.read_bytes().startswith(b"%PDF"))
        pdf.unlink()
        next(path for path in parts if "pdf" in path.name).unlink()
        done = subprocess.run(run, cwd=show.folder, capture_output=True, text=True, check=False)
        self.assertRegex(done.stdout + done.stderr, "report.pdf cannot be made: a part of reelmill cannot be loaded: reelmill-pdf-")

    def test_shipped_configuration_is_read(self):
        """Each program takes its file and gets as far as what is not there: the key, or the folder of the media root."""
        for name in ("coordinator", "worker"):
            done = subprocess.run([BIN / f"reelmill-{name}", "--config", SOURCE / "deploy" / "packages" / name / f"{name}.yaml",
                                   "--key", self.folder / "no.secret"], capture_output=True, text=True, check=False)
            with self.subTest(program=name):
                self.assertNotEqual(done.returncode, 0)
                self.assertRegex(done.stderr, "no.secret|/srv/reelmill of media root media")

    def test_units_are_shut_in(self):
        self.assertEqual(len(UNITS), 2)
        for unit in UNITS:
            with self.subTest(unit=unit.name):
                text = told("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
                score = float(re.search(r"exposure level for .*: ([0-9.]+)", text).group(1))
                self.assertLessEqual(score, 1.5)


if __name__ == "__main__":
    try:
        for tool in ("cpack", "dpkg-shlibdeps", "systemd-analyze"):
            subprocess.run([tool, "--version"], capture_output=True, check=True)
    except FileNotFoundError as missing:
        print(f"skipped: {missing.filename} is not installed")
        raise SystemExit(77) from None
    main()

"""Folders of deliverables appear complete or not at all, whenever everything is killed; their checksum lists are true."""
import os
import subprocess
from xml.etree import ElementTree

from farm_kit import CHANCE, KILL, FarmTest, children_of, digests, main, reelmill, run_for, start
from wide_show import WideShow

SPACE = "{urn:ASC:MHL:v2.0}"


class Folders(FarmTest):
    def show(self):
        recipes = self.folder / "recipes"
        recipes.mkdir()
        (recipes / "monos.yaml").write_text("reelmill_recipe: 1\nextends: printmaster-7.1.2\nfiles: multi-mono\nassembly: both\n")
        wanted = [{"name": "MONOS", "recipe": "monos"}, {"name": "PM_51", "recipe": "printmaster-5.1"},
                  {"name": "AD", "recipe": "ad-narration"}]
        return WideShow(self.folder, [2, 1], [dict(item, spec="none") for item in wanted], checksums=["md5", "xxh128"])

    def judge(self, folder):
        """What a receiver does: the tools that everybody has, then the hash list."""
        for tool, suffix in (("md5sum", "md5"), ("xxhsum", "xxh128")):
            done = subprocess.run([tool, "-c", f"{folder.name}.{suffix}"], cwd=folder, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            audio = len(list(folder.glob("*.wav"))) + len(list(folder.glob("*.json")))
            self.assertEqual(done.stdout.count(": OK"), audio)
        chain = ElementTree.parse(folder / "ascmhl" / "ascmhl_chain.xml").getroot()
        listed = ElementTree.parse(folder / "ascmhl" / chain[0][0].text).getroot()[2]
        self.assertEqual({item[0].text for item in listed}, {path.name for path in folder.iterdir() if path.is_file()})
        for item in listed:
            self.assertEqual([child.tag for child in item], [SPACE + "path", SPACE + "md5", SPACE + "xxh128"])
            for tool, text in (("md5sum", item[1].text), ("xxh128sum", item[2].text)):
                done = subprocess.run([tool, item[0].text], cwd=folder, capture_output=True, text=True, check=True)
                self.assertEqual(done.stdout.split()[0], text)

    def test_no_folder_is_ever_half_there(self):
        show = self.show()
        states = self.folder / "states"  # of the private farms
        states.mkdir()
        self.addCleanup(os.environ.__setitem__, "TMPDIR", os.environ.get("TMPDIR", ""))
        os.environ["TMPDIR"] = str(states)
        self.passes(reelmill("run", show.path, "--out", self.folder / "first"))
        expected = digests(self.folder / "first")
        version = self.folder / "first" / "NIGHT_TRAIN" / "v01"
        self.assertEqual(len(expected), 3 * 10 + 1 + 1)
        for name in ("MONOS", "PM_51", "AD"):
            self.judge(version / name)
        everything = sorted(str(path.relative_to(version)) for path in version.rglob("*") if path.is_file() and "ascmhl" not in path.parts)

        # Killed as soon as this is there: names in the staging folder, lists in it, the first folder, and at any time.
        stage = "MONOS.reelmill.part"
        moments = [f"{stage}/NIGHT_TRAIN_MONOS.L.wav", f"{stage}/NIGHT_TRAIN_MONOS_R2.Rts.wav", f"{stage}/MONOS.md5", f"{stage}/ascmhl",
                   "MONOS", "AD", None, None]
        seen = 0
        for number, moment in enumerate(moments):
            out = self.folder / f"killed{number}"
            version = out / "NIGHT_TRAIN" / "v01"
            own = {version / place / name: name.encode() for place in ("MONOS.part", "PM_51.part")  # folders of the user's own
                   for name in ("notes.txt", "MONOS.md5", "NIGHT_TRAIN_PM_51.wav", "NIGHT_TRAIN_PM_51.wav.1-1.part",
                                "ascmhl/ascmhl_chain.xml")} if number % 2 else {}
            for path, content in own.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            process = start("run", show.path, "--out", out, "--workers", 2, start_new_session=True)
            if moment is None:
                run_for(process, CHANCE.uniform(0.2, 2.0))
            else:
                family = []
                while process.poll() is None and not (version / moment).exists():
                    family = family or [pid for pid, program in children_of(process.pid) if program == "executor"]
            # The one that is at it first: looking for the others takes longer than what it still has to do.
            for pid in [*(family if moment else []), process.pid, *(pid for pid, _ in children_of(process.pid))]:
                try:
                    os.kill(pid, KILL)
                except ProcessLookupError:
                    pass
            process.communicate()
            for name in ("MONOS", "PM_51", "AD"):
                if (version / name).exists():
                    self.judge(version / name)
            seen += (version / stage).exists() and any((version / stage).glob("*.wav"))
            # Made again from whatever is left: the same files, and nothing beside them.
            self.passes(reelmill("run", show.path, "--out", out))
            for path, content in own.items():
                self.assertEqual(path.read_bytes(), content)
                path.unlink()
            self.assertEqual(digests(out), expected)
            self.assertEqual(sorted(str(path.relative_to(version)) for path in version.rglob("*")
                                    if path.is_file() and "ascmhl" not in path.parts), everything)
            self.judge(version / "MONOS")
        # Those that were killed left their state: the next farm has removed it, and its own.
        self.passes(reelmill("check", show.path))
        self.assertEqual(list(states.iterdir()), [])
        print("killed while names were given:", seen, "times")  # task_output_test goes through every point of it


if __name__ == "__main__":
    main()

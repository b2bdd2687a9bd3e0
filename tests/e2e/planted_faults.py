"""The confusion table of docs/qc-checks.md: every planted fault, what became of it, and the false alarms on clean material.

    REELMILL_BIN=BUILD/bin REELMILL_SHARED=../shared python3 tests/e2e/planted_faults.py --document docs/qc-checks.md

It has as many cases at work as there are processors, and takes longest for sixty clean shows. Each part is written into the
document as soon as it is known, between the two lines that name it there; without a document all is printed. Single parts are
planted_clean.py, planted_signal.py, planted_stems.py, planted_leaks.py, planted_reels.py and sync_faults.py, or `--parts`.
"""
import argparse
import contextlib
import io
import re
import sys
import time
from pathlib import Path

import planted_clean
import planted_leaks
import planted_reels
import planted_signal
import planted_stems
import sync_faults
from farm_kit import need_shared


def clean(options):
    planted_clean.print_clean(planted_clean.clean_table(0, options.clean, 60), options.clean, 60)


def signal(options):
    print(planted_signal.table(*planted_signal.run_seeds(30, options.seeds)))


def received(_):
    planted_stems.print_received(planted_stems.received_table())


def leaks(options):
    planted_leaks.print_alone(*planted_leaks.alone_table(40000, options.pairs))
    planted_leaks.print_reach(*planted_leaks.reach_table(50000, options.pairs // 5))
    planted_leaks.print_strengths(*planted_leaks.strength_table(options.seeds))


def joins(_):
    planted_reels.main()


def sync(options):
    sys.argv = [sys.argv[0], str(options.minutes)]
    sync_faults.main()


PARTS = {part.__name__: part for part in (clean, signal, received, leaks, joins, sync)}


def place_of(name):
    return re.compile(f"(<!-- planted_faults.py: {name} -->\n).*?(<!-- end of {name} -->\n)", re.DOTALL)


def put(document, name, text):
    """The part between its lines in the document, anew."""
    whole = document.read_text()
    document.write_text(place_of(name).sub(lambda found: found[1] + text.strip("\n") + "\n" + found[2], whole))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=4, help="of leaks and of signal faults")
    parser.add_argument("--minutes", type=int, default=10, help="of the programme for sync")
    parser.add_argument("--pairs", type=int, default=100, help="of a source and a host")
    parser.add_argument("--clean", type=int, default=60, help="clean shows of a minute")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--document", type=Path, help="where the parts are written")
    options = parser.parse_args()
    need_shared()
    for name in options.parts:
        if options.document and not place_of(name).search(options.document.read_text()):
            sys.exit(f"{options.document} has no lines <!-- planted_faults.py: {name} --> and <!-- end of {name} -->: add them where the "
                     "part belongs, or leave it out with --parts")
    for name in options.parts:
        began = time.monotonic()
        with contextlib.redirect_stdout(io.StringIO()) as text:
            PARTS[name](options)
        if options.document:
            put(options.document, name, text.getvalue())
        else:
            print(f"## {name.capitalize()}\n\n{text.getvalue()}", flush=True)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

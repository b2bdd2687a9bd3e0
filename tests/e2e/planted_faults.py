"""The confusion table of docs/qc-checks.md: every planted fault, what became of it, and the false alarms on clean material.

    REELMILL_BIN=BUILD/bin REELMILL_SHARED=../shared python3 tests/e2e/planted_faults.py [--seeds 4] [--minutes 10]

It takes some minutes for each seed; single parts are planted_clean.py, planted_signal.py, planted_stems.py, planted_reels.py and
sync_faults.py.
"""
import argparse
import sys

import planted_clean
import planted_reels
import planted_signal
import planted_stems
import sync_faults
from farm_kit import need_shared


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=4, help="of leaks and of signal faults")
    parser.add_argument("--minutes", type=int, default=10, help="of the programme for sync")
    parser.add_argument("--clean", type=int, default=60, help="clean shows of a minute")
    options = parser.parse_args()
    need_shared()
    print("## Clean shows\n")
    planted_clean.print_clean(planted_clean.clean_table(0, options.clean, 60), options.clean, 60)
    print("## Signal\n")
    print(planted_signal.table(*planted_signal.run_seeds(30, options.seeds)) + "\n", flush=True)
    print("## Stems\n")
    planted_stems.print_received(planted_stems.received_table())
    planted_stems.print_bleed(*planted_stems.bleed_table(options.seeds))
    planted_stems.print_least(*planted_stems.least_table(10))
    print("## Joins and pops\n")
    planted_reels.main()
    print("## Sync\n", flush=True)
    sys.argv = [sys.argv[0], str(options.minutes)]
    sync_faults.main()


if __name__ == "__main__":
    main()

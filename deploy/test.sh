#!/bin/sh
# Installs what tests need, builds with AddressSanitizer and UndefinedBehaviorSanitizer, runs every test through ctest.
set -eu
cd "$(dirname "$0")/.."
sh deploy/packages.sh test
cmake --preset dev
cmake --build --preset dev
ctest --preset dev -j 4 # on 2 cores: most tests wait more than they compute

#!/bin/sh
# Installs what is missing, builds a release, writes the demo show, renders it on a private farm, says where things are.
set -eu
cd "$(dirname "$0")/.."
sh deploy/packages.sh build
cmake --preset release
cmake --build --preset release
demo=${1:-build/demo}
rm -rf "$demo"
build/bin/reelmill demo "$demo"
build/bin/reelmill run "$demo/show.yaml"

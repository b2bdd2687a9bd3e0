#!/bin/sh
# Every kernel object exports one symbol, FILE_fill, so that no inline code of a higher level can be merged into
# objects that run everywhere. Arguments: the objects.
set -eu
if ! command -v nm >/dev/null 2>&1; then
    echo "skipped: nm is not installed (package binutils)"
    exit 77
fi
failed=0
for object in "$@"; do
    expected=$(basename "$object" .c.o)_fill
    exported=$(nm -g --defined-only "$object" | awk 'NF == 3 { print $3 }' | sort)
    if [ "$exported" != "$expected" ]; then
        echo "FAILED: $object exports \"$(echo "$exported" | tr '\n' ' ')\", expected only \"$expected\""
        failed=1
    fi
done
[ $# -gt 0 ] && exit $failed
echo "FAILED: no object was named"
exit 1

#!/bin/sh
# Builds check_kernels for another machine and runs it there under emulation:
#   run_emulated.sh arm64   SOURCE_DIR BUILD_DIR   NEON kernels and their scalar reference, under qemu-aarch64
#   run_emulated.sh old-cpu SOURCE_DIR BUILD_DIR   all x86 levels compiled in, on a CPU of 2006 without AVX: what is above
#                                                  the scalar level traps, and detection must answer "scalar"
# Exits 77 with a reason when the compiler or the emulator is missing.
set -eu

kind=$1
source_dir=$2
build_dir=$3/emulated-$kind
warnings="-Wall -Wextra -Werror"
flags="-std=c17 -O2 -g -ffp-contract=off -fno-strict-aliasing -D_POSIX_C_SOURCE=200809L -I$source_dir"

need() {
    if ! command -v "$1" >/dev/null 2>&1; then
        echo "skipped: $1 is not installed ($2)"
        exit 77
    fi
}

case $kind in
arm64)
    compiler=aarch64-linux-gnu-gcc
    emulator="qemu-aarch64"
    levels="scalar neon"
    define=-DDSP_LEVELS_ARM
    need $compiler "packages gcc-aarch64-linux-gnu and libc6-dev-arm64-cross"
    need qemu-aarch64 "package qemu-user"
    ;;
old-cpu)
    compiler=${CC:-cc}
    emulator="qemu-x86_64 -cpu Conroe"
    levels="scalar avx2 avx512"
    define=-DDSP_LEVELS_X86
    need qemu-x86_64 "package qemu-user"
    if [ "$(uname -m)" != x86_64 ]; then
        echo "skipped: this machine is not x86-64"
        exit 77
    fi
    ;;
*)
    echo "run_emulated.sh: unknown machine \"$kind\": arm64 or old-cpu" >&2
    exit 2
    ;;
esac

mkdir -p "$build_dir"
if ! echo '#include <stdint.h>
int main(void) { return 0; }' | $compiler -static -x c - -o "$build_dir/probe" 2>/dev/null; then
    echo "skipped: $compiler cannot build a static program (package libc6-dev-arm64-cross for arm64)"
    exit 77
fi

flags_of() {
    case $1 in
    avx2) echo "-mavx2 -mfma" ;;
    avx512) echo "-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma" ;;
    esac
}

objects=
compile() {
    object=$build_dir/$(echo "$1" | tr / _).o
    # shellcheck disable=SC2046,SC2086
    $compiler $flags $warnings $define $(flags_of "$2") -c "$source_dir/$1" -o "$object"
    objects="$objects $object"
}
cd "$source_dir"
for file in worker/dsp/*.c tests/kernels/check_*.c tests/kernels/kernel_*.c common/base/status.c common/base/plain_text.c common/base/arena.c common/base/ensure.c common/base/plain_math.c; do
    compile "$file" scalar
done
for level in $levels; do
    for file in worker/dsp/"$level"/*.c; do
        compile "$file" "$level"
    done
done
# shellcheck disable=SC2086
$compiler -static $objects -lm -o "$build_dir/check_kernels"

# A tenth of the cases: the emulator runs some thirty times slower.
$emulator "$build_dir/check_kernels" --effort 10
if [ "$kind" = old-cpu ] && $emulator "$build_dir/check_kernels" --cpu avx2 --effort 1 2>/dev/null; then
    echo "FAILED: a CPU without AVX was given the AVX2 level"
    exit 1
fi

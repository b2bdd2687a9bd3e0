#!/bin/sh
# tarball.sh BUILD OUT.tar.gz: the programs with every library but glibc, for distributions without our packages. Needs patchelf.
# It runs on any Linux of the same processor family whose glibc is at least as new as the one it says at the end.
set -eu
[ $# -eq 2 ] || { echo "usage: tarball.sh BUILD OUT.tar.gz" >&2; exit 2; }
here=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
out=$2
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root=$stage/reelmill
mkdir -p "$root/bin" "$root/lib/reelmill" "$root/share"
for program in reelmill reelmill-coordinator reelmill-worker; do
    install -s "$build/bin/$program" "$root/bin/"
done
install -s "$build"/lib/reelmill/reelmill-* "$root/lib/reelmill/"
for file in "$root"/bin/* "$root"/lib/reelmill/reelmill-*; do
    # What every Linux has, and what has to fit its kernel and loader, is not ours to bring: glibc.
    ldd "$file" | sed -n 's/^.* => \(\/[^ ]*\) .*/\1/p' \
        | grep -v -E '/(libc|libm|libdl|librt|libpthread|libresolv|libnsl|libutil|libanl|ld-linux[^/]*)\.so' || true
done | sort -u | while read -r library; do
    cp -L "$library" "$root/lib/reelmill/"
done
# The old kind of run path: it serves the libraries' own libraries too, and those of the parts that a program loads later.
patchelf --force-rpath --set-rpath '$ORIGIN/../lib/reelmill' "$root"/bin/*
patchelf --force-rpath --set-rpath '$ORIGIN' "$root"/lib/reelmill/reelmill-*
cp "$here/deploy/slurm/reelmill-worker.sbatch" "$here/deploy/hooks/mail-at-end" "$here/deploy/hooks/post-at-end" "$root/share/"
cp -r "$here/deploy/systemd" "$here/deploy/packages/coordinator/coordinator.yaml" "$here/deploy/packages/worker/worker.yaml" "$root/share/"
floor=$(for file in "$root"/bin/* "$root"/lib/reelmill/*; do objdump -T "$file"; done | sed -n 's/.*(\?GLIBC_\([0-9.]*\)).*/\1/p' | sort -V -u | tail -1)
printf 'reelmill for Linux with glibc %s or newer.\nUnpack anywhere; bin/reelmill --help. docs/operations.md of the project says the rest.\nFonts for the PDF report come from the machine (fontconfig).\n' \
    "$floor" > "$root/README"
tar --sort=name --owner=0 --group=0 --numeric-owner -C "$stage" -czf "$out" reelmill
echo "$out: $(du -h "$out" | cut -f1), $(ls "$root/lib/reelmill" | wc -l) libraries, glibc $floor or newer"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Run checkasm on an emulated CPU with AVX-512: run.sh BUILD_FOLDER [ISA [CHECKS]]. README.md says what it needs.
# Environment: WORK (folder for kernel, image and output), BOCHS, BOCHS_ARGUMENTS, CPU (model and its options), BIOS,
# MINUTES (time limit). The exit status is that of checkasm.
set -euo pipefail
if [ $# -lt 1 ] || [ $# -gt 3 ]; then
    echo "usage: $0 BUILD_FOLDER [ISA [CHECKS]]" >&2
    exit 2
fi
source_folder=$(cd "$(dirname "$0")/../.." && pwd)
program=$(realpath "$1")/tests/checkasm/checkasm
isa=${2:-avx512}
checks=${3:-*}
work=${WORK:-$(realpath "$1")/emulate_avx512}
bochs=${BOCHS:-bochs-bin}
bios=${BIOS:-/usr/share/bochs}
mkdir -p "$work"
cd "$work"

# Get a kernel, and a shell that needs no library.
unpacked=$work/packages
if [ ! -d "$unpacked" ]; then
    rm -rf download && mkdir download
    (
        cd download
        kernel=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2; exit }')
        apt-get -q download "$kernel" busybox-static
        for package in *.deb; do dpkg -x "$package" unpacked; done
    )
    mv download/unpacked "$unpacked"
fi

# The root folder: the program, the libraries that it loads, and its data.
root=$work/root
rm -rf "$root"
mkdir -p "$root"/{bin,dev,proc,sys}
cp "$unpacked/bin/busybox" "$program" "$root/bin/"
cp -r "$source_folder/tests/data/attention" "$root/data"
ldd "$program" | grep -o '/[^ ]*' | sort -u | while read -r library; do
    install -D "$library" "$root$library"
done
cat >"$root/init" <<INIT
#!/bin/busybox sh
busybox=/bin/busybox
\$busybox mount -t proc proc /proc
\$busybox mount -t devtmpfs dev /dev
\$busybox mount -t sysfs sys /sys
echo "CPU: \$(\$busybox grep -o -w -E 'avx[^ ]*' /proc/cpuinfo | \$busybox tr '\n' ' ')"
# one CPU: waiting threads must sleep
/bin/checkasm /data $isa '$checks'
echo "checkasm ended with status \$?"
\$busybox sleep 2
\$busybox poweroff -f
INIT
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >initrd.gz

# A CD that boots it. Bochs 2.7 reports a wrong size of compacted states, for which Linux would turn AVX off.
mkdir -p cd
cp "$unpacked"/boot/vmlinuz-* cd/vmlinuz
cp initrd.gz cd/
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 cd/
cat >cd/isolinux.cfg <<'MENU'
default test
prompt 0
label test
 kernel vmlinuz
 append initrd=initrd.gz rdinit=/init console=ttyS0 loglevel=4 nokaslr mitigations=off tsc=reliable panic=-1 clearcpuid=xsavec,xsaves,xgetbv1,pku
MENU
xorriso -as mkisofs -quiet -o cd.iso -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table cd
cat >machine <<MACHINE
display_library: rfb, options="timeout=0"
memory: guest=1024, host=1024
romimage: file="$bios/BIOS-bochs-latest"
vgaromimage: file="$bios/VGABIOS-lgpl-latest"
boot: cdrom
ata0-master: type=cdrom, path="cd.iso", status=inserted
cpu: count=1, ips=50000000, reset_on_triple_fault=0, model=${CPU:-corei7_skylake_x}
clock: sync=none
com1: enabled=1, mode=file, dev=serial
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
log: log
panic: action=fatal
MACHINE
echo continue >commands
rm -f serial
touch serial
# the screen is not used; the output goes to the serial port
# shellcheck disable=SC2086
timeout "${MINUTES:-60}m" "$bochs" -q ${BOCHS_ARGUMENTS--rc commands} -f machine </dev/null >screen 2>&1 &
emulator=$!
trap 'kill $emulator 2>/dev/null || true' EXIT
tail -n +1 -f --pid=$emulator serial || true
wait $emulator || true
status=$(sed -n 's/^checkasm ended with status \([0-9]*\).*/\1/p' serial)
exit "${status:-1}"

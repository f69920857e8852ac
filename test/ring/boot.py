#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""One node on many machines: it boots until "ready", and no further. No ring, no `rotifer` command."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import GiveUp, Machine, hang, ok, same, skip

UBOOT = "/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf"


def boots(claim, *options, says=None, **more):
    """The machine gets ready, says what it must on the way, and ends when asked."""
    m = Machine(*options, **more)
    try:
        m.ready()
        text = "\n".join(m.console.lines)
        missing = [s for s in says or [] if s not in text]
        ok(not missing, claim, "not said: %r" % missing)
        if m.quit() != 0:
            ok(False, claim + ": QEMU ends when asked")
    except GiveUp as e:
        ok(False, claim, e)
    finally:
        m.drop()


def harts():
    for n in (1, 4, 8):
        boots("%d hart%s" % (n, "s" * (n > 1)), "-smp", str(n), "-m", "64M", says=["harts: %d " % n])


def processors():
    boots("-cpu rv64, timer by Sstc", "-cpu", "rv64", "-smp", "2", "-m", "64M", says=["timer Sstc"])
    boots("-cpu rv64,sstc=off, timer by the firmware", "-cpu", "rv64,sstc=off", "-smp", "2", "-m", "64M",
          says=["timer SBI"])
    boots("-cpu sifive-u54", "-cpu", "sifive-u54", "-smp", "2", "-m", "64M", says=["timer SBI"])


def available_mib():
    with open("/proc/meminfo") as f:
        return next(int(x.split()[1]) // 1024 for x in f if x.startswith("MemAvailable:"))


def memories():
    for size, says in (("16M", "memory: 16 MiB"), ("64M", "memory: 64 MiB"), ("2G", "memory: 2048 MiB")):
        if size == "2G" and available_mib() < 3072:  # our free list lies in the free pages: QEMU gets them all
            skip("2G of memory", "this machine has %d MiB left" % available_mib())
            continue
        boots("%s of memory" % size, "-m", size, says=[says])


def board():
    # Hart 0 has no MMU there, and there is no virtio: the node is alone.
    boots("-M sifive_u, 4 of its 5 harts, no network", "-smp", "5", "-m", "256M", machine="sifive_u",
          says=["harts: 4 "])


def elsewhere():
    """The image is linked for 0x80200000 and must not care where it lies."""
    moved = ring.scratch("moved.elf")
    cross = os.environ.get("CROSS", "riscv64-unknown-elf-")
    subprocess.run([cross + "objcopy", "--change-section-lma", "*+0x4600000",
                    os.path.join(ring.BUILD, "rotifer.elf"), moved], check=True, timeout=hang(60))
    boots("entered at 0x84800000", "-m", "128M", "-kernel", moved, "-append", "node=n1", kernel=False)


def u_boot():
    claim = "booted by U-Boot (booti from 0x84000000)"
    if not os.path.exists(UBOOT):
        skip(claim, "no U-Boot here: package u-boot-qemu")
        return
    m = Machine("-m", "128M", "-kernel", UBOOT, "-device",
                "loader,file=%s,addr=0x84000000,force-raw=on" % ring.IMAGE, kernel=False)
    try:
        # It reads no line before its prompt; the prompt has no line end, so what is waited for is the line before.
        m.console.wait_line(r"^Net:|^Hit any key|^In:", 60)
        m.console.write("\n\nsetenv bootargs node=booted\nbooti 0x84000000 - $fdtcontroladdr\n")
        m.console.wait_line(r"^node booted ready$", 60)
        ok(True, claim)
        m.quit()
    except GiveUp as e:
        ok(False, claim, e)
    finally:
        m.drop()


def arguments():
    for bad in ("xyz", "", "0" * 63, "0" * 65, "0" * 63 + "g", "0x" + "0" * 62):
        m = Machine("-m", "32M", append="node=n1 ringkey=" + bad)
        try:
            status = m.end()
            said = any("ringkey is not 64 hexadecimal digits" in x for x in m.console.lines)
            ok(status == 102 and said, "ringkey=%s... : a clear message and status 102" % bad[:8],
               "status %d\n%s" % (status, m.console.tail()))
        except GiveUp as e:
            ok(False, "ringkey=%s... ends the machine" % bad[:8], e)
        finally:
            m.drop()
    for what, append in (("odd", "harts=0 node harts=99 =x ringkey\x01 \xff\xfe node=n1 node=n2"),
                         ("a very long name", "node=" + "n" * 500), ("very many", "x=y " * 500 + "node=late"),
                         ("no", "")):
        boots("%s boot arguments do no harm" % what, "-m", "32M", append=append)


if __name__ == "__main__":
    ring.main(harts, processors, memories, board, elsewhere, u_boot, arguments)

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""One node on many machines: it boots until "ready", and no further. No ring, no `rotifer` command."""
import os
import re
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import ring
from ring import GiveUp, Machine, Ring, hang, ok, same, scratch, skip

BOOTFS = os.path.join(ring.BUILD, "bootfs.cpio")
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


def processors():
    """Each kind of processor with each number of harts."""
    for cpu, timer in (("rv64", "Sstc"), ("rv64,sstc=off", "SBI"), ("sifive-u54", "SBI")):
        for n in range(1, 9):
            types("-cpu %s, %d hart%s, timer %s" % (cpu, n, "s" * (n > 1), timer), [ALL_HARTS], "-cpu", cpu, "-smp", str(n),
                  "-m", "64M", harts=n, says=["harts: %d " % n, "timer " + timer])


def firmware():
    """On an OpenSBI newer than the one that QEMU brings: its console is the firmware's."""
    newer = os.path.join(ring.ROOT, "third_party", "opensbi", "fw_dynamic.bin")
    for machine, *cpu in (("virt", "-cpu", "rv64"), ("virt", "-cpu", "rv64,sstc=off"), ("virt", "-cpu", "sifive-u54"),
                          ("sifive_u",)):
        claim = "OpenSBI 1.6, -M %s %s: the shell runs hello" % (machine, " ".join(cpu))
        if not os.path.exists(newer):
            skip(claim, "set-up found no newer OpenSBI")
            continue
        harts = 3 if machine == "sifive_u" else 4  # hart 0 has no MMU there
        types(claim, [ALL_HARTS, HELLO], "-bios", newer, "-smp", "4", "-m", "128M", *cpu, harts=harts, machine=machine)


def promised(mib):
    """Options for so much memory, of which a node touches little. QEMU reserves none of it, so a small machine will do."""
    return ("-m", "%dM" % mib, "-object", "memory-backend-ram,id=ram,size=%dM,reserve=off" % mib, "-machine",
            "memory-backend=ram")


def types(claim, commands, *options, machine="virt", harts=None, says=None, **more):
    """At a node's shell, with the boot files loaded beside the image: each command, and a line that it must bring."""
    m = Machine("-initrd", BOOTFS, *options, append="node=n1 shell", machine=machine, **more)
    try:
        if harts:
            all_come(m, harts)
        for command, answer in commands:
            answered(m, command, answer)
        m.console.wait_prompt(PROMPT)
        missing = [s for s in says or [] if s not in "\n".join(m.console.lines)]
        m.console.write("stop\r")
        if machine == "virt":
            status = m.end()
        else:  # its firmware cannot switch off, and it has no device that ends QEMU
            m.console.wait_line(r"^The firmware cannot switch off")
            status = m.quit()
        ok(status == 0 and not missing, claim, "status %d, not said: %r" % (status, missing))
    except GiveUp as e:
        ok(False, claim, e)
    finally:
        m.drop()


def answered(m, command, answer):
    """Types the command; the line of its answer."""
    m.console.wait_prompt(PROMPT)
    had = len(m.console.lines)
    m.console.write(command + "\r")
    m.console.wait_next(answer, had)
    return next(x for x in m.console.lines[had:] if re.search(answer, x))


def all_come(m, harts):
    """Until all harts are there: a firmware may take a second to start one."""
    limit = time.monotonic() + hang(60)
    while True:
        line = answered(m, "uptime", r"^up ")
        if ", %d hart" % harts in line:
            return
        if time.monotonic() > limit:
            raise GiveUp("not all of %d harts come: %s" % (harts, line))


PROMPT = r"n1> (\x1b\[K)?$"  # it has been drawn, and nothing is typed yet
HELLO = ("hello", r"^Hello from process")
ALL_HARTS = ("threads 100", r"^threads: checksum .* 0 errors")
LUA = ("lua -e 'print(string.rep(\"ab\", 4) .. 1 // 0.25)'", r"^abababab4\.0")


def memories():
    for size, mib in (("128M", 128), ("2G", 2048), ("4G", 4096)):
        boots("%s of memory" % size, *promised(mib), says=["memory: %d MiB" % mib])
    types("6 MiB of memory are enough for the shell, and for hello, thrice", [HELLO] * 3, "-m", "6M")
    types("16 MiB are enough for Lua", [HELLO, LUA], "-m", "16M", "-smp", "4", harts=4)


def small_ring():
    """6 MiB with two network devices: their buffers, too, must come out of that."""
    r = Ring(1, mem="6M")
    before = r.counts()
    for i in range(3):
        status, out = r.run("--quiet", "hello")
        ok(status == 0 and "Hello" in out, "a node of a ring with 6 MiB is sent hello and runs it (%d)" % (i + 1), out)
    difference = r.back_to(before)
    ok(difference is None, "nothing is left of them", difference or "")
    ok(r.down(), "the ring goes down")


def board():
    # Hart 0 has no MMU there, and there is no virtio: the node is alone.
    for n in range(2, 6):
        types("-M sifive_u, %d of its %d harts, no network: the shell and Lua" % (n - 1, n), [HELLO, ALL_HARTS, LUA],
              "-smp", str(n), "-m", "128M", machine="sifive_u", harts=n - 1, says=["harts: %d " % (n - 1)])


def elsewhere():
    """The image is linked for 0x80200000 and must not care where it lies: any multiple of 2 MiB will do."""
    cross = os.environ.get("CROSS", "riscv64-unknown-elf-")
    # The last two without boot files. QEMU puts them behind the kernel, by 128 MiB or half of the memory: there is none
    # there; and it tells the kernel the low 32 bits of where that is.
    for address, mib, files in ((0x80400000, 16, True), (0x84800000, 512, True), (0x140000000, 4096, False),
                                (0x9fc00000, 512, False)):
        claim = "entered at 0x%x" % address
        moved = scratch("moved.elf")
        subprocess.run([cross + "objcopy", "--change-section-lma", "*+0x%x" % (address - 0x80200000),
                        os.path.join(ring.BUILD, "rotifer.elf"), moved], check=True, timeout=hang(60))
        if files:
            types(claim, [HELLO], *promised(mib), "-smp", "2", harts=2, kernel=moved)
        else:
            boots(claim, *promised(mib), "-smp", "2", kernel=moved)


def u_boot():
    """U-Boot moves an image to where its header wants it (text_offset from the start of memory). The header is patched,
    so that it goes elsewhere; and what boots must run a program, so that the initrd arrives with it."""
    if not os.path.exists(UBOOT):
        skip("booted by U-Boot", "no U-Boot here: package u-boot-qemu")
        return
    for cpu, harts, mib, text_offset in (("rv64", 1, 128, 0x200000), ("rv64,sstc=off", 2, 128, 0x2a00000),
                                         ("sifive-u54", 8, 512, 0x1fe00000)):
        image = scratch("Image.%x" % text_offset)
        with open(ring.IMAGE, "rb") as f:
            data = bytearray(f.read())
        data[8:16] = struct.pack("<Q", text_offset)
        with open(image, "wb") as f:
            f.write(data)
        claim = "booted by U-Boot (booti, -cpu %s, %d harts) at 0x%x, with boot files" % (cpu, harts, 0x80000000 + text_offset)
        m = Machine("-cpu", cpu, "-smp", str(harts), "-m", "%dM" % mib, "-kernel", UBOOT,
                    "-device", "loader,file=%s,addr=0x84000000,force-raw=on" % image,
                    "-device", "loader,file=%s,addr=0x85000000,force-raw=on" % BOOTFS, kernel=None)
        try:
            # It reads no line before its prompt; the prompt has no line end, so what is waited for is the line before.
            m.console.wait_line(r"^Net:|^Hit any key|^In:", 60)
            m.console.write("\n\nsetenv bootargs node=booted shell\nbooti 0x84000000 0x85000000:%x $fdtcontroladdr\n" %
                            os.path.getsize(BOOTFS))
            m.console.wait_line(r"^This is the shell of node booted", 60)
            m.console.write("hello\r")
            m.console.wait_line(r"^Hello from process", 60)
            ok(True, claim)
            m.quit()
        except GiveUp as e:
            ok(False, claim, e)
        finally:
            m.drop()


def lean():
    """An image with a part of the services (mk/services.mk): the list in the build is all that it takes."""
    image = os.path.join(ring.BUILD, "lean", "Image")
    boots("an image without console, bootfs and shell says so, and gets ready", "-initrd", BOOTFS, "-m", "64M", kernel=image,
          append="node=n1 shell", says=["the initrd is of no use: this image has no bootfs", "this image has no shell"])
    names = symbols(os.path.join(ring.BUILD, "lean", "rotifer.elf"))
    left = [x for x in names if re.match(r"shell_|edit_|job_|run_(ps|lua|help)$", x) and x != "shell_open"]
    ok("proc_service_start" in names and not left, "and nothing of the shell is linked", left)
    whole, ring.ROTIFER = ring.ROTIFER, os.path.join(ring.BUILD, "lean", "rotifer")  # which boots the image beside it
    try:
        r = Ring(1)
        before = r.counts()
        status, out = r.run("--quiet", os.path.join(ring.BUILD, "guest", "hello.elf"))
        ok(status == 0 and "Hello" in out, "it runs a program that it is sent", out)
        difference = r.back_to(before)
        ok(difference is None, "nothing is left of it", difference or "")
        ok(r.down(), "the ring goes down")
    finally:
        ring.ROTIFER = whole


def arguments():
    malformed = "ringkey is not 64 hexadecimal digits"
    for bad, why in (("xyz", malformed), ("", malformed), ("0" * 63, malformed), ("0" * 65, malformed),
                     ("0" * 63 + "g", malformed), ("0x" + "0" * 62, malformed),
                     ("0" * 64, "ringkey is zero, which is no secret")):
        m = Machine("-m", "32M", append="node=n1 ringkey=" + bad)
        try:
            status = m.end()
            said = any(why in x for x in m.console.lines)
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


def size():
    bytes = os.path.getsize(ring.IMAGE)
    ok(bytes < 256 * 1024, "the image, with all services, is under 256 KiB", "%d bytes" % bytes)


def symbols(elf):
    """Name: address."""
    cross = os.environ.get("CROSS", "riscv64-unknown-elf-")
    out = subprocess.run([cross + "nm", elf], check=True, capture_output=True, text=True, timeout=hang(60)).stdout
    return {x.split()[-1]: int(x.split()[0], 16) for x in out.split("\n") if len(x.split()) == 3}


def symbol(name):
    return symbols(os.path.join(ring.BUILD, "rotifer.elf"))[name]


PC, SP = 32, 2  # numbers of registers
HART_GUARD = 4096  # arch/riscv/offsets.h
HART_STACK = HART_GUARD + 16384


def epitaphs():
    """Nothing that a guest can do makes a kernel panic, so a debugger does: it sets registers of a hart. What is checked
    is what is left for whoever has to find out: the status, what happened, who called whom, and the last events."""
    fault, last = r"^fault in the kernel:$", r"^last events:\n( +\d+\.\d{6} \S.*\n)+--- stopped$"
    cases = (
        # What, on which harts, where it is sent, all of its stack gone?, what must be said besides
        ("a panic", [0], "abort", False, [r"^abort\(\) was called", r"^  f{8}\w{8}  trap_out\+\d+$"]),
        ("a panic on a further hart", [1, 2, 3], "abort", False, [r"^abort\(\) was called", r"^  f{8}\w{8}  trap_out\+\d+$"]),
        ("a hart's stack overflows", [1, 2, 3], "proc_destroy", True,
         [fault, r"^  f{8}\w{8}  proc_destroy\+\d+$", r"^cause 15, hart stack overflow, pc f"]),
        ("a jump to nowhere", [0, 1, 2, 3], 0x1000, False, [fault, r"^cause 12, pc 0000000000001000, stval 0000000000001000"]),
    )
    for what, harts, pc, overflow, says in cases:
        claim = "%s: status 101, names of functions, last events" % what
        path = scratch("gdb")
        m = Machine("-m", "64M", "-smp", "4", "-initrd", BOOTFS, "-gdb", "unix:%s,server=on,wait=off" % path,
                    append="node=n1 shell")
        try:
            m.console.wait_prompt(PROMPT)
            m.console.write("threads 100000000\r")  # so that all harts have something to do
            m.console.wait_line(r"n1> threads")
            d = ring.Debugger(path)
            d.stop()
            hart = d.stop_at(symbol("sched_next"), harts)
            if overflow:  # not a byte is left above the guard page
                base = symbol("hart_stacks")
                d.set(SP, base + (d.get(SP) - 1 - base) // HART_STACK * HART_STACK + HART_GUARD)
            d.set(PC, pc if isinstance(pc, int) else symbol(pc))
            d.go()
            status = m.end()
            text = "\n".join(m.console.lines)
            text = text[text.find("n1> threads"):]
            missing = [x for x in says + [r"^on hart \d \(id %d\)" % hart, last]
                       if not re.search(x, text, re.M)]
            ok(status == 101 and not missing, claim, "status %d, missing %r\n%s" % (status, missing, text))
        except GiveUp as e:
            ok(False, claim, e)
        finally:
            m.drop()


if __name__ == "__main__":
    ring.main(size, processors, firmware, memories, small_ring, board, elsewhere, u_boot, lean, arguments,
              epitaphs)

// SPDX-License-Identifier: BSD-2-Clause
// Given to the compiler with -include before each file of Lua 5.4, whose sources stay as they are. Its purpose: one
// script prints the same bytes here and under Debian's lua5.4, and the same in every run and on every node.
#ifndef GUEST_LUA_ROTIFER_LUA_H
#define GUEST_LUA_ROTIFER_LUA_H

// Debian builds Lua with the names that 5.3 had (math.pow and others).
#define LUA_COMPAT_5_3

// String hashes begin with a seed, by default made of the time and of addresses: it decides in which order pairs()
// gives the keys of a table. Constant: a run can be repeated exactly.
#define luai_makeseed(L) ((void)(L), 0x726f7469u)

// luaconf.h is read here once for all, earlier than Lua's files mean to: what they define before it (each says which of
// the two it belongs to, and luaconf.h gives l_likely to both) must be known already.
#define LUA_CORE
#define LUA_LIB

#include "third_party/lua/src/luaconf.h"
#include <math.h>
#include <stdio.h>

// tostring(0/0). The NaN that arithmetic makes is negative on x86 ("-nan") and positive on RISC-V (RISC-V ISA, "NaN
// Generation and Propagation"). So the sign of a NaN is printed the other way round.
#undef lua_number2str
#define lua_number2str(s, size, n)                                                                                     \
    snprintf((s), (size), "%.14g", (n) != (n) ? copysign((n), signbit(n) ? 1.0 : -1.0) : (n))

#endif

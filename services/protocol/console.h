// SPDX-License-Identifier: BSD-2-Clause
// Terminals and the console. OP_READ gives one line at most; OP_WRITE prints.
//
// The console (object 0) prints lines between the node's own, and gives lines that were typed. When somebody sits there
// (services/console.h: console_attach) it has a screen, and makes terminals for programs, an object each. Terminals
// share the screen: the one in front writes as it likes; lines of the others have their name in front. The shell, which
// reads the keys, decides what a key means, and for which terminal (services/shell/shell.h). Without a screen: E_STATE.
//
// On the console:
// OP_CONSOLE_KEYS   arg[1] = most bytes wanted. reply: bytes as typed; waits for the first. CONTROL
// OP_CONSOLE_SHOW   request: what is being typed, shown behind the front's unfinished line. arg[0] = where the cursor
//                   is in it (bytes), arg[1] = enum console_show. CONTROL
// OP_CONSOLE_OPEN   request: name. reply: capability of a new terminal. CREATE; E_LIMIT
// OP_CONSOLE_LOG    reply: text: what the node has said last. READ
// On a terminal. OP_DESTROY: it is no more; tasks that read it are told E_OBJECT
// OP_CONSOLE_TYPE   request: bytes for the program that reads it; none: end of input. CONTROL; E_LIMIT: no room
// OP_CONSOLE_FRONT  arg[0] = 1: this terminal is in front from now on; 0: not any more. CONTROL
#ifndef SERVICES_PROTOCOL_CONSOLE_H
#define SERVICES_PROTOCOL_CONSOLE_H

#include "services/protocol/numbers.h"

enum console_show {
    SHOW_TYPED = 0,
    SHOW_ENTERED = 1, // it is complete: the line stays, a new one begins
    SHOW_CLEAR = 2,   // the screen is emptied first
};

#endif

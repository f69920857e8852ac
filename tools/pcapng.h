// SPDX-License-Identifier: BSD-2-Clause
// Writes pcapng files (IETF draft-ietf-opsawg-pcapng): what Wireshark and tshark read. One section, an interface for
// each way of each cable, times in nanoseconds of the world's clock.
//
// Callers: one thread; nothing here locks. Errors are those of the stream: ferror(f), asked when it suits.
#ifndef TOOLS_PCAPNG_H
#define TOOLS_PCAPNG_H

#include "core/types.h"

#include <stdio.h>

#define PCAPNG_TEXT_MAX 128u // bytes of a name, a comment; what is longer is cut off

// The head of a file.
void pcapng_begin(FILE *f);
// The next interface, number 0 on: its name and one line about it. All come before the first frame.
void pcapng_interface(FILE *f, const char *name, const char *what);
// A frame of len bytes that was seen at interface number interface_index at unix_ns, with a comment;
// "": none.
void pcapng_frame(FILE *f, unsigned interface_index, uint64_t unix_ns, const uint8_t *frame, size_t len,
                  const char *comment);

#endif

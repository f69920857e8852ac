// SPDX-License-Identifier: BSD-2-Clause
// What adder_server and adder_client agree on.
#ifndef GUEST_EXAMPLES_ADDER_H
#define GUEST_EXAMPLES_ADDER_H

enum { ADDER_ADD = 1, ADDER_REPORT = 2, ADDER_STOP = 3 };

#define ADDER_CLIENTS 256     // client numbers 0..255
#define ADDER_BYTES_MAX 65536 // of a request or reply

#endif

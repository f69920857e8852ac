// SPDX-License-Identifier: BSD-2-Clause
// Every error of the system is one line of this table: name, number, sentence. The numbers cross the wire and the
// system call boundary (as negative values) and never change meaning. A function that "returns E_X" returns -E_X; of a
// parameter `error` its function's comment says the sign.
// Callers: anywhere, guests too (guest/lib/error.c has the functions for them); no state, no lock.
#ifndef CORE_ERROR_H
#define CORE_ERROR_H

#define ERROR_TABLE(X)                                                                                                 \
    X(OK, 0, "success")                                                                                                \
    X(E_ARG, 1, "an argument has a value that the operation does not accept")                                          \
    X(E_CALL, 2, "no system call has this number")                                                                     \
    X(E_FAULT, 3, "a buffer is not mapped with the access that the call needs")                                        \
    X(E_MEM, 4, "the node has not enough free memory")                                                                 \
    X(E_LIMIT, 5, "a stated limit of the process or the node would be passed")                                         \
    X(E_CAP, 6, "the check field does not fit: the capability is forged, changed or revoked")                          \
    X(E_RIGHTS, 7, "the capability lacks a right that the operation needs")                                            \
    X(E_OBJECT, 8, "the object does not exist, or not any more")                                                       \
    X(E_OP, 9, "the service has no operation with this number")                                                        \
    X(E_STATE, 10, "the object is in a state in which the operation makes no sense")                                   \
    X(E_TOOBIG, 11, "the message is longer than the buffer for it")                                                    \
    X(E_TIMEOUT, 12, "the time given has passed; a request may have been executed")                                    \
    X(E_NOTHERE, 13, "no node serves this port; the request was not executed")                                         \
    X(E_DIED, 14, "the server is gone; the request may have been executed")                                            \
    X(E_CANCEL, 15, "the call was cancelled; a request may have been executed")                                        \
    X(E_AGAIN, 16, "the value had changed before the call could wait")                                                 \
    X(E_EXISTS, 17, "the name or number is in use")                                                                    \
    X(E_NAME, 18, "no entry has this name")                                                                            \
    X(E_MAGIC, 19, "these bytes are not a process descriptor")                                                         \
    X(E_VERSION, 20, "the format version of the descriptor is not one this kernel knows")                              \
    X(E_ARCH, 21, "the code is for another architecture or needs ISA extensions absent here")                          \
    X(E_CHECKSUM, 22, "the checksum does not fit the bytes")                                                           \
    X(E_FORMAT, 23, "a length, count or section in the bytes contradicts the rest")                                    \
    X(E_OVERLAP, 24, "two mappings would share an address")                                                            \
    X(E_DOUBT, 25, "the target may run the process: it was not resumed here")                                          \
    X(E_REFUSED, 26, "the target refused the process; it was resumed here")                                            \
    X(E_IO, 27, "the device or file reports a failure")                                                                \
    X(E_EOF, 28, "there is nothing more to read")                                                                      \
    X(E_SHARED, 29, "the process shares a segment with others of its node and cannot leave them")                      \
    X(E_WITHDRAWN, 30, "the call was cancelled before a server took it; it was not executed")                          \
    X(E_GRANT, 31, "the program was not given this; who starts it grants it (--grant, --meet)")

enum error {
#define X(name, number, sentence) name = (number),
    ERROR_TABLE(X)
#undef X
};

// Returns the sentence for an error number, or for its negative: a constant, without a full stop. Never NULL: a number
// that is not in the table has a sentence that says so.
const char *error_string(long number);
// Returns the name ("E_ARG") for an error number, or for its negative: a constant. Never NULL: a number that is not in
// the table gets a name that no error has.
const char *error_name(long number);

#endif

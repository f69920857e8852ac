// SPDX-License-Identifier: BSD-2-Clause
// JSON (RFC 8259) as it is written: values one after the other, with the punctuation between them. What is not allowed
// there (a key in an array, an object that is closed twice) is a mistake in the caller, which an assertion finds.
//
// Of the outermost array each element has a line of its own; everything else goes on in the line.
//
// Callers: one thread; nothing here locks.
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include "core/types.h"

#include <stdio.h>

#define JSON_DEPTH_MAX 8u

struct json {
    FILE *to;
    unsigned depth; // objects and arrays that are open
    struct {
        bool object; // else an array
        bool begun;  // has an element
    } open[JSON_DEPTH_MAX];
};

void json_begin(struct json *j, FILE *to); // before the first value, which goes to `to`
void json_finish(struct json *j);          // after the last: the line ends. All that was opened is closed

// For all of these: `key` is the value's name in the object that is open, NULL at the top and in an array.
void json_object(struct json *j, const char *key); // opens
void json_array(struct json *j, const char *key);  // opens
void json_close(struct json *j);                   // the one opened last
// A text of `len` bytes. Bytes that are no UTF-8 (RFC 3629) become U+FFFD each: a reader takes no other text, and a
// name that comes from a node may hold anything.
void json_text_of(struct json *j, const char *key, const char *text, size_t len);
void json_text(struct json *j, const char *key, const char *text); // NULL is written as null
void json_number(struct json *j, const char *key, uint64_t v);     // v: whatever it counts
// v with so many decimals (at most 9); what is no number (0 / 0) is written as null.
void json_real(struct json *j, const char *key, double v, unsigned decimals);
void json_bool(struct json *j, const char *key, bool v); // true or false

// Length in bytes of the UTF-8 character at text (at most len bytes); 0: what is there is none. Returns that length.
size_t utf8_length(const char *text, size_t len);

#endif

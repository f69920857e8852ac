// SPDX-License-Identifier: BSD-2-Clause
// The one parser of command lines: a command declares its options and operands as tables, with what kind of value each
// takes, and where the value goes. What is wrong with a line is said in one sentence that names the value.
//
//   -l  --long            a flag: given or not
//   --node N  --node=N    a value, in the next word or behind a "="; given twice, the last one counts
//   --                    ends the options: words behind it are operands even when they begin with "-"
//
// Options may stand behind operands, unless the command passes words on to a program (OPTION_REST): whatever stands
// behind the program's name belongs to the program.
//
// Callers: one thread; nothing here locks. Tables are wrong only by a mistake in the command, which an assertion finds.
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include "core/types.h"

enum option_kind {
    OPTION_FLAG,   // no value: *flag becomes true
    OPTION_TEXT,   // *text points into argv
    OPTION_NUMBER, // *number: decimal digits, between min and max
    OPTION_LIST,   // may be given again and again: each value is added to *list
    OPTION_REST,   // operand only: this word and all behind it, whatever they look like
};

struct option_list {
    const char **value; // room for `most`
    unsigned count, most;
};
struct option_rest {
    int count;
    char *const *word; // in argv, and ends where argv does
};

// An option or an operand. A table of them ends with an entry whose kind of value is not said: name NULL.
struct option {
    const char *name;      // of an option: without its dashes; of an operand: as help shows it, "PROC"
    char letter;           // short form of a flag: 'l' for -l; 0: none
    enum option_kind kind; // says which of the next is the place for the value
    union {
        bool *flag;
        const char **text;
        uint64_t *number;
        struct option_list *list;
        struct option_rest *rest;
    };
    const char *value; // what help calls the value: "NODE"
    const char *unit;  // of a number: what is counted, "harts"; NULL: nothing in particular
    uint64_t min, max; // of a number
    // Of a text: the sentence's end that says what is wrong with it ("is no size"), or NULL: nothing is.
    const char *(*wrong)(const char *text);
    const char *what; // a line of help; NULL: help does not list it
    bool optional;    // of an operand: it may be left out, and all behind it
};

#define OPTION_SENTENCE 256 // bytes of a sentence, final zero included

// Reads argv[1] to argv[argc - 1] by the tables (either may be NULL: none) and stores the values. Returns true, or
// false and the sentence in `why`, without a full stop; some values may be stored then.
bool options_parse(const struct option *options, const struct option *operands, int argc, char *const argv[],
                   char why[OPTION_SENTENCE]);

// True when the line asks for help (-h or --help) before any "--" and, where there is one, before the words that belong
// to a program.
bool options_ask_help(const struct option *options, const struct option *operands, int argc, char *const argv[]);

// True when text is a decimal number from min to max: *out. Nothing but digits is one: no sign, no blank.
bool option_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);

#endif

// SPDX-License-Identifier: BSD-2-Clause
// The one writer of tables: for people as columns, for programs as JSON, an array with an object for each row. A
// command says its columns once, and then the cells of each row in their order, each with the value and with what
// people see.
//
//   PID     NAME              PAGES         [
//   3fa8c1  lua                 212          {"pid": "3fa8c1", "name": "lua", "pages": 212}
//                                           ]
//
// Numbers of more than 53 bits that name something (an endpoint) are hexadecimal texts in JSON: many readers have only
// doubles. Units stand in the keys: free_bytes, uptime_ns.
//
// Callers: one thread; nothing here locks.
#ifndef TOOLS_TABLE_H
#define TOOLS_TABLE_H

#include "tools/json.h"
#include "tools/options.h"

struct column {
    const char *key;   // in JSON; NULL: only people see it. An entry with neither key nor title ends the table
    const char *title; // above the column; NULL: only programs see it
    int width;         // as for printf: negative for texts, which begin at the left; 0: as long as it is
    const char *gap;   // between it and the one before; NULL: two blanks
};

struct table {
    bool as_json;
    bool begun;       // the row that is being written has a cell that people see
    struct json json; // of as_json: a cell may be followed by arrays and objects that the command writes itself
    FILE *to;
    const struct column *columns, *next;
};

// The option that every command with a table or a record has.
#define OPTION_JSON(place)                                                                                             \
    {                                                                                                                  \
        .name = "json", .kind = OPTION_FLAG, .flag = (place),                                                          \
        .what = "for programs: JSON, with the numbers as they are"                                                     \
    }

// Begins a table: prints the titles, or opens the array. table_end() closes it, after the last row.
void table_begin(struct table *t, FILE *to, bool as_json, const struct column *columns);
void table_end(struct table *t);

// The next cell of the row. Control characters and what is no UTF-8 are shown to people as "?": a name that comes from
// a node must not steer the terminal.
void table_text(struct table *t, const char *text);
// A number v, of whatever the column's key says, and what people see of it ("61.3 MiB"); NULL: its decimal digits.
void table_number(struct table *t, uint64_t v, const char *shown);
// The same of a number v with so many decimals (at most 9) in JSON, where table_bool() writes true or false.
void table_real(struct table *t, double v, unsigned decimals, const char *shown);
void table_bool(struct table *t, bool v, const char *shown);
void table_row_end(struct table *t); // after the last cell
// The row ends before its last column: `why` takes the place of the rest, as key "error".
void table_row_fails(struct table *t, const char *why);

// Prints text so that it cannot steer a terminal, `width` columns wide as printf has it. A character is one column.
void print_plain(FILE *to, const char *text, int width);

#endif

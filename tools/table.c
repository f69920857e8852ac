// SPDX-License-Identifier: BSD-2-Clause
// Tables, for people or as JSON: which of the two it is, no command needs to know while it fills in cells.
#include "tools/table.h"
#include "core/panic.h"

#include <stdlib.h>
#include <string.h>

// --- For people -------------------------------------------------------------------------------------------

// C1 control characters, U+0080 to U+009F, are what some terminals take for ESC [ and its like.
static bool is_control(const char *c, size_t len)
{
    unsigned char u = (unsigned char)*c;
    return (len == 1 && (u < 0x20 || u == 0x7f)) || (len == 2 && u == 0xc2 && (unsigned char)c[1] < 0xa0);
}

void print_plain(FILE *to, const char *text, int width)
{
    size_t len = strlen(text), columns = 0, room = (size_t)abs(width);
    for (size_t i = 0, step; i < len; i += step ? step : 1, columns++)
        step = utf8_length(text + i, len - i);
    size_t blanks = room > columns ? room - columns : 0;
    for (size_t i = 0; width > 0 && i < blanks; i++)
        fputc(' ', to);
    for (size_t i = 0, step; i < len; i += step ? step : 1) {
        step = utf8_length(text + i, len - i);
        if (step == 0 || is_control(text + i, step))
            fputc('?', to);
        else
            fwrite(text + i, 1, step, to);
    }
    for (size_t i = 0; width < 0 && i < blanks; i++)
        fputc(' ', to);
}

static void show_cell(struct table *t, const struct column *c, const char *text)
{
    if (t->begun)
        fputs(c->gap ? c->gap : "  ", t->to);
    t->begun = true;
    print_plain(t->to, text, c->width);
}

static bool is_column(const struct column *c)
{
    return c->key || c->title;
}

static void show_titles(struct table *t)
{
    for (const struct column *c = t->columns; is_column(c); c++)
        if (c->title)
            show_cell(t, c, c->title);
    t->begun = false;
    fputc('\n', t->to);
}

// --- Rows -------------------------------------------------------------------------------------------------

void table_begin(struct table *t, FILE *to, bool as_json, const struct column *columns)
{
    ASSERT(is_column(columns));
    *t = (struct table){.as_json = as_json, .to = to, .columns = columns, .next = columns};
    json_begin(&t->json, to);
    if (as_json)
        json_array(&t->json, NULL);
    else
        show_titles(t);
}

void table_end(struct table *t)
{
    ASSERT(t->next == t->columns); // no row is half written
    if (!t->as_json)
        return;
    json_close(&t->json);
    json_finish(&t->json);
}

// The column of the cell that comes now.
static const struct column *next_column(struct table *t)
{
    if (t->as_json && t->next == t->columns)
        json_object(&t->json, NULL);
    const struct column *c = t->next++;
    ASSERT(is_column(c));
    return c;
}

void table_text(struct table *t, const char *text)
{
    const struct column *c = next_column(t);
    if (t->as_json && c->key)
        json_text(&t->json, c->key, text);
    else if (!t->as_json && c->title)
        show_cell(t, c, text);
}

void table_number(struct table *t, uint64_t v, const char *shown)
{
    const struct column *c = next_column(t);
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)v);
    if (t->as_json && c->key)
        json_number(&t->json, c->key, v);
    else if (!t->as_json && c->title)
        show_cell(t, c, shown ? shown : digits);
}

void table_real(struct table *t, double v, unsigned decimals, const char *shown)
{
    const struct column *c = next_column(t);
    if (t->as_json && c->key)
        json_real(&t->json, c->key, v, decimals);
    else if (!t->as_json && c->title)
        show_cell(t, c, shown);
}

void table_bool(struct table *t, bool v, const char *shown)
{
    const struct column *c = next_column(t);
    if (t->as_json && c->key)
        json_bool(&t->json, c->key, v);
    else if (!t->as_json && c->title)
        show_cell(t, c, shown);
}

static void end_row(struct table *t)
{
    t->next = t->columns;
    t->begun = false;
    if (t->as_json)
        json_close(&t->json);
    else
        fputc('\n', t->to);
}

void table_row_end(struct table *t)
{
    ASSERT(t->next != t->columns && !is_column(t->next)); // a cell for each column
    end_row(t);
}

void table_row_fails(struct table *t, const char *why)
{
    ASSERT(t->next != t->columns);
    if (t->as_json)
        json_text(&t->json, "error", why);
    else
        fprintf(t->to, "  (%s)", why);
    end_row(t);
}

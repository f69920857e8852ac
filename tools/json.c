// SPDX-License-Identifier: BSD-2-Clause
// JSON as it is written: the punctuation follows from what is open, so that no command can forget a comma.
#include "tools/json.h"
#include "core/panic.h"

#include <math.h>
#include <string.h>

void json_begin(struct json *j, FILE *to)
{
    ASSERT(to);
    *j = (struct json){.to = to};
}

void json_finish(struct json *j)
{
    ASSERT(j->depth == 0);
    fputc('\n', j->to);
}

// --- Text -------------------------------------------------------------------------------------------------

// Bytes of the character, by its first byte; 0: no character begins so (RFC 3629, 3).
static size_t length_by_first(unsigned char c)
{
    return c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
}

// The second byte of some characters has a narrower range: what is longer than needed, a surrogate, or beyond U+10FFFF.
static bool second_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0: return second >= 0xa0;
    case 0xed: return second < 0xa0;
    case 0xf0: return second >= 0x90;
    case 0xf4: return second < 0x90;
    default: return true;
    }
}

size_t utf8_length(const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t want = len ? length_by_first(p[0]) : 0;
    if (want == 0 || want > len || (want > 1 && !second_fits(p[0], p[1])))
        return 0;
    for (size_t i = 1; i < want; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return want;
}

static void put_char(FILE *to, const char *c, size_t len)
{
    unsigned u = (unsigned char)*c;
    if (len == 0)
        fputs("\\ufffd", to);
    else if (u == '"' || u == '\\')
        fprintf(to, "\\%c", (int)u);
    else if (u < 0x20 || u == 0x7f) // 7f may stand there, but a terminal that shows the file does not like it
        fprintf(to, "\\u%04x", u);
    else
        fwrite(c, 1, len, to);
}

static void put_text(FILE *to, const char *text, size_t len)
{
    fputc('"', to);
    for (size_t i = 0, step; i < len; i += step ? step : 1) {
        step = utf8_length(text + i, len - i);
        put_char(to, text + i, step);
    }
    fputc('"', to);
}

// --- Values -----------------------------------------------------------------------------------------------

// What stands before a value: comma, line end, key.
static void before_value(struct json *j, const char *key)
{
    if (j->depth == 0) {
        ASSERT(!key);
        return;
    }
    bool object = j->open[j->depth - 1].object;
    ASSERT(object == (key != NULL));
    if (j->open[j->depth - 1].begun)
        fputs(j->depth == 1 && !object ? "," : ", ", j->to);
    if (j->depth == 1 && !object)
        fputs("\n ", j->to);
    j->open[j->depth - 1].begun = true;
    if (object) {
        put_text(j->to, key, strlen(key));
        fputs(": ", j->to);
    }
}

static void open_one(struct json *j, const char *key, bool object)
{
    before_value(j, key);
    ASSERT(j->depth < JSON_DEPTH_MAX);
    j->open[j->depth].object = object;
    j->open[j->depth++].begun = false;
    fputc(object ? '{' : '[', j->to);
}

void json_object(struct json *j, const char *key)
{
    open_one(j, key, true);
}

void json_array(struct json *j, const char *key)
{
    open_one(j, key, false);
}

void json_close(struct json *j)
{
    ASSERT(j->depth > 0);
    j->depth--;
    bool object = j->open[j->depth].object;
    if (j->depth == 0 && !object && j->open[0].begun)
        fputc('\n', j->to);
    fputc(object ? '}' : ']', j->to);
}

void json_text_of(struct json *j, const char *key, const char *text, size_t len)
{
    before_value(j, key);
    put_text(j->to, text, len);
}

void json_text(struct json *j, const char *key, const char *text)
{
    before_value(j, key);
    if (text)
        put_text(j->to, text, strlen(text));
    else
        fputs("null", j->to);
}

void json_number(struct json *j, const char *key, uint64_t v)
{
    before_value(j, key);
    fprintf(j->to, "%llu", (unsigned long long)v);
}

void json_real(struct json *j, const char *key, double v, unsigned decimals)
{
    ASSERT(decimals <= 9);
    before_value(j, key);
    if (isfinite(v))
        fprintf(j->to, "%.*f", (int)decimals, v);
    else
        fputs("null", j->to);
}

void json_bool(struct json *j, const char *key, bool v)
{
    before_value(j, key);
    fputs(v ? "true" : "false", j->to);
}

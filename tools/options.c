// SPDX-License-Identifier: BSD-2-Clause
// Command lines: each word is an option, a value or an operand, and goes where the tables say.
#include "tools/options.h"
#include "core/panic.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
    const struct option *options;
    const struct option *operand; // the next one to be filled
    int argc, at;                 // the word that is read next
    char *const *argv;
    char *why;
};

static bool wrong(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(struct line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(l->why, OPTION_SENTENCE, fmt, ap);
    va_end(ap);
    return false;
}

// --- Values -----------------------------------------------------------------------------------------------

bool option_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    const char *p = text;
    ASSERT(min <= max);
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
            return false;
    if (p == text || *p || v < min || v > max)
        return false;
    *out = v;
    return true;
}

// How a sentence calls it: --node, or PROC.
static const char *shown(const struct line *l, const struct option *o, char text[64])
{
    bool operand = o == l->operand;
    snprintf(text, 64, "%s%s", operand ? "" : "--", o->name);
    return text;
}

static bool take_number(struct line *l, const struct option *o, const char *v)
{
    char name[64];
    ASSERT(o->number);
    if (option_number(v, o->min, o->max, o->number))
        return true;
    return wrong(l, "%s is a number from %llu to %llu%s%s, not '%s'", shown(l, o, name), (unsigned long long)o->min,
                 (unsigned long long)o->max, o->unit ? " " : "", o->unit ? o->unit : "", v);
}

static bool take_text(struct line *l, const struct option *o, const char *v)
{
    char name[64];
    const char *what = o->wrong ? o->wrong(v) : NULL;
    if (what)
        return wrong(l, "%s: '%s' %s", shown(l, o, name), v, what);
    if (o->kind == OPTION_TEXT) {
        ASSERT(o->text);
        *o->text = v;
        return true;
    }
    ASSERT(o->list && o->list->value);
    if (o->list->count == o->list->most)
        return wrong(l, "%s '%s' is one more than the %u there may be", shown(l, o, name), v, o->list->most);
    o->list->value[o->list->count++] = v;
    return true;
}

static bool take_value(struct line *l, const struct option *o, const char *v)
{
    ASSERT(o->kind == OPTION_TEXT || o->kind == OPTION_NUMBER || o->kind == OPTION_LIST);
    return o->kind == OPTION_NUMBER ? take_number(l, o, v) : take_text(l, o, v);
}

// --- Options ----------------------------------------------------------------------------------------------

static const struct option *find_long(const struct option *options, const char *name, size_t len)
{
    for (const struct option *o = options; o && o->name; o++)
        if (strncmp(o->name, name, len) == 0 && o->name[len] == 0)
            return o;
    return NULL;
}

static const struct option *find_letter(const struct option *options, const char *word)
{
    for (const struct option *o = options; o && o->name; o++)
        if (o->letter && word[1] == o->letter && word[2] == 0)
            return o;
    return NULL;
}

// word begins with "-" and has more than that.
static const struct option *find_option(const struct option *options, const char *word)
{
    if (word[1] == '-')
        return find_long(options, word + 2, strcspn(word + 2, "="));
    return find_letter(options, word);
}

static bool take_option(struct line *l, const char *word)
{
    const struct option *o = find_option(l->options, word);
    const char *equals = word[1] == '-' ? strchr(word, '=') : NULL;
    if (!o)
        return wrong(l, "there is no option '%.*s'", equals ? (int)(equals - word) : (int)strlen(word), word);
    if (o->kind == OPTION_FLAG) {
        ASSERT(o->flag);
        if (equals)
            return wrong(l, "--%s takes no value, but '%s' was given", o->name, equals + 1);
        *o->flag = true;
        return true;
    }
    if (equals)
        return take_value(l, o, equals + 1);
    if (l->at == l->argc)
        return wrong(l, "--%s needs a value: %s", o->name, o->value);
    return take_value(l, o, l->argv[l->at++]);
}

// --- Operands ---------------------------------------------------------------------------------------------

static bool take_operand(struct line *l, char *const *word)
{
    const struct option *o = l->operand;
    if (!o || !o->name)
        return wrong(l, "'%s' is one word too many", *word);
    if (o->kind == OPTION_REST) {
        ASSERT(o->rest);
        *o->rest = (struct option_rest){.count = l->argc - (l->at - 1), .word = word};
        l->at = l->argc;
    } else if (!take_value(l, o, *word)) {
        return false;
    }
    l->operand++;
    return true;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != 0;
}

static bool take_words(struct line *l)
{
    bool only_operands = false;
    while (l->at < l->argc) {
        char *const *word = &l->argv[l->at++];
        if (!only_operands && strcmp(*word, "--") == 0)
            only_operands = true;
        else if (!only_operands && is_option(*word) ? !take_option(l, *word) : !take_operand(l, word))
            return false;
    }
    return true;
}

bool options_parse(const struct option *options, const struct option *operands, int argc, char *const argv[],
                   char why[OPTION_SENTENCE])
{
    ASSERT(argc >= 1 && argv);
    struct line l = {.options = options, .operand = operands, .argc = argc, .at = 1, .argv = argv, .why = why};
    if (!take_words(&l))
        return false;
    if (l.operand && l.operand->name && !l.operand->optional)
        return wrong(&l, "%s is missing", l.operand->name);
    return true;
}

// --- Help -------------------------------------------------------------------------------------------------

static bool passes_words_on(const struct option *operands, unsigned given)
{
    for (const struct option *o = operands; o && o->name; o++)
        if (given-- == 0)
            return o->kind == OPTION_REST;
    return false;
}

bool options_ask_help(const struct option *options, const struct option *operands, int argc, char *const argv[])
{
    unsigned given = 0; // operands
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
            return true;
        if (strcmp(word, "--") == 0 || (!is_option(word) && passes_words_on(operands, given)))
            return false;
        const struct option *o = is_option(word) ? find_option(options, word) : NULL;
        if (!is_option(word))
            given++;
        else if (o && o->kind != OPTION_FLAG && !strchr(word, '='))
            i++; // the next word is its value
    }
    return false;
}

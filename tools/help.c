// SPDX-License-Identifier: BSD-2-Clause
// Help, made from the commands' own tables: what is printed is what is accepted.
#include "core/panic.h"
#include "tools/command.h"
#include "tools/say.h"

#include <string.h>

#define SCREEN_COLUMNS 80u

static const struct {
    const char *word, *what;
} groups[] = {
#define X(name, word, what) {word, what},
    COMMAND_GROUPS(X)
#undef X
};

const char *group_word(enum group g)
{
    ASSERT(g < GROUPS);
    return groups[g].word;
}

// --- Text that is broken into lines -----------------------------------------------------------------------

struct filler {
    FILE *to;
    unsigned column, indent; // indent: where each further line begins
};

// A piece that stays together, behind what separates it from the one before.
static void fill(struct filler *f, const char *separator, const char *piece)
{
    unsigned len = (unsigned)strlen(piece), gap = (unsigned)strlen(separator);
    if (f->column + gap + len >= SCREEN_COLUMNS) {
        fprintf(f->to, "%s\n%*s", separator[0] == ',' ? "," : "", (int)f->indent, "");
        f->column = f->indent;
        separator = "";
        gap = 0;
    }
    fprintf(f->to, "%s%s", separator, piece);
    f->column += gap + len;
}

// Sentences, from column f->column on.
static void fill_words(struct filler *f, const char *text)
{
    char word[SCREEN_COLUMNS];
    for (const char *separator = ""; *text; separator = " ") {
        size_t len = strcspn(text, " ");
        ASSERT(len < sizeof word);
        snprintf(word, sizeof word, "%.*s", (int)len, text);
        fill(f, separator, word);
        text += len + (text[len] == ' ');
    }
    fputc('\n', f->to);
}

// --- One command ------------------------------------------------------------------------------------------

static void usage_of_option(const struct option *o, char text[96])
{
    if (o->kind == OPTION_FLAG && o->letter)
        snprintf(text, 96, "[-%c]", o->letter);
    else if (o->kind == OPTION_FLAG)
        snprintf(text, 96, "[--%s]", o->name);
    else
        snprintf(text, 96, "[--%s %s]%s", o->name, o->value, o->kind == OPTION_LIST ? "..." : "");
}

static void usage_of_operand(const struct option *o, char text[96])
{
    snprintf(text, 96, "%s%s%s%s", o->optional ? "[" : "", o->name, o->optional ? "]" : "",
             o->kind == OPTION_REST ? " [ARG...]" : "");
}

static void print_usage(FILE *to, const struct command *c)
{
    char text[96];
    struct filler f = {.to = to, .indent = (unsigned)strlen("usage: rotifer ") + (unsigned)strlen(c->name)};
    f.column = f.indent++;
    fprintf(to, "usage: rotifer %s", c->name);
    for (const struct option *o = c->options; o && o->name; o++) {
        usage_of_option(o, text);
        fill(&f, " ", text);
    }
    for (const struct option *o = c->operands; o && o->name; o++) {
        usage_of_operand(o, text);
        fill(&f, " ", text);
    }
    fputc('\n', to);
}

static void name_of_option(const struct option *o, char text[64])
{
    char letter[8] = "";
    if (o->letter)
        snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(text, 64, "%s--%s%s%s", letter, o->name, o->kind == OPTION_FLAG ? "" : " ",
             o->kind == OPTION_FLAG ? "" : o->value);
}

static int widest_name(const struct option *o)
{
    char text[64];
    size_t width = 0;
    for (; o && o->name; o++) {
        name_of_option(o, text);
        if (strlen(text) > width)
            width = strlen(text);
    }
    return (int)width;
}

static void print_options(FILE *to, const struct option *options)
{
    int width = widest_name(options);
    char text[64];
    for (const struct option *o = options; o && o->name; o++) {
        if (!o->what)
            continue;
        name_of_option(o, text);
        fprintf(to, "  %-*s  ", width, text);
        struct filler f = {.to = to, .column = (unsigned)width + 4, .indent = (unsigned)width + 4};
        fill_words(&f, o->what);
    }
}

void help_command(FILE *to, const struct command *c)
{
    struct filler f = {.to = to};
    print_usage(to, c);
    fputc('\n', to);
    fill_words(&f, c->help);
    print_options(to, c->options);
    if (c->next)
        fprintf(to, "Next: %s\n", c->next);
}

// --- Groups -----------------------------------------------------------------------------------------------

static bool has_commands(enum group g)
{
    for (unsigned i = 0; command_table[i]; i++)
        if (command_table[i]->group == g)
            return true;
    return false;
}

void help_group(FILE *to, enum group g)
{
    char operand[96];
    ASSERT(g < GROUPS);
    fprintf(to, "%s: %s\n\n", groups[g].word, groups[g].what);
    for (unsigned i = 0; command_table[i]; i++) {
        const struct command *c = command_table[i];
        if (c->group != g)
            continue;
        int column = fprintf(to, "  %s", c->name);
        for (const struct option *o = c->operands; o && o->name; o++) {
            usage_of_operand(o, operand);
            column += fprintf(to, " %s", operand);
        }
        fprintf(to, "%*s%s\n", column < 26 ? 26 - column : 2, "", c->what);
    }
    fprintf(to, "\nNext: rotifer help COMMAND\n");
}

static void print_names(FILE *to, enum group g)
{
    struct filler f = {.to = to, .column = 12, .indent = 12};
    const char *separator = "";
    fprintf(to, "%*s", (int)f.indent, "");
    for (unsigned i = 0; command_table[i]; i++)
        if (command_table[i]->group == g) {
            fill(&f, separator, command_table[i]->name);
            separator = ", ";
        }
    fputc('\n', to);
}

void help_all(FILE *to)
{
    fputs("usage: rotifer COMMAND [OPTION...] [OPERAND...]\n\n", to);
    for (enum group g = 0; g < GROUPS; g++)
        if (has_commands(g)) {
            fprintf(to, "  %-8s  %s\n", groups[g].word, groups[g].what);
            print_names(to, g);
        }
    fputs("\nrotifer help GROUP says what each of its commands does, rotifer help COMMAND all\n"
          "about one. PROC is a process's name or the beginning of its number (rotifer ps).\n"
          "The ring lives in the directory that ROTIFER_RUN names, else in run/ beside the\n"
          "build directory. First: rotifer ring up\n",
          to);
}

int help_about(int argc, char *const argv[])
{
    int words;
    if (argc == 0) {
        help_all(stdout);
        return EXIT_OK;
    }
    const struct command *c = command_named(argc, argv, &words);
    if (c && words == argc) {
        help_command(stdout, c);
        return EXIT_OK;
    }
    for (enum group g = 0; g < GROUPS && argc == 1; g++)
        if (strcmp(groups[g].word, argv[0]) == 0 && has_commands(g)) {
            help_group(stdout, g);
            return EXIT_OK;
        }
    return usage_error(NULL, "no command or group is called '%s%s%s'", argv[0], argc > 1 ? " " : "",
                       argc > 1 ? argv[1] : "");
}

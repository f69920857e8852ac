// SPDX-License-Identifier: BSD-2-Clause
// The columns of a character: its number, looked up in two short tables.
#include "services/terminal/width.h"
#include "core/panic.h"

struct block {
    uint32_t first, last;
};

static const struct block none[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a},   {0x064b, 0x065f},
    {0x06d6, 0x06dc}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff},   {0x1dc0, 0x1dff},
    {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x2064}, {0x20d0, 0x20ff},   {0x3099, 0x309a},
    {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef},
};
static const struct block two[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97f},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe10, 0xfe19},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},
    {0xffe0, 0xffe6},   {0x16fe0, 0x18cff}, {0x1b000, 0x1b2ff}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff},
    {0x1f900, 0x1faff}, {0x20000, 0x3fffd},
};

static bool in_table(const struct block *b, size_t count, uint32_t c)
{
    for (size_t i = 0; i < count && c >= b[i].first; i++) // in order
        if (c <= b[i].last)
            return true;
    return false;
}

unsigned char_width(const char *text, size_t len, size_t *bytes)
{
    ASSERT(len > 0);
    unsigned char first = (unsigned char)text[0];
    uint32_t c = first < 0xe0 ? first & 0x1f : first < 0xf0 ? first & 0x0f : first & 0x07;
    size_t n = 1;
    for (; n < len && n < 4 && ((unsigned char)text[n] & 0xc0) == 0x80; n++)
        c = c << 6 | ((unsigned char)text[n] & 0x3f);
    *bytes = n;
    if (n == 1 || first < 0xc0)
        return 1;
    if (in_table(none, sizeof none / sizeof none[0], c))
        return 0;
    return in_table(two, sizeof two / sizeof two[0], c) ? 2 : 1;
}

unsigned text_width(const char *text, size_t len)
{
    unsigned width = 0;
    for (size_t at = 0, step; at < len; at += step)
        width += char_width(text + at, len - at, &step);
    return width;
}

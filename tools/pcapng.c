// SPDX-License-Identifier: BSD-2-Clause
// Blocks of pcapng. Each begins with its type and its length, has its length at the end again, and is padded to 32
// bits; numbers are in this machine's byte order, which the section's header tells.
#include "tools/pcapng.h"

#include <string.h>

enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, ENHANCED_PACKET = 6 }; // types of blocks
enum { OPT_END, OPT_COMMENT, SHB_USERAPPL = 4, IF_NAME = 2, IF_DESCRIPTION = 3, IF_TSRESOL = 9 };
enum { LINKTYPE_ETHERNET = 1 };

#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define NS_RESOLUTION 9 // 10^-9 s

static void put16(FILE *f, uint16_t v)
{
    fwrite(&v, sizeof v, 1, f);
}
static void put32(FILE *f, uint32_t v)
{
    fwrite(&v, sizeof v, 1, f);
}

static uint32_t padded(size_t len)
{
    return (uint32_t)((len + 3) & ~(size_t)3);
}

static void put_padded(FILE *f, const void *data, size_t len)
{
    static const char zeros[4];
    fwrite(data, 1, len, f);
    fwrite(zeros, 1, padded(len) - len, f);
}

static size_t text_len(const char *text)
{
    return strnlen(text, PCAPNG_TEXT_MAX);
}

#define OPTION_HEAD 4u // code and length

static uint32_t option_len(size_t len)
{
    return OPTION_HEAD + padded(len);
}

static void put_option(FILE *f, uint16_t code, const void *value, size_t len)
{
    put16(f, code);
    put16(f, (uint16_t)len);
    put_padded(f, value, len);
}

// The length stands at both ends of a block: type, length, body of `body` bytes, length.
static uint32_t begin_block(FILE *f, uint32_t type, uint32_t body)
{
    uint32_t len = 12 + body;
    put32(f, type);
    put32(f, len);
    return len;
}

void pcapng_begin(FILE *f)
{
    static const char by[] = "rotifer capture";
    uint32_t options = option_len(sizeof by - 1) + OPTION_HEAD;
    uint32_t len = begin_block(f, SECTION, 16 + options);
    put32(f, BYTE_ORDER_MAGIC);
    put16(f, 1); // version 1.0
    put16(f, 0);
    put32(f, UINT32_MAX); // length of the section: not known
    put32(f, UINT32_MAX);
    put_option(f, SHB_USERAPPL, by, sizeof by - 1);
    put_option(f, OPT_END, "", 0);
    put32(f, len);
}

void pcapng_interface(FILE *f, const char *name, const char *what)
{
    const uint8_t resolution = NS_RESOLUTION;
    uint32_t options = option_len(text_len(name)) + option_len(text_len(what)) + option_len(1) + OPTION_HEAD;
    uint32_t len = begin_block(f, INTERFACE, 8 + options);
    put16(f, LINKTYPE_ETHERNET);
    put16(f, 0);
    put32(f, 0); // frames are kept whole
    put_option(f, IF_NAME, name, text_len(name));
    put_option(f, IF_DESCRIPTION, what, text_len(what));
    put_option(f, IF_TSRESOL, &resolution, 1);
    put_option(f, OPT_END, "", 0);
    put32(f, len);
}

void pcapng_frame(FILE *f, unsigned interface_index, uint64_t unix_ns, const uint8_t *frame, size_t len,
                  const char *comment)
{
    size_t said = text_len(comment);
    uint32_t options = said ? option_len(said) + OPTION_HEAD : 0;
    uint32_t block = begin_block(f, ENHANCED_PACKET, 20 + padded(len) + options);
    put32(f, interface_index);
    put32(f, (uint32_t)(unix_ns >> 32));
    put32(f, (uint32_t)unix_ns);
    put32(f, (uint32_t)len);
    put32(f, (uint32_t)len);
    put_padded(f, frame, len);
    if (said) {
        put_option(f, OPT_COMMENT, comment, said);
        put_option(f, OPT_END, "", 0);
    }
    put32(f, block);
}

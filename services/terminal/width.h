// SPDX-License-Identifier: BSD-2-Clause
// How wide a terminal draws a character of UTF-8: one column most often, two for those of East Asia and for pictures,
// none for what is drawn over the character before it (Unicode Standard Annex 11, and the general categories Mn, Me,
// Cf). The table has whole blocks: scripts in which marks and letters alternate are taken to be one column a character.
//
// Callers: any; nothing here locks.
#ifndef SERVICES_TERMINAL_WIDTH_H
#define SERVICES_TERMINAL_WIDTH_H

#include "core/types.h"

// Returns the columns of the character at text, of which there are len > 0 bytes; *bytes: how many of them it has.
// Bytes that are no UTF-8 are a column each, with those that would go on from them.
unsigned char_width(const char *text, size_t len, size_t *bytes);
// Returns the columns of a text.
unsigned text_width(const char *text, size_t len);

#endif

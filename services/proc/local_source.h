// SPDX-License-Identifier: BSD-2-Clause
// What is to fill a segment may be on this node already, page by page: in a segment of its segment service, or in a
// file of its boot file system. Then the pages are shared, copy-on-write, and nothing is copied (design D4: from one's
// own node, filling is fork). All processes of one program share one text.
// Callers: node lock held.
#ifndef SERVICES_LOCAL_SOURCE_H
#define SERVICES_LOCAL_SOURCE_H

#include "core/desc.h"

// True if this is the capability of something whose pages local_source_fill can share. It takes (next to) no memory
// then.
bool local_source_here(const struct node *n, const struct cap *source);
// True if local_source_fill would not return 0, so that no transaction is needed.
bool local_source_at_once(const struct node *n, const struct desc_seg *s);
// Fills a segment that was just made. Returns 1: done; 0: the source is on another node, or its bytes lie at other
// places of their pages than they shall: ask for them by transaction; or an error: E_OBJECT, E_CAP, E_RIGHTS, E_EOF as
// that would; E_MEM.
int local_source_fill(struct node *n, const struct desc_fill *f);

#endif

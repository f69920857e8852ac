// SPDX-License-Identifier: BSD-2-Clause
// What is to fill a segment may be here already, page by page: in a segment of this node's segment service, or in the
// boot store's files. Then the pages are shared, copy-on-write, and nothing is copied (design D4: from one's own node,
// filling is fork). All processes of one program have one text.
#ifndef SERVICES_LOCAL_SOURCE_H
#define SERVICES_LOCAL_SOURCE_H

#include "core/desc.h"

// Is this the capability of something whose pages local_source_fill can share? It takes (next to) no memory then.
bool local_source_here(const struct node *n, const struct cap *source);
// Would local_source_fill answer something else than 0, so that nothing has to be asked for?
bool local_source_at_once(const struct node *n, const struct desc_seg *s);
// Fills a segment that was just made. 1: done. 0: the source is elsewhere, or its bytes lie at other places of their
// pages than they shall: ask for them by transaction. E_OBJECT, E_CAP, E_RIGHTS, E_EOF as that would; E_MEM.
int local_source_fill(struct node *n, const struct desc_fill *f);

#endif

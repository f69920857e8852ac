// SPDX-License-Identifier: BSD-2-Clause
// The operations of all services: numbers, words, bytes. What a number means is the same everywhere. For programs: the
// one header that has them all; a service has a header of its own in services/protocol/.
#ifndef SERVICES_PROTOCOL_H
#define SERVICES_PROTOCOL_H

#include "services/protocol/common.h"
#include "services/protocol/console.h"
#include "services/protocol/dir.h"
#include "services/protocol/node.h"
#include "services/protocol/numbers.h"
#include "services/protocol/proc.h"
#include "services/protocol/seg.h"

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/** A read-only file of fixed size, read by position from any thread, and mapped on demand.
 *
 *  Data that must survive a file being cut short underneath is read with pld_mapping_read, which reports the
 *  loss; touching mapped pages beyond the new end would be a SIGBUS.
 */
#ifndef PLD_CORE_MAPPING_H
#define PLD_CORE_MAPPING_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef struct pld_mapping pld_mapping;

/** Open a regular file for reading; `path` is copied for messages. */
pld_status pld_mapping_open(const char *path, pld_mapping **mapping, pld_error *error);

/** Close and unmap; `*mapping` becomes NULL. NULL is accepted. */
void pld_mapping_close(pld_mapping **mapping);

const char *pld_mapping_path(const pld_mapping *mapping);
uint64_t pld_mapping_size(const pld_mapping *mapping); /**< bytes when it was opened */

/** Copy bytes [offset, offset + bytes) to `destination`. A shorter file is PLD_ERROR_IO; `what` (may be NULL)
 *  names the part for the message. Safe from several threads. */
pld_status pld_mapping_read(const pld_mapping *mapping, uint64_t offset, size_t bytes, void *destination,
                            const char *what, pld_error *error);

/** PLD_ERROR_IO where the file is no longer the one that was opened: its size, or the time of its last change. `what` (may
 * be NULL) names the part that was read. A file that another one has taken the name of is the same still. Safe from several
 * threads. */
pld_status pld_mapping_check(const pld_mapping *mapping, const char *what, pld_error *error);

/** Tell the system that bytes of the range will be read soon; it does so by itself then. Safe from several threads. */
void pld_mapping_expect(const pld_mapping *mapping, uint64_t offset, uint64_t bytes);

/** Map the whole file at `*data` (owned by the mapping; the same address on later calls). One thread at a
 * time. An empty file maps to NULL. */
pld_status pld_mapping_data(pld_mapping *mapping, const uint8_t **data, pld_error *error);

/** Tell the system that the mapped pages that lie wholly inside the range are no longer needed. */
void pld_mapping_drop(const pld_mapping *mapping, uint64_t offset, uint64_t bytes);

#endif

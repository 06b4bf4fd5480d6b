/* SPDX-License-Identifier: Apache-2.0 */
/** Public structs that grow, as pladis/status.h says: each begins with a size_t struct_size, which is what its
 *  caller's header makes of it and may be less or more than ours. No other code compares these sizes. */
#ifndef PLD_CORE_SIZED_H
#define PLD_CORE_SIZED_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

/** Fill a caller's struct of `struct_size` bytes: struct_size, as much of `defaults` [size] as it covers, zeros
 *  behind. */
void pld_sized_init(void *options, size_t struct_size, const void *defaults, size_t size);

/** Read a caller's options into `full` [size]: `defaults` where he has no field, or where `given` is NULL.
 *  PLD_ERROR_ARGUMENT where struct_size cannot be one, PLD_ERROR_UNSUPPORTED where fields are set that are not
 *  ours. `name` is that of the struct: "pld_engine_options". */
pld_status pld_sized_read(const char *name, const void *given, const void *defaults, size_t size, void *full,
                          pld_error *error);

/** pld_sized_read for a struct `full` of our own type. */
#define PLD_SIZED_READ(type, given, defaults, full, error)                                                   \
    pld_sized_read(#type, (given), (defaults), sizeof(type), (full), (error))

/** Fill the array of pointers `list` with the places of `count` structs that lie in `items`: arrays of structs
 *  are not handed out, since their caller would step by a size of his own. */
#define PLD_SIZED_LIST(list, items, count)                                                                   \
    do {                                                                                                     \
        for (size_t pld_list_index = 0; pld_list_index < (size_t)(count); pld_list_index++) {                \
            (list)[pld_list_index] = &(items)[pld_list_index];                                               \
        }                                                                                                    \
    } while (0)

/** How large a caller's struct is; 0 where its struct_size cannot be a size. */
size_t pld_sized_size(const void *sized);

/** Whether a caller's result has a struct_size that can be one; else PLD_ERROR_ARGUMENT. Before the work. */
pld_status pld_sized_check(const char *name, const void *result, pld_error *error);

/** Give a caller as much of `full` [size] as his result covers, and zeros behind. His struct_size, which has
 *  been checked, stays. */
void pld_sized_write(void *result, const void *full, size_t size);

#endif

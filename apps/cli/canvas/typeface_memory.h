/* SPDX-License-Identifier: Apache-2.0 */
/** Memory for FreeType, which goes on with what it did not get in places (its interpreter of CFF outlines). Where there is none
 *  it is given some of a reserve, so that it always comes back, and the typeface then says that memory was out. */
#ifndef PLADIS_CLI_CANVAS_TYPEFACE_MEMORY_H
#define PLADIS_CLI_CANVAS_TYPEFACE_MEMORY_H

#include <stdbool.h>

#include <ft2build.h>
#include FT_SYSTEM_H

typedef struct typeface_memory typeface_memory;

/** NULL when there is none. Free after the library that uses it. */
typeface_memory *typeface_memory_make(void);
void typeface_memory_free(typeface_memory *memory);

/** What FT_New_Library takes; it lives as long as `memory`. */
FT_Memory typeface_memory_door(typeface_memory *memory);

/** Whether the reserve was touched. */
bool typeface_memory_was_out(const typeface_memory *memory);

#endif

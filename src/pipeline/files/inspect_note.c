/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "core/memory.h"
#include "core/text.h"
#include "pipeline/files/inspect.h"

void pld_inspection_note(pld_inspection *inspection, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    pld_print_arguments(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t *count = &inspection->info.note_count;
    if (*count == PLD_MOST_NOTES) {
        return;
    }
    char *copy = pld_copy_string(text);
    inspection->notes[*count] = copy;
    *count += copy != NULL;
    inspection->note_lost = inspection->note_lost || !copy;
    inspection->info.notes = (const char *const *)inspection->notes;
}

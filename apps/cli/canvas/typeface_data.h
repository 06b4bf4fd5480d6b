/* SPDX-License-Identifier: Apache-2.0 */
/** The embedded fonts, which the build makes of the folder typeface: OpenType files, byte for byte. */
#ifndef PLADIS_CLI_CANVAS_TYPEFACE_DATA_H
#define PLADIS_CLI_CANVAS_TYPEFACE_DATA_H

#include <stddef.h>

extern const unsigned char typeface_regular[], typeface_strong[];
extern const size_t typeface_regular_size, typeface_strong_size;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/** pladis info PICTURE.png */
#ifndef PLADIS_CLI_INFO_PICTURE_H
#define PLADIS_CLI_INFO_PICTURE_H

#include <stdbool.h>

/** Whether a file begins as a PNG does. */
bool picture_info_is_png(const char *path);

/** Print the picture's size and metadata. Gives the exit code. */
int picture_info_print(const char *path, bool json);

#endif

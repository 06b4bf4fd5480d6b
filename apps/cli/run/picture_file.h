/* SPDX-License-Identifier: Apache-2.0 */
/** Where pictures go. */
#ifndef PLADIS_CLI_RUN_PICTURE_FILE_H
#define PLADIS_CLI_RUN_PICTURE_FILE_H

#include "pictures/picture.h"
#include "request/generate_options.h"
#include "run/report.h"

/** Whether all pictures go into one PNG. */
bool picture_file_is_sheet(const generate_request *request);

/** Path of the PNG that shows picture `index` into `name` [PATH_MAX]; "-": standard output. False after
 * an error line. */
bool picture_file_name(const generate_request *request, const picture_list *pictures, size_t index,
                       char *name);

/** Write picture `index` to its own file. Gives the exit code. */
int picture_file_write(const generate_request *request, const run_facts *facts, const picture_list *pictures,
                       size_t index);

/** Whether all pictures fit one labelled PNG, where their images have their sizes and no pixels yet.
 * Gives the exit code. */
int picture_file_check_sheet(const generate_request *request, const run_facts *facts,
                             const picture_list *pictures);

/** Write all pictures into one labelled PNG. Gives the exit code. */
int picture_file_write_sheet(const generate_request *request, const run_facts *facts,
                             const picture_list *pictures);

/** Write `image`, which shows all pictures, to --output with their parameters. Gives the exit code. */
int picture_file_write_composed(const generate_request *request, const run_facts *facts,
                                const picture_list *pictures, const pld_image *image);

/** Write a PNG without parameters to `name`. Gives the exit code. */
int picture_file_write_bare(const pld_image *image, const char *name);

/** Name of the file that `option_name` writes beside picture `index`: `pattern`, numbered where there are
 * several.
 */
bool picture_file_side_name(const char *option_name, const char *pattern, const picture_list *pictures,
                            size_t index, char *name, size_t size);

#endif

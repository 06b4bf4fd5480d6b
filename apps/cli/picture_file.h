/* SPDX-License-Identifier: Apache-2.0 */
/** Where pictures go. */
#ifndef PLADIS_CLI_PICTURE_FILE_H
#define PLADIS_CLI_PICTURE_FILE_H

#include "generate_options.h"
#include "picture.h"
#include "report.h"

/** Ask before the run whether everything can be written where it shall go. Gives the exit code. */
int picture_file_check(const generate_request *request, const picture_list *pictures);

/** Whether all pictures go into one PNG. */
bool picture_file_is_sheet(const generate_request *request);

/** Write picture `index` to its own file. Gives the exit code. */
int picture_file_write(const generate_request *request, const run_facts *facts, const picture_list *pictures,
                       size_t index);

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

/* SPDX-License-Identifier: Apache-2.0 */
/** Standard input, output and error, where whoever started the program closed them. */
#ifndef PLADIS_CLI_TERMINAL_STANDARD_FILES_H
#define PLADIS_CLI_TERMINAL_STANDARD_FILES_H

/** Open on /dev/null those of the descriptors 0 to 2 that are closed, before any other file is opened:
 * the next one would get their number, and what is printed would end up in it. */
void standard_files_open(void);

#endif

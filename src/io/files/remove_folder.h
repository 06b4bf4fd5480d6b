/* SPDX-License-Identifier: Apache-2.0 */
/** Tidying up after a failure, of memory too: nothing here is allocated. */
#ifndef PLD_IO_FILES_REMOVE_FOLDER_H
#define PLD_IO_FILES_REMOVE_FOLDER_H

/** Remove a folder with all that is in it, as far as the system permits; links are removed, not followed. */
void pld_remove_folder(const char *path);

#endif

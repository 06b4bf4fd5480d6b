/* SPDX-License-Identifier: Apache-2.0 */
/** --preview and --preview-file: the picture while it forms. */
#ifndef PLADIS_CLI_RUN_PREVIEW_H
#define PLADIS_CLI_RUN_PREVIEW_H

#include "request/generate_options.h"
#include "terminal/picture.h"

typedef struct preview {
    terminal_graphics graphics; /**< TERMINAL_NONE: not in the terminal */
    const char *file;           /**< or NULL */
    int zoom;                   /**< pixels of the picture for one of the preview */
    bool failed;                /**< memory was out for the file, which an error line has said */
    int rows;                   /**< lines of the preview that stands on the screen; 0: none does */
} preview;

/** What the request asks for and standard error can show: nothing where that is no terminal. A note says so
 * where the terminal shows no pictures. */
void preview_init(preview *state, const generate_request *request, int zoom);

/** Whether anything is to be shown. */
bool preview_wanted(const preview *state);

/** The preview callback of a generation; `user` is the state. */
void preview_show(void *user, const pld_image *image, int step, int steps);

/** The next picture stands below. */
void preview_leave(preview *state);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "run/preview.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "canvas/canvas.h"
#include "files/memory_file.h"
#include "terminal/cancel.h"
#include "terminal/message.h"
#include "terminal/output.h"
#include "terminal/progress.h"

void preview_init(preview *state, const generate_request *request, int zoom) {
    *state = (preview){.graphics = TERMINAL_NONE, .file = request->preview_file, .zoom = zoom};
    if (request->preview == NULL || !isatty(STDERR_FILENO) || request->quiet) {
        return;
    }
    (void)terminal_graphics_named(request->preview[0] != '\0' ? request->preview : "auto", &state->graphics);
    if (state->graphics == TERMINAL_NONE) {
        message_note("--preview: this terminal does not report that it can show pictures or colours; force "
                     "it with --preview kitty, sixel or blocks, or write a PNG with --preview-file FILE");
    }
}

bool preview_wanted(const preview *state) {
    return state->graphics != TERMINAL_NONE || state->file != NULL;
}

static terminal_room measure_terminal(void) {
    enum { USUAL_CELL_HEIGHT = 20 };
    struct winsize size = {0};
    terminal_room room = {80, 24, USUAL_CELL_HEIGHT};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        room.columns = size.ws_col;
        room.rows = size.ws_row;
        room.cell_height = size.ws_ypixel > size.ws_row ? size.ws_ypixel / size.ws_row : USUAL_CELL_HEIGHT;
    }
    return room;
}

static void show_in_terminal(preview *state, const pld_image *image) {
    terminal_room room = measure_terminal();
    int rows = terminal_picture_rows(state->graphics, image, &room);
    progress_clear();
    if (state->rows != rows) { /* make room once; it may scroll */
        for (int i = 0; i < rows; i++) {
            print_message("\n");
        }
        state->rows = rows;
    }
    memory_file memory;
    memory_file_open(&memory);
    if (memory.stream != NULL) {
        terminal_picture_draw(memory.stream, state->graphics, image, &room);
    }
    print_message("\r\033[%dA", rows);
    char *codes = memory_file_close(&memory);
    if (codes != NULL) { /* where memory is out the picture goes on without a preview */
        print_terminal_codes(codes, memory.size);
    }
    free(codes);
}

/** A file that cannot be written is no reason to lose the picture: said once, then given up. Where memory was
 * out the run has failed all the same, once its pictures are written. */
static void write_file(preview *state, const pld_image *image) {
    pld_error error = {0};
    pld_image large = {0};
    if (!canvas_create(&large, (size_t)image->width * (size_t)state->zoom,
                       (size_t)image->height * (size_t)state->zoom, "the preview")) {
        state->file = NULL;
        state->failed = true;
        return;
    }
    canvas_paste(&large, image, 0, 0, state->zoom);
    uint8_t *bytes = NULL;
    size_t size = 0;
    cancel_guard_begin();
    pld_status status = pld_image_encode_png(&large, NULL, &bytes, &size, &error);
    if (status == PLD_OK) {
        status = pld_bytes_write(bytes, size, state->file, cancel_flag(), &error);
    }
    cancel_guard_end();
    state->failed = status == PLD_ERROR_MEMORY;
    if (state->failed) {
        message_error(&error);
    } else if (status != PLD_OK && status != PLD_ERROR_CANCELLED) {
        message_note("--preview-file: %s", error.message);
    }
    state->file = status == PLD_OK ? state->file : NULL;
    pld_bytes_free(&bytes);
    canvas_free(&large);
}

void preview_show(void *user, const pld_image *image, int step, int steps) {
    preview *state = user;
    (void)step;
    (void)steps;
    if (state->graphics != TERMINAL_NONE) {
        show_in_terminal(state, image);
    }
    if (state->file != NULL) {
        write_file(state, image);
    }
}

void preview_leave(preview *state) {
    state->rows = 0;
}

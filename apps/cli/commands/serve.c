/* SPDX-License-Identifier: Apache-2.0 */
/** pladis serve: pictures over HTTP, and a page to ask for them. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "files/model_path.h"
#include "files/whole_file.h"
#include "server.h"
#include "terminal/cancel.h"
#include "terminal/message.h"
#include "terminal/output.h"

/** What the person asked for. */
typedef struct serve_request {
    const char *host, *models_dir, *lora_dir, *output_dir, *api_key_file;
    int64_t port, queue, max_pixels, max_steps;
    bool no_history, quiet;
} serve_request;

#define FIELD(name, field)                                                                                   \
    { (name), offsetof(serve_request, field) }

static const option_field fields[] = {
    FIELD("host", host),
    FIELD("port", port),
    FIELD("models-dir", models_dir),
    FIELD("lora-dir", lora_dir),
    FIELD("output-dir", output_dir),
    FIELD("api-key-file", api_key_file),
    FIELD("queue", queue),
    FIELD("max-pixels", max_pixels),
    FIELD("max-steps", max_steps),
    FIELD("no-history", no_history),
    FIELD("quiet", quiet),
};

const option_set serve_options = {
    .command = "serve",
    .brief = "serve pictures over HTTP: a page, OpenAI's and A1111's interfaces, jobs",
    .usage = "pladis serve [-m MODEL]... [options]",
    .summary = "Open a page in the browser to draw with, and answer programs that speak OpenAI's or A1111's "
               "interface.",
    .details = "Models stay open, so the second picture begins at once. One job is drawn at a time, others "
               "wait; all options of "
               "generate that say what a picture is are fields of requests. /api/openapi.json describes "
               "them. SIGTERM and SIGINT "
               "end the server: it finishes the picture at work if that takes no longer than ten seconds.",
    .examples = "  pladis serve\n"
                "  pladis serve -m sd-turbo --lora-dir loras --port 8080\n"
                "  pladis serve --models-dir models --host 0.0.0.0 --api-key-file key.txt --max-memory 12G\n",
    .fields = fields,
    .field_count = sizeof fields / sizeof *fields,
};

enum { MOST_MODELS = 256, LONGEST_KEY = 512, FEWEST_LETTERS = 8 };

/** What the server is made of, and where its texts live. */
typedef struct served {
    serve_request request;
    pld_options *values;
    char *paths; /* [MOST_MODELS][PATH_MAX] */
    const char *models[MOST_MODELS];
    size_t model_count;
    char history[PATH_MAX];
    char key[LONGEST_KEY + 1];
    vocabularies found;
    pld_engine_options engine;
    pld_model_options files;
} served;

/** Paths of the models that were named; the demo model where none was, and there is no folder of others. */
static int find_models(served *self) {
    const pld_option_value *named = pld_options_get(self->values, "serve", "model");
    const bool demo = named->count == 0 && self->request.models_dir == NULL;
    const size_t count = demo ? 1 : named->count;
    self->paths = calloc(count + 1, PATH_MAX);
    if (self->paths == NULL) {
        return message_failure("out of memory for %zu models", count);
    }
    for (size_t i = 0; i < count; i++) {
        char *path = self->paths + i * PATH_MAX;
        if (!model_path_find(demo ? "demo" : named->texts[i], path, PATH_MAX)) {
            return EXIT_FAILED;
        }
        self->models[self->model_count++] = path;
    }
    return EXIT_DONE;
}

/** The key of a file or of the environment; "" for none. */
static int find_key(served *self) {
    const char *given = getenv("PLADIS_API_KEY");
    const char *path = self->request.api_key_file;
    size_t size = 0;
    char *text = path != NULL ? whole_file_read_text(path, 1 << 16, &size) : NULL;
    if (path != NULL && text == NULL) {
        return EXIT_FAILED;
    }
    const char *key = text != NULL ? text : given != NULL ? given : "";
    const size_t length = strcspn(key, "\r\n");
    const bool needed = path != NULL || length > 0;
    int code = EXIT_DONE;
    if (needed && (length < FEWEST_LETTERS || length > LONGEST_KEY)) {
        code = message_failure("%s: expected a key of %d to %d bytes on its first line, found %zu",
                               path != NULL ? path : "PLADIS_API_KEY", (int)FEWEST_LETTERS, (int)LONGEST_KEY,
                               length);
    } else {
        memcpy(self->key, key, length);
    }
    free(text);
    return code;
}

/** Where pictures are kept: as given, or among the data of the user; "" for nowhere. */
static void find_history(served *self) {
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME"), *given = self->request.output_dir;
    int length = 0;
    if (self->request.no_history) {
        return;
    }
    if (given != NULL) {
        length = snprintf(self->history, sizeof self->history, "%s", given);
    } else if (data != NULL && data[0] == '/') {
        length = snprintf(self->history, sizeof self->history, "%s/pladis/history", data);
    } else if (home != NULL && home[0] == '/') {
        length = snprintf(self->history, sizeof self->history, "%s/.local/share/pladis/history", home);
    } else {
        message_note("no folder for the history: HOME is not set; --output-dir names one");
    }
    if (length < 0 || (size_t)length >= sizeof self->history) {
        self->history[0] = '\0';
    }
}

static void print_line(void *user, const char *line) {
    (void)user;
    message_line("%s", line);
}

static void tell_address(void *user, const char *address) {
    (void)user;
    print_output("%s\n", address);
    output_flush();
    message_line("serving   %s (Ctrl-C ends it)", address);
}

static bool is_loopback(const char *host) {
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0;
}

static int run_server(served *self) {
    const pld_option_value *allowed = pld_options_get(self->values, "serve", "allowed-host");
    pld_error error = {0};
    pld_engine_options_init(&self->engine, sizeof self->engine);
    pld_options_engine(self->values, &self->engine);
    pld_model_options_init(&self->files, sizeof self->files);
    vocabularies_offer(&self->found, &self->files);
    if (!is_loopback(self->request.host) && self->key[0] == '\0') {
        message_note("everyone who reaches %s may ask: there is no API key; --api-key-file names one",
                     self->request.host);
    }
    const server_settings settings = {.host = self->request.host,
                                      .port = (uint16_t)self->request.port,
                                      .models = self->models,
                                      .model_count = self->model_count,
                                      .models_dir = self->request.models_dir,
                                      .lora_dir = self->request.lora_dir,
                                      .history_dir = self->history[0] != '\0' ? self->history : NULL,
                                      .queue = (size_t)self->request.queue,
                                      .max_pixels = self->request.max_pixels,
                                      .max_steps = self->request.max_steps,
                                      .api_key = self->key[0] != '\0' ? self->key : NULL,
                                      .allowed_hosts = allowed->texts,
                                      .allowed_host_count = allowed->count,
                                      .engine = &self->engine,
                                      .files = &self->files,
                                      .line = print_line,
                                      .ready = tell_address,
                                      .stop = cancel_flag()};
    return server_run(&settings, &error) == PLD_OK ? EXIT_DONE : message_error(&error);
}

int command_serve(int argc, char **argv) {
    static served self;
    size_t positional_count = 0;
    options_result result =
        options_read(&serve_options, argc, argv, &self.values, &self.request, NULL, &positional_count);
    int code = options_exit_code(result);
    if (result == OPTIONS_RUN) {
        message_set_verbosity(self.request.quiet ? VERBOSITY_QUIET : VERBOSITY_NORMAL);
        cancel_install();
        code = find_models(&self);
        code = code == EXIT_DONE ? find_key(&self) : code;
        find_history(&self);
        code = code == EXIT_DONE ? run_server(&self) : code;
    }
    free(self.paths);
    pld_options_destroy(&self.values);
    return code;
}

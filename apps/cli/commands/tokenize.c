/* SPDX-License-Identifier: Apache-2.0 */
/** pladis tokenize: ids, pieces, weights and chunks of a text. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "files/json_output.h"
#include "files/model_path.h"
#include "files/whole_file.h"
#include "options/options.h"
#include "terminal/message.h"
#include "terminal/output.h"
#include "values/json_values.h"

typedef struct tokenize_request {
    const char *model, *config, *tokenizer, *complex_instruction;
    bool json, raw;
} tokenize_request;

static const option_field fields[] = {
    {"model", offsetof(tokenize_request, model)},
    {"tokenizer", offsetof(tokenize_request, tokenizer)},
    {"config", offsetof(tokenize_request, config)},
    {"json", offsetof(tokenize_request, json)},
    {"raw", offsetof(tokenize_request, raw)},
    {"complex-instruction", offsetof(tokenize_request, complex_instruction)},
};

const option_set tokenize_options = {
    .command = "tokenize",
    .brief = "show the tokens, weights and chunks of a prompt",
    .usage = "pladis tokenize [-m MODEL] [--json] [--raw] TEXT",
    .summary = "Show what the model sees of a prompt. TEXT - is standard input.",
    .fields = fields,
    .field_count = sizeof fields / sizeof *fields,
    .examples = "  pladis tokenize \"a (red:1.3) star\"\n  pladis tokenize --json - < prompt.txt\n",
    .most_positionals = 1,
};

/** Pieces of byte-level tokens can end inside a character. */
static json_t *chunk_json(const pld_token_chunk *chunk) {
    json_t *ids = json_array(), *pieces = json_array(), *weights = json_array();
    for (size_t i = 0; i < chunk->count; i++) {
        json_array_append_new(ids, json_integer(chunk->ids[i]));
        json_array_append_new(pieces, json_text(chunk->pieces[i]));
        json_array_append_new(weights, json_number((double)chunk->weights[i]));
    }
    return json_pack("{s:o, s:o, s:o}", "ids", ids, "pieces", pieces, "weights", weights);
}

static json_t *tokenizer_json(const pld_tokenizer_tokens *tokens, bool raw) {
    json_t *dropped = json_array(), *list = json_array();
    for (size_t i = 0; i < tokens->dropped_count; i++) {
        json_array_append_new(dropped, json_integer(tokens->dropped[i]));
    }
    if (raw) {
        for (size_t i = 0; tokens->chunk_count > 0 && i < tokens->chunks[0]->count; i++) {
            json_array_append_new(list, json_integer(tokens->chunks[0]->ids[i]));
        }
    } else {
        for (size_t i = 0; i < tokens->chunk_count; i++) {
            json_array_append_new(list, chunk_json(tokens->chunks[i]));
        }
    }
    return json_pack("{s:s, s:o, s:o, s:I}", "name", tokens->name, raw ? "ids" : "chunks", list, "dropped",
                     dropped, "unseen", (json_int_t)tokens->unseen);
}

static json_t *tokens_json(const pld_tokens *tokens, bool raw) {
    json_t *list = json_array();
    for (size_t i = 0; i < tokens->count; i++) {
        json_array_append_new(list, tokenizer_json(tokens->tokenizers[i], raw));
    }
    return json_pack("{s:o}", "tokenizers", list);
}

static void print_table(const pld_tokenizer_tokens *tokens) {
    print_output("%s: %zu chunk%s\n", tokens->name, tokens->chunk_count, tokens->chunk_count == 1 ? "" : "s");
    for (size_t i = 0; i < tokens->chunk_count; i++) {
        const pld_token_chunk *chunk = tokens->chunks[i];
        print_output("\nchunk %zu: %zu tokens\n", i + 1, chunk->count);
        for (size_t j = 0; j < chunk->count; j++) {
            print_output("%8d  %-20s", chunk->ids[j], chunk->pieces[j]);
            if (chunk->weights[j] != 1.0f) {
                print_output("  %g", (double)chunk->weights[j]);
            }
            print_output("\n");
        }
    }
    if (tokens->unseen > 0) {
        print_output("\nof an instruction, and not shown to the network: tokens 2 to %zu\n",
                     tokens->unseen + 1);
    }
    if (tokens->dropped_count > 0) {
        print_output("\ncut off: %zu tokens:", tokens->dropped_count);
        for (size_t i = 0; i < tokens->dropped_count; i++) {
            print_output(" %s", tokens->dropped_pieces[i]);
        }
        print_output("\n");
    }
}

/** With the tokenizers that belong to a checkpoint of one file. */
static pld_status tokenize_for_file(const tokenize_request *request, const char *path, const char *text,
                                    size_t length, const pld_tokenize_options *options, pld_tokens **tokens,
                                    pld_error *error) {
    vocabularies found;
    pld_engine_options engine_options;
    pld_model_options files;
    pld_engine *engine = NULL;
    pld_model *model = NULL;
    pld_engine_options_init(&engine_options, sizeof engine_options);
    pld_model_options_init(&files, sizeof files);
    files.config = request->config;
    files.tokenizer = request->tokenizer;
    vocabularies_offer(&found, &files);
    pld_status status = pld_engine_create(&engine_options, &engine, error);
    if (status == PLD_OK) {
        status = pld_model_open_with(engine, path, &files, &model, error);
    }
    if (status == PLD_OK) {
        status = pld_tokenize_with(model, text, length, options, tokens, error);
    }
    pld_model_destroy(&model);
    pld_engine_destroy(&engine);
    return status;
}

static int print_tokens(const tokenize_request *request, const char *path, const char *text, size_t length) {
    pld_error error = {0};
    pld_tokens *tokens = NULL;
    int code = EXIT_DONE;
    struct stat found;
    const bool folder = stat(path, &found) == 0 && S_ISDIR(found.st_mode);
    vocabularies installed;
    pld_tokenize_options options;
    vocabularies_find(&installed);
    pld_tokenize_options_init(&options, sizeof options);
    options.literal = request->raw;
    options.complex_instruction = request->complex_instruction;
    options.vocabulary_dirs = installed.folders;
    options.vocabulary_dir_count = installed.count;
    pld_status status = folder ? pld_tokenize_folder_with(path, text, length, &options, &tokens, &error)
                               : tokenize_for_file(request, path, text, length, &options, &tokens, &error);
    if (status == PLD_OK && !request->raw) {
        status = pld_prompt_review(text, length, false, message_log, NULL, &error);
    }
    if (status != PLD_OK) {
        code = message_error(&error);
    } else if (request->json) {
        code = json_output_print(tokens_json(tokens, request->raw));
    } else {
        for (size_t i = 0; i < tokens->count; i++) {
            if (i > 0) {
                print_output("\n");
            }
            print_table(tokens->tokenizers[i]);
        }
    }
    pld_tokens_destroy(&tokens);
    return code;
}

static int tokenize(const tokenize_request *request, const char *text) {
    enum { LONGEST_TEXT = 16 << 20 };
    char path[PATH_MAX];
    size_t length = 0;
    if (!model_path_find(request->model, path, sizeof path)) {
        return EXIT_FAILED;
    }
    if (strcmp(text, "-") != 0) {
        return print_tokens(request, path, text, strlen(text));
    }
    char *input = whole_file_read_text("-", LONGEST_TEXT, &length);
    int code = input != NULL ? print_tokens(request, path, input, length) : EXIT_FAILED;
    free(input);
    return code;
}

int command_tokenize(int argc, char **argv) {
    tokenize_request request = {0};
    pld_options *values = NULL;
    const char *text = NULL;
    size_t count = 0;
    options_result result = options_read(&tokenize_options, argc, argv, &values, &request, &text, &count);
    int code = result != OPTIONS_RUN ? options_exit_code(result)
               : count == 0 ? message_usage("expected a text, found none; usage: %s", tokenize_options.usage)
                            : tokenize(&request, text);
    pld_options_destroy(&values);
    return code;
}

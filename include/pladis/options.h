/* SPDX-License-Identifier: Apache-2.0 */
/** @file options.h
 *  Every option of pladis by its name: one table, from which the command line, its help, the manual, shell
 *  completion, reports, the metadata of pictures and the defaults of the option structs come.
 *
 *      pld_options *options = NULL;
 *      if (pld_options_create(&options, &error) == PLD_OK &&
 *          pld_options_set(options, "generate", "cfg-scale", "4.5", &error) == PLD_OK) {
 *          pld_generate_options wanted;
 *          pld_generate_options_init(&wanted, sizeof wanted);
 *          pld_options_generate(options, &wanted);
 *      }
 *
 *  Names are those of the command line without dashes before them; an underscore counts as a dash, so names of
 *  metadata ("cfg_scale") are names too. Errors name the option, what was expected and what was found. Numbers
 *  are read and written alike in every locale. A pld_options belongs to one thread at a time; the table is
 *  constant and may be read by all.
 */
#ifndef PLADIS_OPTIONS_H
#define PLADIS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pladis/pladis.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a value is, and how it is written. */
typedef enum pld_option_type {
    PLD_OPTION_FLAG,    /**< off until it is named; as text yes, no, true, false, on, off */
    PLD_OPTION_INTEGER, /**< a whole number */
    PLD_OPTION_NUMBER,  /**< a finite decimal number */
    PLD_OPTION_TEXT,
    PLD_OPTION_CHOICE,  /**< a word of `choices` or a name of `list`, or what people call that */
    PLD_OPTION_PAIR,    /**< two whole numbers with `separator` between: 1024x768 */
    PLD_OPTION_NUMBERS, /**< falling numbers, commas between */
    PLD_OPTION_TEXTS,   /**< may be given several times; each adds a text */
    PLD_OPTION_SIZE, /**< bytes, or as many KiB, MiB, GiB or TiB as stand before K, M, G or T: 8G, 1.5G, 800M */
    /* Types from here on have no value; new ones with a value come before. */
    PLD_OPTION_HABIT = 64, /**< of other programs: taken without effect, `help` says why */
    PLD_OPTION_MISSING     /**< of other programs or later versions: refused, `help` says why */
} pld_option_type;

/** What a client that is not trusted may do with an option, as one of a server. */
typedef enum pld_option_remote {
    PLD_REMOTE_NEVER,
    PLD_REMOTE_VALUE, /**< give any value that the option takes */
    PLD_REMOTE_NAME,  /**< name a file that the server has, without folders */
    PLD_REMOTE_UPLOAD /**< send the file itself, never name one */
} pld_option_remote;

/** One row of the table. All pointers are constants of the library; NULL where a thing does not apply. */
typedef struct pld_option {
    size_t struct_size; /**< set by the library */
    pld_option_type type;
    pld_option_remote remote;
    const char *name;        /**< "cfg-scale" */
    const char *aliases;     /**< other names, blanks between */
    char letter;             /**< 's' for -s, or 0 */
    const char *commands;    /**< that have it, blanks between: "generate grid evaluate" */
    const char *group;       /**< heading under which it is told of */
    const char *argument;    /**< how the value is called, "N" */
    const char *unit;        /**< "pixels" */
    const char *help;        /**< what it does; without full stop */
    const char *details;     /**< more sentences, for a manual */
    const char *fallback;    /**< value while it is not set, as text */
    const char *otherwise;   /**< what counts while it is not set, in words: "the model's own" */
    double minimum, maximum; /**< of numbers and each of a pair; of PLD_OPTION_TEXTS the most texts */
    bool above_minimum;      /**< the minimum itself is refused */
    bool value_is_optional;  /**< may stand without a value, which is "" then */
    bool of_picture;     /**< says what one picture is: recorded in its metadata, read back, may be varied */
    bool is_file;        /**< names a file or folder */
    bool is_output;      /**< names a file or folder to be written */
    bool is_prose;       /**< a text that is drawn: bytes that are not UTF-8 become U+FFFD */
    char separator;      /**< between the numbers of a pair */
    const char *choices; /**< words, blanks between */
    const char *list;    /**< `pladis list` of this name has more choices: "samplers" */
    pld_list_kind list_kind;
    const char *symbol; /**< how formulas call the value, "λ" */
    const char *title; /**< how a person calls it, "CFG scale"; "": the value says it alone; NULL: the name */
} pld_option;

/** Row `index`; NULL past the end. And the index of a row. */
PLD_API const pld_option *pld_option_at(size_t index);
PLD_API size_t pld_option_index(const pld_option *option);

/** The option that `command` (NULL: "generate") calls `name`, without dashes before it. NULL: there is none.
 *  Habits and options that are missing or refused are found, too. */
PLD_API const pld_option *pld_option_find(const char *command, const char *name);
PLD_API const pld_option *pld_option_find_letter(const char *command, char letter);

/** Whether a command has the option. */
PLD_API bool pld_option_belongs(const pld_option *option, const char *command);

/** Why the command does not take it, where there is more to say than that it is unknown; else NULL. */
PLD_API const char *pld_option_refusal(const pld_option *option, const char *command);

/** The name of an option of the command that `name` may be a slip of the pen for, or NULL. */
PLD_API const char *pld_option_nearest(const char *command, const char *name);

/** How far two names are from each other: letters to insert, drop, change or swap. And whether that may be a
 *  slip of the pen. */
PLD_API size_t pld_name_distance(const char *first, const char *second);
PLD_API bool pld_name_is_near(const char *name, size_t distance);

/** How A1111, by whose words sites sort pictures, calls a sampler or sigma schedule of ours: "Euler a". `name`
 *  itself where it has no such name. */
PLD_API const char *pld_common_name(pld_list_kind kind, const char *name);

/** Our name of a sampler or schedule of A1111, ComfyUI or diffusers, whatever its case; ours are names, too.
 *  NULL: there is none. "Automatic" is the sampler's own schedule: "". */
PLD_API const char *pld_own_name(pld_list_kind kind, const char *common);

/** Take a value of `lora` apart, FILE or FILE:WEIGHT: the path is the first `*path_length` bytes of `text`. */
PLD_API pld_status pld_lora_parse(const char *text, size_t *path_length, double *weight, pld_error *error);

/** The value of an option. What does not belong to its type is zero. Pointers are valid until the option is set
 *  or reset, or its pld_options destroyed. */
typedef struct pld_option_value {
    size_t struct_size; /**< set by the library */
    bool is_set;        /**< else these are the defaults: NaN and NULL for "the model's own" */
    bool flag;
    int64_t integer;
    int64_t pair[2];
    double number;
    const char *text;
    const double *numbers;    /**< [count] */
    const char *const *texts; /**< [count] */
    size_t count;
} pld_option_value;

/** Values for all options; none is set at first. A function that is given NULL for what it needs says so with
 *  PLD_ERROR_ARGUMENT; one that returns no status then does nothing, or finds nothing. */
typedef struct pld_options pld_options;

PLD_API pld_status pld_options_create(pld_options **options, pld_error *error);
PLD_API pld_status pld_options_copy(const pld_options *options, pld_options **copy, pld_error *error);
PLD_API void pld_options_destroy(pld_options **options);

/** Set an option of `command` (NULL: "generate") from text. PLD_ERROR_ARGUMENT for a name that it does not
 *  have, with the nearest one, and for a value that the option refuses; nothing is changed then. A sampler
 *  that brings its schedule ("DPM++ 2M Karras") sets that as well, unless a schedule is set. */
PLD_API pld_status pld_options_set(pld_options *options, const char *command, const char *name,
                                   const char *text, pld_error *error);
/** The same for a row. */
PLD_API pld_status pld_options_set_option(pld_options *options, const pld_option *option, const char *text,
                                          pld_error *error);
/** Back to the default. */
PLD_API void pld_options_reset(pld_options *options, const pld_option *option);

/** The value of an option; NULL for a name that the command does not have. */
PLD_API const pld_option_value *pld_options_get(const pld_options *options, const char *command,
                                                const char *name);
PLD_API const pld_option_value *pld_options_value(const pld_options *options, const pld_option *option);

/** The value as text that pld_options_set takes, numbers so that they read back the same; texts of
 *  PLD_OPTION_TEXTS have a newline between. NULL in `*text` where there is none. Free with pld_string_free. */
PLD_API pld_status pld_options_text(const pld_options *options, const pld_option *option, char **text,
                                    pld_error *error);

/** Which options a text may set. */
typedef enum pld_options_scope {
    PLD_OPTIONS_ALL,
    PLD_OPTIONS_OF_PICTURE, /**< as metadata of a stranger's picture may: files by their name alone */
    PLD_OPTIONS_REMOTE      /**< as a client may that is not trusted */
} pld_options_scope;

/** All options of `command` that are set, as a JSON object: names with underscores, flags as true, numbers as
 *  numbers, lists as lists, the rest as text. `*text` is freed with pld_string_free. */
PLD_API pld_status pld_options_save(const pld_options *options, const char *command, char **text,
                                    pld_error *error);

/** Set what such an object of `length` bytes says: lists replace what was set, null resets. On failure nothing
 *  is changed. */
PLD_API pld_status pld_options_load(pld_options *options, const char *command, const char *text,
                                    size_t length, pld_options_scope scope, pld_error *error);

/** Set the options of a picture to what was in force when it was drawn, as far as the report tells. */
PLD_API pld_status pld_options_take_report(pld_options *options, const pld_report *report, pld_error *error);

/** Write the values into a struct that its _init function has filled; what it has beyond options stays. Texts
 *  and lists stay the property of `options`. LoRAs (`lora`) and pictures (`init-img`, `mask`) are no part of
 *  these structs: see pld_model_with_loras and pld_image_read_png. */
PLD_API void pld_options_generate(const pld_options *options, pld_generate_options *filled);
PLD_API void pld_options_engine(const pld_options *options, pld_engine_options *filled);
PLD_API void pld_options_model(const pld_options *options, pld_model_options *filled);

#ifdef __cplusplus
}
#endif
#endif

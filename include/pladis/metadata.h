/* SPDX-License-Identifier: Apache-2.0 */
/** @file metadata.h
 *  What is written into a PNG about how it was made, and read back from one: the text "parameters", as A1111 writes it, and
 *  "pladis", a JSON object with every parameter in force.
 *
 *      pld_drawn_picture picture;
 *      pld_drawn_picture_init(&picture, sizeof picture);
 *      picture.options = options;
 *      picture.report = &report;
 *      const pld_drawn_picture *const all[] = {&picture};
 *      char **text = NULL;
 *      if (pld_metadata_write(all, 1, &with, &text, &error) == PLD_OK) {
 *          pld_image_write_png(&image, "picture.png", (const char *const *)text, &error);
 *      }
 */
#ifndef PLADIS_METADATA_H
#define PLADIS_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pladis/options.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One picture whose making is to be written down. */
typedef struct pld_drawn_picture {
    size_t struct_size;         /**< set by pld_drawn_picture_init */
    const pld_options *options; /**< what was asked of `generate`; no default */
    const pld_report *report;   /**< what was in force; no default */
    const char *prompt;         /**< NULL: the options' */
    int64_t seed;               /**< the one that it was drawn with; negative: the options' */
    double pladis_scale;        /**< λ in force; NaN: the options' */
    const char *const *loras; /**< files of the LoRAs in force, those of the prompt's tags too [lora_count] */
    const double *lora_weights; /**< [lora_count] */
    size_t lora_count;
} pld_drawn_picture;

PLD_API void pld_drawn_picture_init(pld_drawn_picture *picture, size_t struct_size);

/** What pictures were drawn with. */
typedef struct pld_drawn_with {
    size_t struct_size; /**< set by pld_drawn_with_init */
    const char *model;  /**< its name, without folders; no default */
    const char *isa;    /**< as pld_engine_isa gives it; no default */
    int64_t threads;    /**< 1 */
} pld_drawn_with;

PLD_API void pld_drawn_with_init(pld_drawn_with *with, size_t struct_size);

/** The texts of a PNG that shows these pictures, of which the last gives "parameters": pairs key, value, …, NULL. Files go by
 *  their names without folders, since a PNG is passed on. Free with pld_text_free. */
PLD_API pld_status pld_metadata_write(const pld_drawn_picture *const *pictures, size_t count,
                                      const pld_drawn_with *with, char ***text, pld_error *error);

/** Every parameter in force for one picture, as a JSON object that pld_options_load takes; files with their folders where
 *  `whole_paths`. Free with pld_string_free. */
PLD_API pld_status pld_metadata_parameters(const pld_drawn_picture *picture, bool whole_paths, char **json,
                                           pld_error *error);

/** What a PNG tells of its making. All pointers belong to the struct. */
typedef struct pld_metadata {
    size_t struct_size; /**< set by the library */
    const char
        *settings; /**< {"model", "machine", "pictures": [{…}]}; "model" is absent where none is named */
    const char *program;         /**< that wrote it, where it was another one; NULL: pladis */
    const char *const *left_out; /**< settings that cannot be taken over, in words [left_out_count] */
    size_t left_out_count;
} pld_metadata;

/** Read pairs key, value, …, NULL as pld_image_read_described gives them; `name` stands for the file in messages. What is
 *  read is a stranger's: give it to pld_options_load with PLD_OPTIONS_OF_PICTURE. PLD_ERROR_MISSING: there is no metadata;
 *  PLD_ERROR_UNSUPPORTED: another program's that cannot be used; PLD_ERROR_FORMAT: ours, damaged. Free with
 *  pld_metadata_free. */
PLD_API pld_status pld_metadata_read(char *const *text, const char *name, pld_metadata **found,
                                     pld_error *error);
PLD_API void pld_metadata_free(pld_metadata **found);

/** The program that wrote such texts, "ComfyUI", or NULL; for people. */
PLD_API const char *pld_metadata_program(char *const *text);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0 */
/** @file pladis.h
 *  Pictures from text with PLADIS: the public interface of libpladis.
 *
 *      pld_engine   threads and instruction set                      one a program
 *      pld_model    an opened checkpoint: immutable, shareable       one a folder
 *      pld_session  buffers and plans of running generations         one a thread
 *      pld_image    a picture; belongs to the caller
 *
 *  Objects are made by …_create or …_open and destroyed by …_destroy(&object), which sets the pointer to NULL
 *  and accepts NULL. A model may be destroyed only after its sessions, an engine after its models. Functions
 *  return pld_status; detail goes to the caller's pld_error. The library never aborts, exits or prints.
 *
 *  Option structs begin with `struct_size`; fill them by `…_init(&options, sizeof options)`, then change what
 *  differs. pladis/status.h says how structs grow.
 *
 *  Threads. Engines and models may be used by several threads at once; a session, a profile and attention maps
 *  by one at a time, whichever it is. What is in a pld_error, a pld_image or a result is the caller's own.
 *  Every callback runs on the thread that called the function to which it was given, directly or through the
 *  engine's options, before that function returns; never on a thread of the library. It must not destroy the
 *  objects at work, nor leave by longjmp or an exception. Only two things may be done meanwhile from another
 *  thread, and from a signal handler: to set the int behind `cancel`, and to read it.
 */
#ifndef PLADIS_PLADIS_H
#define PLADIS_PLADIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pladis/attention.h"
#include "pladis/attention_maps.h"
#include "pladis/guidance.h"
#include "pladis/parallel.h"
#include "pladis/profile.h"
#include "pladis/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pld_engine pld_engine;
typedef struct pld_model pld_model;
typedef struct pld_session pld_session;

/* ---- engine
 * ------------------------------------------------------------------------------------------------ */

typedef struct pld_engine_options {
    size_t struct_size;
    int threads;     /**< 0: the physical cores this process may use */
    const char *isa; /**< caps the instruction set: "auto" (NULL), or a name of pld_list(PLD_LIST_ISA) */
    const char
        *conv; /**< 3×3 convolutions: "auto" (NULL), "direct" or "winograd"; results agree to about 1e-6 */
    bool low_memory; /**< one network in memory at a time, each read again when the next picture wants it;
                      * the same bytes */
    pld_log_level log_level; /**< messages of less weight are not sent; PLD_LOG_NOTICE */
    /** Told of choices and oddities, a line at a time; NULL: silent. On the thread whose call brings it up, so
     *  by several at once where several work with the engine. */
    void (*log)(void *user, pld_log_level level, const char *message);
    void *log_user;
    /** Bytes of memory that the process is to stay within while sessions of this engine work, one at a time; 0: all that there is.
     * Weights for which it leaves no room are read from their files for every evaluation; the bytes of every picture are the
     * same. What cannot fit even so is refused before it begins. */
    uint64_t max_memory;
} pld_engine_options;

PLD_API void pld_engine_options_init(pld_engine_options *options, size_t struct_size);
PLD_API pld_status pld_engine_create(const pld_engine_options *options, pld_engine **engine,
                                     pld_error *error);
PLD_API void pld_engine_destroy(pld_engine **engine);
PLD_API int pld_engine_threads(const pld_engine *engine);
PLD_API const char *pld_engine_isa(const pld_engine *engine); /**< the level in use, "avx2" */

/* ---- model
 * ------------------------------------------------------------------------------------------------- */

/** Open a diffusers folder or a checkpoint of one file, recognised by what it holds, and check it: every
 * weight is found, has its shape, and none of its networks' is left over. The weights stay in the files until
 * a session packs them. The engine must outlive the model. */
PLD_API pld_status pld_model_open(pld_engine *engine, const char *path, pld_model **model, pld_error *error);

/** Files that complete or replace what is at a model's path; NULL each: the model's own. */
typedef struct pld_model_options {
    size_t struct_size;
    /** Of a diffusers folder: the weights are made up from their names, files of them are not needed; for
     *  measuring. false */
    bool random_weights;
    const char *config;    /**< diffusers folder that describes a single file (and has what the file lacks) */
    const char *unet;      /**< file or folder with the U-Net to use */
    const char *vae;       /**< file or folder with the autoencoder to use */
    const char *tokenizer; /**< tokenizer folder, or CLIP's bpe_simple_vocab_16e6.txt[.gz] */
    const char *vocabulary; /**< such a file for models that have no tokenizer and are given none */
    /** Folders with what './dev setup' fetches: vocabularies of other kinds, for the same models, and the instruction of
     *  SANA; looked through in this order [vocabulary_dir_count]. NULL: none */
    const char *const *vocabulary_dirs;
    size_t vocabulary_dir_count;
    const char
        *text_encoder; /**< file or folder with the text encoder to use, of a model whose file has none */
    const char *text_encoder_2; /**< likewise, of a model that has two; which is which their tensors tell */
    const char *text_encoder_3; /**< likewise, of one that has three */
} pld_model_options;

PLD_API void pld_model_options_init(pld_model_options *options, size_t struct_size);
/** pld_model_open with `options`, which may be NULL. */
PLD_API pld_status pld_model_open_with(pld_engine *engine, const char *path, const pld_model_options *options,
                                       pld_model **model, pld_error *error);
PLD_API void pld_model_destroy(pld_model **model);

/** One component of a model: "text_encoder", "unet", "vae". */
typedef struct pld_model_part {
    size_t struct_size; /**< set by the library */
    const char *name;
    const char *kind;    /**< "CLIPTextModel", "UNet2DConditionModel", "AutoencoderKL" */
    const char *dtype;   /**< type of most elements as stored, "f16" */
    uint64_t parameters; /**< elements */
    uint64_t bytes;      /**< as stored */
    size_t files;        /**< 1, or the number of shards */
} pld_model_part;

/** An attention of the network that PLADIS or another variant can act on. */
typedef struct pld_attention_site {
    size_t struct_size; /**< set by the library */
    const char
        *name; /**< as --pladis-blocks accepts it: "down_blocks.0.attentions.1.transformer_blocks.0.attn2" */
    const char *kind; /**< "self" or "cross" */
    int heads, head_size;
} pld_attention_site;

/** A LoRA file and how strongly it is applied: W + weight · alpha / rank · B A. */
typedef struct pld_lora {
    size_t struct_size; /**< set by pld_lora_init */
    /** Safetensors of kohya, diffusers, PEFT, LyCORIS or ai-toolkit, or the folder that PEFT or diffusers wrote;
     *  no default */
    const char *path;
    double weight; /**< 1 (the default) is as trained, 0 no change, negative the opposite; -1000 to 1000 */
} pld_lora;

PLD_API void pld_lora_init(pld_lora *lora, size_t struct_size);

/** What a LoRA did to a model. All pointers belong to the model. */
typedef struct pld_applied_lora {
    size_t struct_size; /**< set by the library */
    const char *path;
    double weight;
    const char *style; /**< of its tensors' names: "kohya", "diffusers", "PEFT", "LyCORIS", "ai-toolkit" */
    const char *kind;  /**< of most modules: "LoRA", "DoRA", "LoHa", "LoKr", … */
    int rank;          /**< the largest */
    size_t module_count, applied_count;
    const char *const *unmatched; /**< modules and tensors without a place in the model [unmatched_count] */
    size_t unmatched_count;
} pld_applied_lora;

/** A model with LoRAs: a new immutable model that shares the files and all untouched weights, packed ones
 *  included, with `base`. Changed weights are made when a session packs them; there is never a second copy of
 * the model. To change the set make another one from the same base: nothing is loaded again. The set is
 * complete: LoRAs that `base` has itself are not carried over. LoRAs that change the same weight add up in
 * their order.
 *
 *  Models may be destroyed in any order. PLD_ERROR_FORMAT for a damaged file and for one whose denoiser
 * modules have no place in this model or another shape; PLD_ERROR_UNSUPPORTED for a kind of change that is
 * not known. The engine's log is told what was applied and what was not. Safe from several threads. */
PLD_API pld_status pld_model_with_loras(pld_model *base, const pld_lora *const *loras, size_t count,
                                        pld_model **model, pld_error *error);

/** A prompt whose `<lora:NAME:WEIGHT>` tags have been taken out. */
typedef struct pld_prompt_loras {
    size_t struct_size;           /**< set by the library */
    const char *prompt;           /**< the rest of it */
    const pld_lora *const *loras; /**< [count], paths inside the folder */
    size_t count;
} pld_prompt_loras;

/** Take `<lora:NAME:WEIGHT>` and `<lora:NAME>` (weight 1) out of a prompt. NAME means
 * FOLDER/NAME.safetensors, and nothing that lies outside the folder: no `..`, no absolute name, no link that
 * leads out. `folder` NULL: a tag is an error. PLD_ERROR_ARGUMENT for a malformed tag, PLD_ERROR_MISSING
 * where there is no such file. On failure `*taken` is NULL. Free with pld_prompt_loras_free. */
PLD_API pld_status pld_prompt_take_loras(const char *prompt, const char *folder, pld_prompt_loras **taken,
                                         pld_error *error);
PLD_API void pld_prompt_loras_free(pld_prompt_loras **taken);

/** What a model is. All pointers belong to the model. */
typedef struct pld_model_info {
    size_t struct_size; /**< set by the caller to sizeof(pld_model_info) */
    const char *path;
    const char *layout;            /**< "diffusers" */
    const char *family;            /**< "stable-diffusion", a name of pld_list(PLD_LIST_FAMILIES) */
    const char *prediction_type;   /**< "epsilon", "v_prediction", "sample" */
    const char *prediction_reason; /**< where that was read */
    const char *scheduler;         /**< the sampler that the folder names, e.g. "pndm" */
    int default_width, default_height;
    int default_steps;
    double default_cfg_scale;
    double default_pladis_scale; /**< λ */
    const char
        *default_preset; /**< what the model asks for; "" for none. Steps, CFG scale and size above are its */
    int size_factor;     /**< widths and heights are multiples of this */
    int latent_channels;
    int positions;                      /**< of the text encoder, start and end token included */
    const pld_model_part *const *parts; /**< [part_count] */
    size_t part_count;
    const pld_attention_site *const *sites; /**< [site_count] */
    size_t site_count;
    const pld_applied_lora *const *loras; /**< in the order of application [lora_count] */
    size_t lora_count;
    const char *const *trained_words; /**< all words of the training captions, where the model brings their
                                       * list [trained_word_count]; NULL: it brings none */
    size_t trained_word_count;
} pld_model_info;

PLD_API pld_status pld_model_get_info(const pld_model *model, pld_model_info *info, pld_error *error);

/* ---- files
 * ------------------------------------------------------------------------------------------------- */

/** What a LoRA file would change. */
typedef struct pld_lora_facts {
    size_t struct_size;             /**< set by the library */
    const char *style;              /**< "kohya", "diffusers", "PEFT", … */
    const char *kind;               /**< of most modules: "LoRA", "DoRA", "LoHa", … */
    int64_t least_rank, most_rank;  /**< 0 without ranks */
    double least_scale, most_scale; /**< alpha / rank */
    const char *const *part_names;  /**< "unet", "text_encoder", … [part_count] */
    const size_t *part_modules;     /**< of each part [part_count] */
    size_t part_count;
} pld_lora_facts;

/** What one file of weights is, as far as it tells by itself. Pointers belong to the struct; those that do
 * not apply are NULL. */
typedef struct pld_file_info {
    size_t struct_size; /**< set by the library */
    const char *path;
    const char *kind;   /**< "checkpoint", "U-Net", "autoencoder", "text encoder", "LoRA", or "other" */
    const char *title;  /**< "Stable Diffusion XL", or of another kind what it seems to be */
    const char *family; /**< a name of pld_list(PLD_LIST_FAMILIES) */
    const char *layout; /**< "latent diffusion", "diffusers" */
    const char *prediction_type, *prediction_reason;
    const pld_model_part *const *parts; /**< [part_count] */
    size_t part_count;
    const pld_attention_site *const *sites; /**< [site_count] */
    size_t site_count;
    const pld_lora_facts *lora;
    const char *const
        *metadata;            /**< key, value, …, NULL: text from a stranger, control characters included */
    const char *const *tags;  /**< of the training pictures, the most frequent first */
    const uint64_t *tag_uses; /**< [tag_count] */
    size_t tag_count;
    const char *const *notes; /**< sentences about what is missing, left over or unusual */
    size_t note_count;
} pld_file_info;

/** Look into a safetensors file, or the folder of a LoRA, without opening it as a model. `config`: a
 * diffusers folder that describes its U-Net (NULL: read off the tensors). Reads the header only, and in SD 2
 * one bias. PLD_ERROR_UNSUPPORTED says what another format is. Free with pld_file_info_destroy. */
PLD_API pld_status pld_file_inspect(const char *path, const char *config, pld_file_info **info,
                                    pld_error *error);
PLD_API void pld_file_info_destroy(pld_file_info **info);

typedef struct pld_convert_options {
    size_t struct_size;
    /** "diffusers" (a folder), "single" (one file in the family's original names) or "denoiser" (such a file of the denoiser
     * alone, whose names have no prefix). A file whose name ends in ".gguf" is a GGUF file, any other safetensors. */
    const char *layout;
    /** "f32", "f16", "bf16"; in a GGUF file also "q8_0", "q6_k", "q5_k", "q4_k", "q4_0"; in safetensors "int8", a scale a row.
     * NULL: every tensor keeps its own. */
    const char *dtype;
    bool overwrite; /**< replace what is at the place, which is refused otherwise */
    /** Told how many bytes of how many are written, on the thread that calls pld_model_convert. May be NULL. */
    void (*progress)(void *user, uint64_t done, uint64_t all);
    void *progress_user;
    const volatile int *cancel; /**< non-zero: give up and leave nothing. May be NULL */
} pld_convert_options;

PLD_API void pld_convert_options_init(pld_convert_options *options, size_t struct_size);

/** Write a model in another layout or type, tensor by tensor, so that it appears whole or not at all. A
 * diffusers folder is complete: configurations, scheduler and tokenizers too. Tensors that drawing does not
 * need (moving averages, OpenCLIP's unused block) are left out. */
PLD_API pld_status pld_model_convert(const pld_model *model, const char *output,
                                     const pld_convert_options *options, pld_error *error);

/** The same of the denoiser alone, in the layout "denoiser" whatever `options` says: of a file or folder that need not hold the
 * rest of a model. `files`: as for pld_model_open_with, may be NULL. */
PLD_API pld_status pld_denoiser_convert(pld_engine *engine, const char *path, const pld_model_options *files,
                                        const char *output, const pld_convert_options *options,
                                        pld_error *error);

/* ---- tokenize
 * ---------------------------------------------------------------------------------------------- */

/** Tokens of one chunk, start and end token included, padding left out: all [count]. */
typedef struct pld_token_chunk {
    size_t struct_size; /**< set by the library */
    size_t count;
    const int32_t *ids;
    const char *const *pieces;
    const float *weights;
} pld_token_chunk;

/** What one tokenizer makes of a text. */
typedef struct pld_tokenizer_tokens {
    size_t struct_size;                   /**< set by the library */
    const char *name;                     /**< "tokenizer", "tokenizer_2" */
    const pld_token_chunk *const *chunks; /**< [chunk_count] */
    size_t chunk_count;
    const int32_t *dropped; /**< ids that did not fit (literal prompts only) [dropped_count] */
    const char *const *dropped_pieces;
    size_t dropped_count;
    size_t
        unseen; /**< tokens behind the first of a chunk, of an instruction, whose states the denoiser does not get */
} pld_tokenizer_tokens;

typedef struct pld_tokens {
    size_t struct_size;                            /**< set by the library */
    const pld_tokenizer_tokens *const *tokenizers; /**< [count], in the model's order */
    size_t count;
} pld_tokens;

/** Tokenize `length` bytes as a generation would (`literal`: without weights, BREAK and chunks, cut to the
 * model's positions). Free with pld_tokens_destroy. */
PLD_API pld_status pld_tokenize(const pld_model *model, const char *text, size_t length, bool literal,
                                pld_tokens **tokens, pld_error *error);
/** How a text is tokenized. */
typedef struct pld_tokenize_options {
    size_t struct_size;
    bool literal;
    int positions;                   /**< of a tokenizer folder; 0: its own */
    const char *complex_instruction; /**< as in pld_generate_options; a literal text has none */
    const char *const
        *vocabulary_dirs; /**< of a model folder, as in pld_model_options [vocabulary_dir_count] */
    size_t vocabulary_dir_count;
} pld_tokenize_options;

PLD_API void pld_tokenize_options_init(pld_tokenize_options *options, size_t struct_size);
PLD_API pld_status pld_tokenize_with(const pld_model *model, const char *text, size_t length,
                                     const pld_tokenize_options *options, pld_tokens **tokens,
                                     pld_error *error);
PLD_API pld_status pld_tokenize_folder_with(const char *folder, const char *text, size_t length,
                                            const pld_tokenize_options *options, pld_tokens **tokens,
                                            pld_error *error);
/** The same for a tokenizer folder alone, or a model folder that has `tokenizer/` and perhaps `tokenizer_2/`;
 * positions 0: the folder's own. */
PLD_API pld_status pld_tokenize_folder(const char *folder, int positions, const char *text, size_t length,
                                       bool literal, pld_tokens **tokens, pld_error *error);
PLD_API void pld_tokens_destroy(pld_tokens **tokens);

/** Check a text before anything is drawn. PLD_ERROR_ARGUMENT and PLD_ERROR_FORMAT are what pld_generate would
 * fail with: weights, depth of brackets, length. The engine's log is told, once for each text of a model, of
 * bytes that are not UTF-8, of syntax of other programs that is taken as words, and of words that are not
 * among the model's trained_words; pld_generate tells it, too, where it was not told yet. */
PLD_API pld_status pld_model_check_prompt(const pld_model *model, const char *text, bool literal,
                                          bool negative, pld_error *error);
/** Tell `log` the same of `length` bytes without a model, each time; nothing of trained words. */
PLD_API pld_status pld_prompt_review(const char *text, size_t length, bool negative,
                                     void (*log)(void *user, pld_log_level level, const char *message),
                                     void *user, pld_error *error);

/** A copy of `length` bytes in which every sequence that is not UTF-8 is U+FFFD, as all prompts are read (one
 * for each longest beginning of a character, which is Unicode's recommendation), and with a NUL behind;
 * `*repaired_length` (may be NULL) does not count it. Free with pld_string_free. */
PLD_API pld_status pld_utf8_repair(const char *text, size_t length, char **repaired, size_t *repaired_length,
                                   pld_error *error);
PLD_API void pld_string_free(char **text);

/* ---- generate
 * ---------------------------------------------------------------------------------------------- */

/** Where a generation is. Sent before the first step and after each network evaluation and stage. */
typedef struct pld_progress {
    size_t struct_size;  /**< set by the library */
    const char *stage;   /**< "load", "encode" (of a given picture), "text", "denoise", "decode" */
    int image, images;   /**< this picture of a series, counted from 0, and how many: the options' */
    int step, steps;     /**< evaluations done and wanted in "denoise" */
    double seconds;      /**< since the generation began */
    double seconds_left; /**< estimate, negative while unknown */
} pld_progress;

/** Everything a generation depends on. Strings are borrowed for the call; prompts are UTF-8, and bytes that
 * are not count as U+FFFD. NaN or a negative value marks "the model's own" where that is said. */
typedef struct pld_generate_options {
    size_t struct_size;
    const char *prompt;          /**< required, may be "" */
    const char *negative_prompt; /**< NULL: none ("" in SD 1 and 2, zeros in SDXL) */
    bool literal_prompt;         /**< no weights, BREAK or chunks */
    int clip_skip;               /**< 1: the last layer */
    int max_tokens; /**< most tokens of a text, of models whose texts have no fixed length; 0: the model's own */
    int width, height; /**< pixels; 0: the model's own */
    /* What SDXL is told of the picture that it is to draw like; other families take none of it. */
    int original_width, original_height; /**< size before it was scaled for training; 0: width, height */
    int crop_left, crop_top;             /**< what was cut off; 0 */
    int target_width, target_height;     /**< size after scaling and cutting; 0: width, height */
    /** How a distilled model is sampled: a name of pld_list(PLD_LIST_PRESETS), which fills in what is left
     * open here; "auto" or NULL: what the model asks for (its scheduler, metadata, or the names of its files
     * and LoRAs), which the log is told; "none" */
    const char *preset;
    int steps;          /**< 0: the model's own */
    double cfg_scale;   /**< NaN: the model's own; <= 1: no unconditional branch */
    double cfg_rescale; /**< φ in [0, 1]; 0 */
    /** Guidance methods beside those that cfg_scale and cfg_rescale ask for: texts as pladis/guidance.h says
     *  [guidance_count], or NULL. */
    const char *const *guidance;
    size_t guidance_count;
    bool keep_neutral_guidance;  /**< methods at values that change nothing run all the same, for measurements
                                  */
    int64_t seed;                /**< >= 0; 42 */
    const char *sampling_method; /**< NULL: the model's scheduler */
    const char *scheduler;       /**< sigma schedule; NULL: the model's */
    const char *spacing;         /**< NULL: the model's */
    const char *prediction;      /**< "eps", "v", "x0"; NULL: the model's */
    const double *timesteps;     /**< explicit, descending [timestep_count], or NULL */
    size_t timestep_count;
    double eta;                /**< NaN: the sampler's */
    double shift;              /**< of the noise levels of flow models; NaN: the model's own */
    double pladis_scale;       /**< λ; 0 is off; NaN: the model's own, else 2.0 */
    double pladis_alpha;       /**< α in (1, 2]; 1.5 */
    const char *pladis_blocks; /**< "all", or "down,mid,up" or site names, comma between */
    double pladis_start;       /**< fraction of the steps, 0 */
    double pladis_end;         /**< fraction of the steps, 1 */
    const char *pladis_sites;  /**< "cross"; for ablations "self" or "all" */
    /** "all", or a comma list of "unconditional", "conditional", "perturbed" */
    const char *pladis_branches;
    double pladis_temperature; /**< 0: entmax; above: softmax(z / temperature) in its place, for ablations */
    /** Begin at this picture, resized to the run's size (Lanczos), instead of noise; borrowed. NULL: none. */
    const struct pld_image *init_image;
    double strength; /**< part of the steps that are taken from there, (0, 1]; 0.75 */
    /** Redraw only where this picture is light (>= 128 of 255), keep the rest of init_image; borrowed. NULL:
     * all. */
    const struct pld_image *mask;
    /** Type of products in denoiser and autoencoder: "f32"; "bf16", whose operands are rounded to bfloat16
     * (sums, norms, time embedding, cross-attention and text encoders stay float32, or with amx are split in
     * two bfloat16 numbers, which is nearly float32), emulated where the CPU has no instruction for it;
     * "auto" or NULL: bf16 where the instruction set in force is amx, or avx512bf16 on other CPUs than
     * Intel's, which are faster at float32, else f32 */
    const char *dtype;
    /** No other prompt will follow: give the text encoders' memory back once this one is encoded. Another one
     *  may come all the same, and costs their packing again. false */
    bool release_text_encoders;
    const char *init_noise; /**< safetensors file with `latents_init` [1, C, h, w], or NULL */
    const char *dump;       /**< safetensors file to write what happened to, or NULL */
    bool dump_steps;        /**< the per-step tensors too */
    /** File for statistics of the conditional branch's attention rows, by site and head, or NULL: share of
     * exact zeros of alpha-entmax, entropies in nats. CSV when it ends in .csv, else JSON. Makes a run
     * slower. */
    const char *attention_statistics;
    pld_attention_maps *attention_maps; /**< to be gathered, or NULL */
    pld_profile *profile;               /**< where the time of every operator is noted, or NULL */
    /** The place of this picture in a series that the caller draws, from 0, and how many there are: handed on
     *  to `progress`, without influence on the picture. 0, 1 */
    int image, images;
    /** Shown after each network call that ends a step, on the thread that calls pld_generate: what the picture
     *  will about be, one pixel for a latent (an eighth of the size in Stable Diffusion), by a linear map of the
     *  latents to colours. The image is the library's and valid during the call. Costs nothing when NULL. */
    void (*preview)(void *user, const struct pld_image *image, int step, int steps);
    void *preview_user;
    /** Called on the thread that calls pld_generate. Return false to cancel. May be NULL. */
    bool (*progress)(void *user, const pld_progress *progress);
    void *progress_user;
    /** Checked before every operator, by an atomic read: non-zero cancels. May be set from another thread (by
     * an atomic store) or a signal handler. May be NULL. */
    const volatile int *cancel;
    /** The text in front of the prompt, not of the negative one, of models that were trained with one (SANA); "none";
     *  NULL: the model's own */
    const char *complex_instruction;
    /** Guidance scale that a guidance-distilled model is told (SANA-Sprint); other models take none. NaN: the model's own,
     * or a bare number among `guidance` */
    double distilled_guidance;
    /** What the text encoder of a model with a text conditioner (Anima) is given of a prompt without words: "nothing", as
     *  diffusers does, or "token", one of padding, as ComfyUI does; NULL: as the programs do from which the files come. */
    const char *empty_prompt;
    /** safetensors file with what the text encoders would make of the prompt, under the names of a dump: prompt_embeds
     *  [1, T, C] and, where the model has one, pooled_prompt_embeds [1, C]; with negative_ in front those of the negative
     *  prompt, which is encoded where they are missing. Models whose text encoder is not supported (FLUX.2 dev) need it.
     *  NULL: prompts are encoded */
    const char *prompt_embeds;
    /** No other picture will follow: give the denoiser's memory back before the picture is decoded. Another one may come all
     *  the same, and costs its packing again. 1: yes; 0 */
    int64_t release_denoiser;
} pld_generate_options;

PLD_API void pld_generate_options_init(pld_generate_options *options, size_t struct_size);

/** An 8-bit RGB picture, rows from the top. This struct never changes. */
typedef struct pld_image {
    int width, height;
    uint8_t *pixels; /**< [height, width, 3] */
} pld_image;

/** Free the pixels and empty the struct. */
PLD_API void pld_image_free(pld_image *image);

enum { PLD_MAX_STAGES = 16, PLD_MAX_VARIANTS = 16, PLD_VARIANT_NAME = 64 }; /* these never change */

/** Figures of one generation. */
typedef struct pld_report {
    size_t struct_size; /**< set by the caller to sizeof(pld_report) */
    int stage_count, variant_count;
    const char *stage_names[PLD_MAX_STAGES]; /**< [stage_count] "load", "text", "denoise", "decode" */
    double stage_seconds[PLD_MAX_STAGES];
    /** [variant_count] "pladis (lambda 2, alpha 1.5)", "softmax", and at how many sites each acts. */
    char variant_names[PLD_MAX_VARIANTS][PLD_VARIANT_NAME];
    int variant_sites[PLD_MAX_VARIANTS];
    int evaluations;            /**< network evaluations: rows of the batch summed over all calls */
    int calls;                  /**< calls of the network */
    uint64_t peak_memory_bytes; /**< high-water mark of the process */
    int width, height, steps;   /**< in force */
    double cfg_scale;           /**< in force */
    double strength;            /**< in force; 1 without init_image */
    char preset[32];            /**< in force; "" for none */
    char sampling_method[32];   /**< in force */
    char scheduler[32];         /**< in force */
    char spacing[32];           /**< in force; "" for samplers with timesteps of their own */
    char prediction_type[32];   /**< in force */
    char dtype[8];              /**< in force, "f32" or "bf16" */
    char guidance[256];         /**< in force, "cfg (scale 7.5), pag (scale 3, layers mid)" */
    uint64_t max_memory;        /**< the engine's budget in bytes, 0: none */
    uint64_t
        resident_bytes; /**< of the denoiser's packed weights, those that stay in memory; 0 where all do and there is no budget */
    uint64_t streamed_bytes;       /**< of the same, those that are read from the file for each call */
    double streaming_wait_seconds; /**< of all networks: how long they waited for weights from files */
} pld_report;

/** The model must outlive the session. */
PLD_API pld_status pld_session_create(pld_model *model, pld_session **session, pld_error *error);
PLD_API void pld_session_destroy(pld_session **session);

/** Draw one picture. `report` may be NULL. On failure `image` is empty. Plans and packed weights are kept in
 * the session, text states of the last prompts too, so a second picture begins at once. */
PLD_API pld_status pld_generate(pld_session *session, const pld_generate_options *options, pld_image *image,
                                pld_report *report, pld_error *error);

/** Say now what pld_generate would refuse before it draws: options that are wrong for the model or
 * contradict each other, files for dump and statistics that cannot be written. In `report` (may be NULL)
 * is what would be in force, size and steps among it. Takes no longer than a moment. */
PLD_API pld_status pld_generate_check(pld_session *session, const pld_generate_options *options,
                                      pld_report *report, pld_error *error);

/* ---- files and lists
 * --------------------------------------------------------------------------------------- */

/** Write a PNG, whole or not at all. `text` holds pairs key, value, …, NULL to store in it (or NULL). */
PLD_API pld_status pld_image_write_png(const pld_image *image, const char *path, const char *const *text,
                                       pld_error *error);
/** The same into memory; free `*bytes` with pld_bytes_free. */
PLD_API pld_status pld_image_encode_png(const pld_image *image, const char *const *text, uint8_t **bytes,
                                        size_t *size, pld_error *error);
PLD_API void pld_bytes_free(uint8_t **bytes);

/** Write a file, whole or not at all. A device, a pipe or an open descriptor ("/dev/stdout") is written
 * directly; waiting for its reader ends with PLD_ERROR_CANCELLED once `*cancel` (may be NULL) is set. */
PLD_API pld_status pld_bytes_write(const void *bytes, size_t size, const char *path,
                                   const volatile int *cancel, pld_error *error);

/** Whether a file can be written at `path`: to be asked before the work whose result shall go there.
 * Leaves nothing behind. `target` [size] (or NULL) gets the absolute path behind all links,
 * "/proc/self/fd/N" for an open descriptor: outputs of the same target would overwrite each other. */
PLD_API pld_status pld_output_check(const char *path, char *target, size_t size, pld_error *error);

/** Read any PNG as 8-bit RGB: grey and palettes expanded, 16 bits reduced, transparency over black dropped, and
 * turned as its EXIF or XMP orientation says. Free the picture with pld_image_free. */
PLD_API pld_status pld_image_read_png(const char *path, pld_image *image, pld_error *error);
/** The same with the PNG's texts, and a UserComment of EXIF, as pairs key, value, …, NULL in UTF-8, freed with
 * pld_text_free. A text that is damaged or too long is left out, and `error` tells of the first one beside
 * PLD_OK; its status is PLD_OK where none is. */
PLD_API pld_status pld_image_read_described(const char *path, pld_image *image, char ***text,
                                            pld_error *error);
/** Both from the `size` bytes of a PNG in memory; `name` stands for it in messages. */
PLD_API pld_status pld_image_decode_png(const void *bytes, size_t size, const char *name, pld_image *image,
                                        pld_error *error);
PLD_API pld_status pld_image_decode_described(const void *bytes, size_t size, const char *name,
                                              pld_image *image, char ***text, pld_error *error);
PLD_API void pld_text_free(char ***text);

/** `size` bytes of a text file that a person may have written (prompts, JSON) as UTF-8: UTF-16 and UTF-32 are
 * known by their byte order mark and converted, marks at the beginning of the text and of its lines are left
 * out, line ends of any system become '\n'. PLD_ERROR_FORMAT, with `name` standing for the file, for a zero
 * byte and for what is not in the form that its mark says. `*text` has a zero byte behind its `*length` bytes;
 * free it with pld_plain_text_free. */
PLD_API pld_status pld_plain_text_decode(const void *bytes, size_t size, const char *name, char **text,
                                         size_t *length, pld_error *error);
PLD_API void pld_plain_text_free(char **text);

typedef enum pld_list_kind {
    PLD_LIST_SAMPLERS,
    PLD_LIST_SCHEDULERS, /**< sigma schedules */
    PLD_LIST_SPACINGS,
    PLD_LIST_GUIDANCE,
    PLD_LIST_VARIANTS, /**< attention variants */
    PLD_LIST_FAMILIES,
    PLD_LIST_PRESETS,
    PLD_LIST_ISA
} pld_list_kind;

/** Entry `index` of a registry: false past the end. ISA levels this CPU lacks say so in their description. */
PLD_API bool pld_list(pld_list_kind kind, size_t index, const char **name, const char **description);

#ifdef __cplusplus
}
#endif
#endif

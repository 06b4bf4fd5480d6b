# SPDX-License-Identifier: Apache-2.0
"""Structs and constants of the public headers, made by tools/python_structs.py; change those."""
from ctypes import (POINTER, Structure, c_bool, c_char, c_char_p, c_double, c_float, c_int, c_int32, c_int64, c_size_t, c_uint8, c_uint64,
                    c_void_p)

PLD_OK = 0
PLD_ERROR_ARGUMENT = 1
PLD_ERROR_MEMORY = 2
PLD_ERROR_IO = 3
PLD_ERROR_FORMAT = 4
PLD_ERROR_UNSUPPORTED = 5
PLD_ERROR_MISSING = 6
PLD_ERROR_NUMERIC = 7
PLD_ERROR_CANCELLED = 8
PLD_ERROR_INTERNAL = 9
PLD_ERROR_MESSAGE_SIZE = 1024
PLD_LOG_WARNING = 0
PLD_LOG_NOTICE = 1
PLD_LOG_DETAIL = 2
PLD_ROWS_SOFTMAX = 0
PLD_ROWS_PLADIS = 1
PLD_ROWS_IDENTITY = 2
PLD_ROWS_TEMPERED = 3
PLD_GUIDANCE_NUMBER = 0
PLD_GUIDANCE_INTEGER = 1
PLD_GUIDANCE_LAYERS = 2
PLD_PROFILE_STAGE = 0
PLD_PROFILE_NETWORK = 1
PLD_PROFILE_PREPARE = 2
PLD_PROFILE_OPERATOR = 3
PLD_PROFILE_NAME = 96
PLD_PROFILE_WORD = 32
PLD_PROFILE_BY_KIND = 0
PLD_PROFILE_BY_LAYER = 1
PLD_PROFILE_BY_SHAPE = 2
PLD_ANY = -1
PLD_MAX_THINGS_WANTED = 4
PLD_MAX_THINGS_SEEN = 16
PLD_WORLD_SHAPES = 0
PLD_WORLD_COLOURS = 1
PLD_WORLD_BACKGROUNDS = 2
PLD_WORLD_SIZES = 3
PLD_WORLD_RELATIONS = 4
PLD_WORLD_CATEGORIES = 5
PLD_WORLD_ASPECTS = 6
PLD_CATEGORY_SINGLE_OBJECT = 0
PLD_CATEGORY_TWO_OBJECTS = 1
PLD_CATEGORY_COUNTING = 2
PLD_CATEGORY_COLORS = 3
PLD_CATEGORY_POSITION = 4
PLD_CATEGORY_COLOR_ATTR = 5
PLD_CATEGORY_COUNT = 6
PLD_ASPECT_COUNT_OF_THINGS = 0
PLD_ASPECT_BACKGROUND = 1
PLD_ASPECT_SHAPE = 2
PLD_ASPECT_COLOUR = 3
PLD_ASPECT_BINDING = 4
PLD_ASPECT_SIZE = 5
PLD_ASPECT_POSITION = 6
PLD_ASPECT_ALL = 7
PLD_ASPECT_COUNT = 8
PLD_MAX_STAGES = 16
PLD_MAX_VARIANTS = 16
PLD_VARIANT_NAME = 64
PLD_LIST_SAMPLERS = 0
PLD_LIST_SCHEDULERS = 1
PLD_LIST_SPACINGS = 2
PLD_LIST_GUIDANCE = 3
PLD_LIST_VARIANTS = 4
PLD_LIST_FAMILIES = 5
PLD_LIST_PRESETS = 6
PLD_LIST_ISA = 7
PLD_OPTION_FLAG = 0
PLD_OPTION_INTEGER = 1
PLD_OPTION_NUMBER = 2
PLD_OPTION_TEXT = 3
PLD_OPTION_CHOICE = 4
PLD_OPTION_PAIR = 5
PLD_OPTION_NUMBERS = 6
PLD_OPTION_TEXTS = 7
PLD_OPTION_SIZE = 8
PLD_OPTION_HABIT = 64
PLD_OPTION_MISSING = 65
PLD_REMOTE_NEVER = 0
PLD_REMOTE_VALUE = 1
PLD_REMOTE_NAME = 2
PLD_REMOTE_UPLOAD = 3
PLD_OPTIONS_ALL = 0
PLD_OPTIONS_OF_PICTURE = 1
PLD_OPTIONS_REMOTE = 2


class pld_error(Structure):
    _fields_ = [
        ("status", c_int),
        ("message", c_char * 1024),
    ]


class pld_attention_problem(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("batch", c_int),
        ("heads", c_int),
        ("key_heads", c_int),
        ("head_size", c_int),
        ("bf16", c_bool),
        ("causal", c_bool),
        ("query_count", c_int64),
        ("key_count", c_int64),
        ("query", POINTER(c_float)),
        ("query_batch_stride", c_int64),
        ("query_token_stride", c_int64),
        ("query_head_stride", c_int64),
        ("key", POINTER(c_float)),
        ("key_batch_stride", c_int64),
        ("key_token_stride", c_int64),
        ("key_head_stride", c_int64),
        ("value", POINTER(c_float)),
        ("value_batch_stride", c_int64),
        ("value_token_stride", c_int64),
        ("value_head_stride", c_int64),
        ("out", POINTER(c_float)),
        ("out_batch_stride", c_int64),
        ("out_token_stride", c_int64),
        ("out_head_stride", c_int64),
        ("key_mask", POINTER(c_uint8)),
        ("key_mask_batch_stride", c_int64),
        ("bias", POINTER(c_float)),
        ("bias_batch_stride", c_int64),
        ("bias_head_stride", c_int64),
        ("bias_query_stride", c_int64),
        ("soft_cap", c_float),
        ("scale", c_float),
        ("rows", c_int),
        ("lambda", c_float),
        ("alpha", c_float),
        ("temperature", c_float),
        ("joint_text_keys", c_int64),
        ("joint_first_text_key", c_int64),
        ("joint_first_image_query", c_int64),
        ("joint_image_queries", c_int64),
        ("zero_keys", c_int64),
        ("window", c_int64),
    ]


class pld_attention_parallel(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("threads", c_int),
        ("parallel_for", c_void_p),
        ("user", c_void_p),
        ("loop", c_void_p),
    ]


class pld_attention_maps_options(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("words", c_char_p),
        ("blocks", c_char_p),
        ("start", c_double),
        ("end", c_double),
    ]


class pld_attention_map(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("word", c_char_p),
        ("tokens", c_int),
        ("width", c_int),
        ("height", c_int),
        ("dense", POINTER(c_float)),
        ("sparse", POINTER(c_float)),
    ]


class pld_guidance_key(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("kind", c_int),
        ("takes_infinity", c_bool),
        ("fallback", c_double),
        ("minimum", c_double),
        ("maximum", c_double),
        ("fallback_text", c_char_p),
        ("help", c_char_p),
    ]


class pld_guidance_info(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("description", c_char_p),
        ("paper", c_char_p),
        ("evaluations", c_char_p),
        ("key_count", c_size_t),
    ]


class pld_profile_span(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("level", c_int),
        ("network", c_char * 32),
        ("kind", c_char * 32),
        ("name", c_char * 96),
        ("shape", c_char * 96),
        ("implementation", c_char * 32),
        ("begin", c_double),
        ("seconds", c_double),
        ("operations", c_double),
    ]


class pld_profile_row(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("network", c_char_p),
        ("kind", c_char_p),
        ("name", c_char_p),
        ("shape", c_char_p),
        ("implementation", c_char_p),
        ("count", c_size_t),
        ("seconds", c_double),
        ("operations", c_double),
    ]


class pld_profile_summary(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("rows", POINTER(c_void_p)),
        ("count", c_size_t),
    ]


class pld_caption(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("category", c_int),
        ("thing_count", c_int),
        ("relation", c_int),
        ("background", c_int),
        ("shapes", c_int * 4),
        ("colours", c_int * 4),
        ("sizes", c_int * 4),
    ]


class pld_scene(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("background", c_int),
        ("thing_count", c_int),
        ("shapes", c_int * 16),
        ("colours", c_int * 16),
        ("x", c_double * 16),
        ("y", c_double * 16),
        ("radii", c_double * 16),
        ("overlaps", c_double * 16),
    ]


class pld_engine_options(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("threads", c_int),
        ("isa", c_char_p),
        ("conv", c_char_p),
        ("low_memory", c_bool),
        ("log_level", c_int),
        ("log", c_void_p),
        ("log_user", c_void_p),
        ("max_memory", c_uint64),
    ]


class pld_model_options(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("random_weights", c_bool),
        ("config", c_char_p),
        ("unet", c_char_p),
        ("vae", c_char_p),
        ("tokenizer", c_char_p),
        ("vocabulary", c_char_p),
        ("vocabulary_dirs", POINTER(c_char_p)),
        ("vocabulary_dir_count", c_size_t),
        ("text_encoder", c_char_p),
        ("text_encoder_2", c_char_p),
        ("text_encoder_3", c_char_p),
    ]


class pld_model_part(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("kind", c_char_p),
        ("dtype", c_char_p),
        ("parameters", c_uint64),
        ("bytes", c_uint64),
        ("files", c_size_t),
    ]


class pld_attention_site(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("kind", c_char_p),
        ("heads", c_int),
        ("head_size", c_int),
    ]


class pld_lora(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("path", c_char_p),
        ("weight", c_double),
    ]


class pld_applied_lora(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("path", c_char_p),
        ("weight", c_double),
        ("style", c_char_p),
        ("kind", c_char_p),
        ("rank", c_int),
        ("module_count", c_size_t),
        ("applied_count", c_size_t),
        ("unmatched", POINTER(c_char_p)),
        ("unmatched_count", c_size_t),
    ]


class pld_prompt_loras(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("prompt", c_char_p),
        ("loras", POINTER(c_void_p)),
        ("count", c_size_t),
    ]


class pld_model_info(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("path", c_char_p),
        ("layout", c_char_p),
        ("family", c_char_p),
        ("prediction_type", c_char_p),
        ("prediction_reason", c_char_p),
        ("scheduler", c_char_p),
        ("default_width", c_int),
        ("default_height", c_int),
        ("default_steps", c_int),
        ("default_cfg_scale", c_double),
        ("default_pladis_scale", c_double),
        ("default_preset", c_char_p),
        ("size_factor", c_int),
        ("latent_channels", c_int),
        ("positions", c_int),
        ("parts", POINTER(c_void_p)),
        ("part_count", c_size_t),
        ("sites", POINTER(c_void_p)),
        ("site_count", c_size_t),
        ("loras", POINTER(c_void_p)),
        ("lora_count", c_size_t),
        ("trained_words", POINTER(c_char_p)),
        ("trained_word_count", c_size_t),
    ]


class pld_lora_facts(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("style", c_char_p),
        ("kind", c_char_p),
        ("least_rank", c_int64),
        ("most_rank", c_int64),
        ("least_scale", c_double),
        ("most_scale", c_double),
        ("part_names", POINTER(c_char_p)),
        ("part_modules", POINTER(c_size_t)),
        ("part_count", c_size_t),
    ]


class pld_file_info(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("path", c_char_p),
        ("kind", c_char_p),
        ("title", c_char_p),
        ("family", c_char_p),
        ("layout", c_char_p),
        ("prediction_type", c_char_p),
        ("prediction_reason", c_char_p),
        ("parts", POINTER(c_void_p)),
        ("part_count", c_size_t),
        ("sites", POINTER(c_void_p)),
        ("site_count", c_size_t),
        ("lora", c_void_p),
        ("metadata", POINTER(c_char_p)),
        ("tags", POINTER(c_char_p)),
        ("tag_uses", POINTER(c_uint64)),
        ("tag_count", c_size_t),
        ("notes", POINTER(c_char_p)),
        ("note_count", c_size_t),
    ]


class pld_convert_options(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("layout", c_char_p),
        ("dtype", c_char_p),
        ("overwrite", c_bool),
        ("progress", c_void_p),
        ("progress_user", c_void_p),
        ("cancel", POINTER(c_int)),
    ]


class pld_token_chunk(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("count", c_size_t),
        ("ids", POINTER(c_int32)),
        ("pieces", POINTER(c_char_p)),
        ("weights", POINTER(c_float)),
    ]


class pld_tokenizer_tokens(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("chunks", POINTER(c_void_p)),
        ("chunk_count", c_size_t),
        ("dropped", POINTER(c_int32)),
        ("dropped_pieces", POINTER(c_char_p)),
        ("dropped_count", c_size_t),
        ("unseen", c_size_t),
    ]


class pld_tokens(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("tokenizers", POINTER(c_void_p)),
        ("count", c_size_t),
    ]


class pld_tokenize_options(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("literal", c_bool),
        ("positions", c_int),
        ("complex_instruction", c_char_p),
        ("vocabulary_dirs", POINTER(c_char_p)),
        ("vocabulary_dir_count", c_size_t),
    ]


class pld_progress(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("stage", c_char_p),
        ("image", c_int),
        ("images", c_int),
        ("step", c_int),
        ("steps", c_int),
        ("seconds", c_double),
        ("seconds_left", c_double),
    ]


class pld_generate_options(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("prompt", c_char_p),
        ("negative_prompt", c_char_p),
        ("literal_prompt", c_bool),
        ("clip_skip", c_int),
        ("max_tokens", c_int),
        ("width", c_int),
        ("height", c_int),
        ("original_width", c_int),
        ("original_height", c_int),
        ("crop_left", c_int),
        ("crop_top", c_int),
        ("target_width", c_int),
        ("target_height", c_int),
        ("preset", c_char_p),
        ("steps", c_int),
        ("cfg_scale", c_double),
        ("cfg_rescale", c_double),
        ("guidance", POINTER(c_char_p)),
        ("guidance_count", c_size_t),
        ("keep_neutral_guidance", c_bool),
        ("seed", c_int64),
        ("sampling_method", c_char_p),
        ("scheduler", c_char_p),
        ("spacing", c_char_p),
        ("prediction", c_char_p),
        ("timesteps", POINTER(c_double)),
        ("timestep_count", c_size_t),
        ("eta", c_double),
        ("shift", c_double),
        ("pladis_scale", c_double),
        ("pladis_alpha", c_double),
        ("pladis_blocks", c_char_p),
        ("pladis_start", c_double),
        ("pladis_end", c_double),
        ("pladis_sites", c_char_p),
        ("pladis_branches", c_char_p),
        ("pladis_temperature", c_double),
        ("init_image", c_void_p),
        ("strength", c_double),
        ("mask", c_void_p),
        ("dtype", c_char_p),
        ("release_text_encoders", c_bool),
        ("init_noise", c_char_p),
        ("dump", c_char_p),
        ("dump_steps", c_bool),
        ("attention_statistics", c_char_p),
        ("attention_maps", c_void_p),
        ("profile", c_void_p),
        ("image", c_int),
        ("images", c_int),
        ("preview", c_void_p),
        ("preview_user", c_void_p),
        ("progress", c_void_p),
        ("progress_user", c_void_p),
        ("cancel", POINTER(c_int)),
        ("complex_instruction", c_char_p),
        ("distilled_guidance", c_double),
        ("empty_prompt", c_char_p),
        ("prompt_embeds", c_char_p),
        ("release_denoiser", c_int64),
    ]


class pld_image(Structure):
    _fields_ = [
        ("width", c_int),
        ("height", c_int),
        ("pixels", POINTER(c_uint8)),
    ]


class pld_report(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("stage_count", c_int),
        ("variant_count", c_int),
        ("stage_names", c_char_p * 16),
        ("stage_seconds", c_double * 16),
        ("variant_names", (c_char * 64) * 16),
        ("variant_sites", c_int * 16),
        ("evaluations", c_int),
        ("calls", c_int),
        ("peak_memory_bytes", c_uint64),
        ("width", c_int),
        ("height", c_int),
        ("steps", c_int),
        ("cfg_scale", c_double),
        ("strength", c_double),
        ("preset", c_char * 32),
        ("sampling_method", c_char * 32),
        ("scheduler", c_char * 32),
        ("spacing", c_char * 32),
        ("prediction_type", c_char * 32),
        ("dtype", c_char * 8),
        ("guidance", c_char * 256),
        ("max_memory", c_uint64),
        ("resident_bytes", c_uint64),
        ("streamed_bytes", c_uint64),
        ("streaming_wait_seconds", c_double),
    ]


class pld_option(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("type", c_int),
        ("remote", c_int),
        ("name", c_char_p),
        ("aliases", c_char_p),
        ("letter", c_char),
        ("commands", c_char_p),
        ("group", c_char_p),
        ("argument", c_char_p),
        ("unit", c_char_p),
        ("help", c_char_p),
        ("details", c_char_p),
        ("fallback", c_char_p),
        ("otherwise", c_char_p),
        ("minimum", c_double),
        ("maximum", c_double),
        ("above_minimum", c_bool),
        ("value_is_optional", c_bool),
        ("of_picture", c_bool),
        ("is_file", c_bool),
        ("is_output", c_bool),
        ("is_prose", c_bool),
        ("separator", c_char),
        ("choices", c_char_p),
        ("list", c_char_p),
        ("list_kind", c_int),
        ("symbol", c_char_p),
        ("title", c_char_p),
    ]


class pld_option_value(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("is_set", c_bool),
        ("flag", c_bool),
        ("integer", c_int64),
        ("pair", c_int64 * 2),
        ("number", c_double),
        ("text", c_char_p),
        ("numbers", POINTER(c_double)),
        ("texts", POINTER(c_char_p)),
        ("count", c_size_t),
    ]


class pld_drawn_picture(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("options", c_void_p),
        ("report", c_void_p),
        ("prompt", c_char_p),
        ("seed", c_int64),
        ("pladis_scale", c_double),
        ("loras", POINTER(c_char_p)),
        ("lora_weights", POINTER(c_double)),
        ("lora_count", c_size_t),
    ]


class pld_drawn_with(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("model", c_char_p),
        ("isa", c_char_p),
        ("threads", c_int64),
    ]


class pld_metadata(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("settings", c_char_p),
        ("program", c_char_p),
        ("left_out", POINTER(c_char_p)),
        ("left_out_count", c_size_t),
    ]

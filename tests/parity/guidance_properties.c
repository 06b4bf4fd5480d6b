/* SPDX-License-Identifier: Apache-2.0 */
/** Properties that any method of guidance must have. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "guidance.h"

/** SD 1.5, and the cases whose prompts are drawn. */
typedef struct bench {
    drawing drawing;
    parity_case cases;
    int steps; /* of the cases; a test may change it */
} bench;

static void bench_open(bench *b, const char *model) {
    case_open_table("guidance", "cases.json", "cases.safetensors", &b->cases);
    b->steps = (int)json_field(b->cases.info, "steps", 0);
    drawing_open(&b->drawing, reference_path(reference_tree(), "models/%s", model));
}

static void bench_close(bench *b) {
    drawing_close(&b->drawing);
    case_close(&b->cases);
}

/** Latents of a run with these guidance texts. Free with pld_free. */
static float *latents_with(bench *b, const char *const *texts, size_t count, bool keep_neutral,
                           const char *sampler, pld_report *report, size_t *floats) {
    pld_generate_options o;
    parity_case dump;
    guidance_options(b->cases.info, &o);
    o.steps = b->steps;
    o.pladis_scale = 2;
    o.guidance = texts;
    o.guidance_count = count;
    o.sampling_method = sampler;
    o.keep_neutral_guidance = keep_neutral;
    drawing_make(&b->drawing, &o, NULL, report, &dump);
    float *latents = case_values(&dump, "latents", floats);
    case_close(&dump);
    return latents;
}

/** At its neutral value a method is left out; made to run all the same it changes nothing but rounding. */
void neutral_values_change_nothing(void **state) {
    (void)state;
    static const struct {
        const char *text, *plain;
        int evaluations; /* a step, when it is made to run */
    } rows[] = {
        {"pag:scale=0", NULL, 3},
        {"seg:scale=0,sigma=2", NULL, 3},
        {"rescale:phi=0", NULL, 2},
        {"interval:start=0,end=1", NULL, 2},
        {"freeu:b1=1,b2=1,s1=1,s2=1", NULL, 2},
        {"nag:scale=1", NULL, 2},
        {"nag:alpha=0", NULL, 2},
        {"apg:eta=1,norm=0,momentum=0", NULL, 2},
        {"cfg:scale=1", "none", 2},
    };
    bench b;
    pld_report report;
    size_t count = 0;
    bench_open(&b, "sd15");
    float *plain = latents_with(&b, NULL, 0, false, "euler", &report, &count);
    int evaluations = report.evaluations;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].plain) { /* the last row */
            pld_free(plain);
            plain = latents_with(&b, &rows[i].plain, 1, false, "euler", &report, &count);
            evaluations = report.evaluations;
        }
        float *dropped = latents_with(&b, &rows[i].text, 1, false, "euler", &report, &count);
        assert_memory_equal(plain, dropped, count * sizeof *plain);
        assert_int_equal(report.evaluations, evaluations);
        float *forced = latents_with(&b, &rows[i].text, 1, true, "euler", &report, &count);
        check_error(rows[i].text, "neutral", relative_error(forced, plain, count), 1e-5);
        assert_int_equal(report.evaluations, b.steps * rows[i].evaluations);
        pld_free(dropped);
        pld_free(forced);
    }
    pld_free(plain);
    bench_close(&b);
}

/** At its defaults every method but the one that leaves out blocks of a transformer, which a U-Net does not have, moves the
 * final latents by at least 0.1 %, a thousand times the error of a run. PAG and SEG move these least: the middle of this network has two tokens. */
void defaults_act(void **state) {
    (void)state;
    bench b;
    pld_report report;
    size_t count = 0;
    bench_open(&b, "sd15");
    b.steps = 10; /* so that the interval's default leaves out some that matter */
    float *plain = latents_with(&b, NULL, 0, false, "euler", &report, &count);
    pld_guidance_info info = {.struct_size = sizeof info};
    for (size_t i = 0; pld_guidance_describe(i, &info); i++) {
        if (strcmp(info.name, "slg") == 0) {
            continue;
        }
        float *found = latents_with(&b, &info.name, 1, false, "euler", &report, &count);
        const double change = relative_error(found, plain, count);
        printf("change %-12s %.3f of the latents\n", info.name, change);
        if (strcmp(info.name, "cfg") == 0) { /* it is what runs by default */
            assert_true(change == 0);
        } else {
            assert_true(change > 0.001);
        }
        pld_free(found);
    }
    pld_free(plain);
    bench_close(&b);
}

/** Guidance texts that are refused, with `expected` in the message. */
static void refuse(bench *b, const char *first, const char *second, const char *sampler,
                   const char *expected) {
    const char *texts[] = {first, second};
    pld_generate_options o;
    guidance_options(b->cases.info, &o);
    o.guidance = texts;
    o.guidance_count = second ? 2 : 1;
    o.sampling_method = sampler;
    check_refused(&b->drawing, &o, first, expected);
}

void refusals_of_guidance(void **state) {
    (void)state;
    bench b;
    bench_open(&b, "sd15");
    refuse(&b, "pag:layers=", NULL, "euler", "pag: layers: expected block kinds");
    refuse(&b, "pag:layers=mid+", NULL, "euler", "pag: layers: expected block kinds");
    refuse(&b, "pag:layers=down_blocks.9", NULL, "euler", "matches no self-attention");
    refuse(&b, "nag:layers=mid_block.attentions.0.transformer_blocks.0.attn1", NULL, "euler",
           "matches no cross-attention");
    refuse(&b, "pag", "pag:layers=up", "euler", "given twice");
    refuse(&b, "apg", "cfg-zero", "euler", "choose one of them");
    refuse(&b, "none", "rescale", "euler", "no guided prediction");
    refuse(&b, "none", "interval", "euler", "no guided prediction");
    refuse(&b, "apg:scale=1", NULL, "euler", "needs a scale above 1");
    refuse(&b, "interval:start=0.6,end=0.6", NULL, "euler", "start must be below end");
    refuse(&b, "cfg++", NULL, "heun", "use one of ddim");
    refuse(&b, "slg", NULL, "euler", "this model has no blocks that can be left out");
    refuse(&b, "swg", NULL, "euler", "the known methods are none, cfg");
    refuse(&b, "pag:strength=3", NULL, "euler", "its options are scale, layers");
    refuse(&b, "none:scale=3", NULL, "euler", "it has none");
    refuse(&b, "seg:sigma=nan", NULL, "euler", "from 0.01 to 9999 or inf");
    refuse(&b, "pag:scale=inf", NULL, "euler", "from 0 to 100");
    refuse(&b, "cfg-zero:steps=1.5", NULL, "euler", "a whole number");
    refuse(&b, "pag:scale=1,scale=2", NULL, "euler", "found a second");
    refuse(&b, "pag:scale", NULL, "euler", "'=' and a value");
    refuse(&b, "pag,seg", NULL, "euler", "unknown method");
    refuse(&b, "", NULL, "euler", "unknown method");
    bench_close(&b);
}

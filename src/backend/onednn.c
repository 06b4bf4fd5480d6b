/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/onednn.h"

#include <dnnl.h>
#include <string.h>

#include "core/memory.h"

struct pld_onednn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
};

struct pld_onednn_primitive {
    pld_onednn_problem problem;
    dnnl_primitive_desc_t description;
    dnnl_primitive_t primitive;
    const char *implementation;
    dnnl_memory_desc_t x, plain, packed, bias, out, scratch; /* owned by value */
    dnnl_memory_t memories[5]; /* x, packed, bias, out, scratch: handles set a run */
};

enum { X, PACKED, BIAS, OUT, SCRATCH };

static pld_status fail(pld_error *error, dnnl_status_t status, const char *what, const char *name) {
    if (status == dnnl_out_of_memory) {
        return pld_fail(error, PLD_ERROR_MEMORY, "oneDNN: no memory to %s '%s'", what, name);
    }
    return pld_fail(error, PLD_ERROR_INTERNAL, "oneDNN: cannot %s '%s' (status %d)", what, name, (int)status);
}

pld_status pld_onednn_create(pld_onednn **dnn, pld_error *error) {
    *dnn = NULL;
    pld_onednn *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, "oneDNN");
    }
    dnnl_status_t status = dnnl_engine_create(&made->engine, dnnl_cpu, 0);
    if (status == dnnl_success) {
        status = dnnl_stream_create(&made->stream, made->engine, dnnl_stream_default_flags);
    }
    if (status != dnnl_success) {
        pld_onednn_destroy(&made);
        return fail(error, status, "start", "the CPU engine");
    }
    *dnn = made;
    return PLD_OK;
}

void pld_onednn_destroy(pld_onednn **dnn) {
    if (*dnn) {
        if ((*dnn)->stream) {
            dnnl_stream_destroy((*dnn)->stream);
        }
        if ((*dnn)->engine) {
            dnnl_engine_destroy((*dnn)->engine);
        }
        pld_free(*dnn);
        *dnn = NULL;
    }
}

static dnnl_status_t describe(dnnl_memory_desc_t *desc, int rank, const int64_t *shape,
                              dnnl_format_tag_t tag) {
    dnnl_dims_t dims = {0};
    memcpy(dims, shape, (size_t)rank * sizeof *shape);
    return dnnl_memory_desc_init_by_tag(desc, rank, dims, dnnl_f32, tag);
}

/** Memory descriptors of x, plain and wanted weights, bias and out. */
static dnnl_status_t describe_all(pld_onednn_primitive *made, dnnl_memory_desc_t *wanted) {
    const pld_onednn_problem *p = &made->problem;
    const int64_t rows = p->batch * p->height * p->width;
    bool linear = p->kernel == 0;
    struct {
        dnnl_memory_desc_t *desc;
        int rank;
        int64_t shape[4];
        dnnl_format_tag_t tag;
    } const list[] = {
        {&made->x,
         linear ? 2 : 4,
         {linear ? rows : p->batch, p->in_channels, p->height, p->width},
         linear ? dnnl_ab : dnnl_nhwc},
        {&made->out,
         linear ? 2 : 4,
         {linear ? rows : p->batch, p->out_channels, p->out_height, p->out_width},
         linear ? dnnl_ab : dnnl_nhwc},
        /* a linear weight is stored [N, C]; oneDNN's matmul names it [C, N] with the first axis fastest */
        {&made->plain,
         linear ? 2 : 4,
         {linear ? p->in_channels : p->out_channels, linear ? p->out_channels : p->in_channels, p->kernel,
          p->kernel},
         linear ? dnnl_ba : dnnl_oihw},
        {wanted,
         linear ? 2 : 4,
         {linear ? p->in_channels : p->out_channels, linear ? p->out_channels : p->in_channels, p->kernel,
          p->kernel},
         dnnl_format_tag_any},
        {&made->bias,
         linear ? 2 : 1,
         {linear ? 1 : p->out_channels, p->out_channels},
         linear ? dnnl_ab : dnnl_a},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        dnnl_status_t status = describe(list[i].desc, list[i].rank, list[i].shape, list[i].tag);
        if (status != dnnl_success) {
            return status;
        }
    }
    return dnnl_success;
}

static dnnl_status_t make_attributes(const pld_onednn_problem *p, dnnl_primitive_attr_t *attributes) {
    dnnl_status_t status = dnnl_primitive_attr_create(attributes);
    if (status == dnnl_success) {
        status = dnnl_primitive_attr_set_scratchpad_mode(*attributes, dnnl_scratchpad_mode_user);
    }
    dnnl_post_ops_t post = NULL;
    if (status == dnnl_success && p->accumulate) {
        status = dnnl_post_ops_create(&post);
        if (status == dnnl_success) {
            status = dnnl_post_ops_append_sum(post, 1.0F);
        }
        if (status == dnnl_success) {
            status = dnnl_primitive_attr_set_post_ops(*attributes, post);
        }
        if (post) {
            dnnl_post_ops_destroy(post);
        }
    }
    return status;
}

/** The primitive descriptor with the weights' layout left to oneDNN. */
static dnnl_status_t make_description(pld_onednn *dnn, pld_onednn_primitive *made,
                                      const dnnl_memory_desc_t *wanted,
                                      const_dnnl_primitive_attr_t attributes) {
    const pld_onednn_problem *p = &made->problem;
    const dnnl_memory_desc_t *bias = p->bias ? &made->bias : NULL;
    dnnl_status_t status;
    if (p->kernel == 0) {
        dnnl_matmul_desc_t matmul;
        status = dnnl_matmul_desc_init(&matmul, &made->x, wanted, bias, &made->out);
        return status != dnnl_success
                   ? status
                   : dnnl_primitive_desc_create(&made->description, &matmul, attributes, dnn->engine, NULL);
    }
    dnnl_dims_t strides = {p->stride, p->stride};
    dnnl_dims_t before = {p->pad_before, p->pad_before};
    dnnl_dims_t after = {p->pad_after, p->pad_after};
    dnnl_convolution_desc_t convolution;
    status = dnnl_convolution_forward_desc_init(&convolution, dnnl_forward_inference, dnnl_convolution_direct,
                                                &made->x, wanted, bias, &made->out, strides, before, after);
    return status != dnnl_success
               ? status
               : dnnl_primitive_desc_create(&made->description, &convolution, attributes, dnn->engine, NULL);
}

/** Memory objects without data; a run gives them their addresses. */
static dnnl_status_t make_memories(pld_onednn *dnn, pld_onednn_primitive *made) {
    const dnnl_memory_desc_t *descs[5] = {&made->x, &made->packed, &made->bias, &made->out, &made->scratch};
    for (int i = 0; i < 5; i++) {
        dnnl_status_t status =
            dnnl_memory_create(&made->memories[i], descs[i], dnn->engine, DNNL_MEMORY_NONE);
        if (status != dnnl_success) {
            return status;
        }
    }
    return dnnl_success;
}

static dnnl_status_t build(pld_onednn *dnn, pld_onednn_primitive *made) {
    dnnl_memory_desc_t wanted;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_status_t status = describe_all(made, &wanted);
    if (status == dnnl_success) {
        status = make_attributes(&made->problem, &attributes);
    }
    if (status == dnnl_success) {
        status = make_description(dnn, made, &wanted, attributes);
    }
    if (attributes) {
        dnnl_primitive_attr_destroy(attributes);
    }
    if (status == dnnl_success) {
        status = dnnl_primitive_create(&made->primitive, made->description);
    }
    if (status != dnnl_success) {
        return status;
    }
    made->packed = *dnnl_primitive_desc_query_md(made->description, dnnl_query_weights_md, 0);
    made->scratch = *dnnl_primitive_desc_query_md(made->description, dnnl_query_scratchpad_md, 0);
    status = dnnl_primitive_desc_query(made->description, dnnl_query_impl_info_str, 0,
                                       (void *)&made->implementation);
    return status == dnnl_success ? make_memories(dnn, made) : status;
}

/** oneDNN falls back to a reference loop, a thousand times slower, without a word: better to hear of it. */
static bool is_reference(const pld_onednn_primitive *made) {
    const pld_onednn_problem *p = &made->problem;
    double work = (double)p->batch * (double)(p->out_height * p->out_width) *
                  (double)(p->in_channels * p->out_channels);
    return strncmp(made->implementation, "ref", 3) == 0 && work > 1e7;
}

pld_status pld_onednn_prepare(pld_onednn *dnn, const pld_onednn_problem *problem, const char *name,
                              pld_onednn_primitive **primitive, pld_error *error) {
    *primitive = NULL;
    pld_onednn_primitive *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, name);
    }
    made->problem = *problem;
    dnnl_status_t status = build(dnn, made);
    if (status != dnnl_success) {
        pld_onednn_primitive_destroy(&made);
        return fail(error, status, "prepare", name);
    }
    if (is_reference(made)) {
        pld_onednn_primitive_destroy(&made);
        return pld_fail(error, PLD_ERROR_INTERNAL, "oneDNN has only a reference implementation for '%s'",
                        name);
    }
    *primitive = made;
    return PLD_OK;
}

void pld_onednn_primitive_destroy(pld_onednn_primitive **primitive) {
    pld_onednn_primitive *made = *primitive;
    if (!made) {
        return;
    }
    for (int i = 0; i < 5; i++) {
        if (made->memories[i]) {
            dnnl_memory_destroy(made->memories[i]);
        }
    }
    if (made->primitive) {
        dnnl_primitive_destroy(made->primitive);
    }
    if (made->description) {
        dnnl_primitive_desc_destroy(made->description);
    }
    pld_free(made);
    *primitive = NULL;
}

size_t pld_onednn_scratch_bytes(const pld_onednn_primitive *primitive) {
    return dnnl_memory_desc_get_size(&primitive->scratch);
}

size_t pld_onednn_packed_bytes(const pld_onednn_primitive *primitive) {
    return dnnl_memory_desc_get_size(&primitive->packed);
}

const char *pld_onednn_implementation(const pld_onednn_primitive *primitive) {
    return primitive->implementation;
}

const void *pld_onednn_layout(const pld_onednn_primitive *primitive, size_t *size) {
    *size = sizeof primitive->packed;
    return &primitive->packed;
}

pld_status pld_onednn_pack(pld_onednn *dnn, const pld_onednn_primitive *primitive, const float *plain,
                           void *packed, pld_error *error) {
    dnnl_memory_t from = NULL;
    dnnl_memory_t to = NULL;
    dnnl_primitive_desc_t description = NULL;
    dnnl_primitive_t reorder = NULL;
    /* oneDNN takes the source as void *, and only reads it */
    dnnl_status_t status =
        dnnl_memory_create(&from, &primitive->plain, dnn->engine, (void *)(uintptr_t)plain);
    if (status == dnnl_success) {
        status = dnnl_memory_create(&to, &primitive->packed, dnn->engine, packed);
    }
    if (status == dnnl_success) {
        status = dnnl_reorder_primitive_desc_create(&description, &primitive->plain, dnn->engine,
                                                    &primitive->packed, dnn->engine, NULL);
    }
    if (status == dnnl_success) {
        status = dnnl_primitive_create(&reorder, description);
    }
    if (status == dnnl_success) {
        dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
        status = dnnl_primitive_execute(reorder, dnn->stream, 2, arguments);
        dnnl_stream_wait(dnn->stream);
    }
    if (reorder) {
        dnnl_primitive_destroy(reorder);
    }
    if (description) {
        dnnl_primitive_desc_destroy(description);
    }
    if (from) {
        dnnl_memory_destroy(from);
    }
    if (to) {
        dnnl_memory_destroy(to);
    }
    return status == dnnl_success ? PLD_OK : fail(error, status, "pack", "a weight");
}

pld_status pld_onednn_run(pld_onednn *dnn, const pld_onednn_primitive *primitive, const float *x,
                          const void *packed, const float *bias, float *out, void *scratch,
                          pld_error *error) {
    void *const data[5] = {(void *)(uintptr_t)x, (void *)(uintptr_t)packed, (void *)(uintptr_t)bias, out,
                           scratch};
    static const int roles[5] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST,
                                 DNNL_ARG_SCRATCHPAD};
    dnnl_exec_arg_t arguments[5];
    int count = 0;
    for (int i = 0; i < 5; i++) {
        if (i == BIAS && !primitive->problem.bias) {
            continue;
        }
        dnnl_memory_set_data_handle(primitive->memories[i], data[i]);
        arguments[count++] = (dnnl_exec_arg_t){roles[i], primitive->memories[i]};
    }
    dnnl_status_t status = dnnl_primitive_execute(primitive->primitive, dnn->stream, count, arguments);
    dnnl_stream_wait(dnn->stream);
    return status == dnnl_success ? PLD_OK : fail(error, status, "run", primitive->implementation);
}

pld_status pld_onednn_multiply(size_t rows, size_t columns, size_t inner, float alpha, const float *a,
                               const float *b, float beta, float *out, pld_error *error) {
    dnnl_status_t status =
        dnnl_sgemm('N', 'N', (dnnl_dim_t)rows, (dnnl_dim_t)columns, (dnnl_dim_t)inner, alpha, a,
                   (dnnl_dim_t)inner, b, (dnnl_dim_t)columns, beta, out, (dnnl_dim_t)columns);
    return status == dnnl_success ? PLD_OK : fail(error, status, "multiply", "matrices");
}

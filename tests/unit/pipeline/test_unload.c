/* SPDX-License-Identifier: Apache-2.0 */
/** The library's threads end when it is unloaded, and are made anew when it is loaded again; exit() while another thread
 * computes comes to its end.
 * usage: test_unload LIBRARY */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "pladis/attention.h"

enum { HEADS = 4, SIZE = 16, QUERIES = 256, KEYS = 77, WIDTH = HEADS * SIZE, THREADS = 3 };

static const char *library_path;
static float query[QUERIES * WIDTH], key[KEYS * WIDTH], value[KEYS * WIDTH];

/** Threads of this process; as many as are wanted are waited for, for a while. */
static int tasks(int wanted) {
    int count = 0;
    for (int tries = 0; tries < 100; tries++) {
        DIR *folder = opendir("/proc/self/task");
        assert_non_null(folder);
        for (count = 0; readdir(folder);) {
            count++;
        }
        closedir(folder);
        count -= 2; /* . and .. */
        if (count == wanted) {
            break;
        }
        usleep(1000); /* a joined thread's entry stays for a moment */
    }
    return count;
}

static void *symbol(void *library, const char *name) {
    void *found = dlsym(library, name);
    assert_non_null(found);
    return found;
}

static void attend(void *library) {
    void (*init)(pld_attention_problem *, size_t);
    size_t (*scratch_size)(const pld_attention_problem *, int);
    pld_status (*attention)(const pld_attention_problem *, void *, size_t, const pld_attention_parallel *,
                            pld_error *);
    *(void **)&init = symbol(library, "pld_attention_problem_init");
    *(void **)&scratch_size = symbol(library, "pld_attention_scratch_size");
    *(void **)&attention = symbol(library, "pld_attention");
    pld_attention_problem problem;
    init(&problem, sizeof problem);
    problem.heads = HEADS, problem.head_size = SIZE, problem.query_count = QUERIES, problem.key_count = KEYS;
    problem.query = query, problem.query_token_stride = WIDTH, problem.query_head_stride = SIZE;
    problem.key = key, problem.key_token_stride = WIDTH, problem.key_head_stride = SIZE;
    problem.value = value, problem.value_token_stride = WIDTH, problem.value_head_stride = SIZE;
    float *out = calloc(QUERIES * WIDTH, sizeof *out);
    problem.out = out, problem.out_token_stride = WIDTH, problem.out_head_stride = SIZE;
    const pld_attention_parallel parallel = {.struct_size = sizeof parallel, .threads = THREADS};
    const size_t size = scratch_size(&problem, THREADS);
    void *scratch = malloc(size);
    assert_true(scratch && out);
    assert_int_equal(attention(&problem, scratch, size, &parallel, NULL), PLD_OK);
    free(scratch);
    free(out);
}

static void *load(void) {
    void *library = dlopen(library_path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    return library;
}

static void threads_end_with_the_library(void **state) {
    (void)state;
    const int before = tasks(1);
    for (int round = 0; round < 3; round++) {
        void *library = load();
        assert_int_equal(tasks(before), before); /* none before there is work */
        attend(library);
        assert_int_equal(tasks(before + THREADS - 1), before + THREADS - 1);
        assert_int_equal(dlclose(library), 0);
        assert_int_equal(tasks(before), before);
    }
}

static void *attend_for_ever(void *library) {
    while (library) {
        attend(library);
    }
    return NULL;
}

static void exit_ends_while_others_compute(void **state) {
    (void)state;
    for (int round = 0; round < 10; round++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            pthread_t other;
            alarm(30); /* a process that hangs is ended, and the test fails */
            void *library = load();
            if (pthread_create(&other, NULL, attend_for_ever, library) != 0) {
                _exit(1);
            }
            attend(library);
            usleep(1000 * (unsigned)round);
            exit(0);
        }
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
}

int main(int argc, char **argv) {
    library_path = argc > 1 ? argv[1] : "";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_end_with_the_library),
        cmocka_unit_test(exit_ends_while_others_compute),
    };
    return cmocka_run_group_tests_name("unload", tests, NULL, NULL);
}

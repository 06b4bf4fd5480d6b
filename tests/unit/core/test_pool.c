/* SPDX-License-Identifier: Apache-2.0 */
/** Loops on threads: each item once, numbers of threads that meet nobody's, nested loops, loops of several threads at
 * once, one budget, a thread that cannot be made, a child of fork, signals, rounding, a program's own loop. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/parallel.h"
#include "core/pool.h"

enum { THREADS = 4, ITEMS = 1000 };

typedef int thread_maker(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

/* That of a sanitizer, which must know of threads; NULL: there is none. */
extern thread_maker __interceptor_pthread_create __attribute__((weak));

/* Threads that may still be made; this definition stands before the C library's. */
static atomic_int allowed = 1 << 20;
static atomic_int asked;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *context) {
    thread_maker *real = __interceptor_pthread_create;
    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    }
    atomic_fetch_add(&asked, 1);
    return atomic_fetch_sub(&allowed, 1) > 0 ? real(thread, attributes, start, context) : EAGAIN;
}

static void wait_a_moment(long microseconds) {
    nanosleep(&(struct timespec){microseconds / 1000000, microseconds % 1000000 * 1000}, NULL);
}

typedef struct counts {
    atomic_int hits[ITEMS];
    atomic_int inside[THREADS]; /* calls that have a thread's number at this moment */
    atomic_int at_once, most, wrong;
    long wait;
    bool meet;  /* each range waits until as many run at once as there are threads */
    int nested; /* threads of a loop within */
} counts;

static void count_nested(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    atomic_fetch_add((atomic_int *)context, (int)(end - begin));
}

static void count_items(void *context, size_t begin, size_t end, int thread) {
    counts *c = context;
    atomic_fetch_add(&c->wrong,
                     thread < 0 || thread >= THREADS || atomic_fetch_add(&c->inside[thread], 1) != 0);
    const int now = atomic_fetch_add(&c->at_once, 1) + 1;
    int most = atomic_load(&c->most);
    while (now > most && !atomic_compare_exchange_weak(&c->most, &most, now)) {
    }
    for (size_t i = begin; i < end; i++) {
        atomic_fetch_add(&c->hits[i], 1);
    }
    if (c->wait) {
        wait_a_moment(c->wait);
    }
    for (int tries = 0; c->meet && atomic_load(&c->most) < THREADS && tries < 10000; tries++) {
        wait_a_moment(1000); /* until all are there, which a busy machine may take long for */
    }
    if (c->nested) {
        atomic_int within = 0;
        pld_parallel_for(c->nested, 100, count_nested, &within);
        atomic_fetch_add(&c->wrong, atomic_load(&within) != 100);
    }
    atomic_fetch_sub(&c->at_once, 1);
    atomic_fetch_sub(&c->inside[thread], 1);
}

/** Whether a loop of so many items did each once. */
static bool loop_is_right(counts *c, int threads, size_t items) {
    memset(c->hits, 0, sizeof c->hits);
    pld_parallel_for(threads, items, count_items, c);
    bool right = atomic_load(&c->wrong) == 0 && atomic_load(&c->at_once) == 0;
    for (size_t i = 0; i < ITEMS; i++) {
        right = right && c->hits[i] == (i < items);
    }
    return right;
}

static void each_item_is_done_once(void **state) {
    (void)state;
    counts c = {.wait = 0};
    for (size_t items = 0; items <= ITEMS; items += items < 70 ? 1 : 93) {
        for (int threads = 1; threads <= THREADS; threads++) {
            assert_true(loop_is_right(&c, threads, items));
        }
    }
}

static void several_threads_work_at_once(void **state) {
    (void)state;
    counts c = {.meet = true};
    assert_true(loop_is_right(&c, THREADS, ITEMS));
    assert_int_equal(atomic_load(&c.most), THREADS); /* as asked for, whatever the machine has */
}

static void loops_within_loops_end(void **state) {
    (void)state;
    for (int threads = 1; threads <= 2 * THREADS; threads++) {
        counts c = {.nested = threads};
        assert_true(loop_is_right(&c, THREADS, ITEMS));
    }
}

static void *run_loops(void *context) {
    for (int i = 0; i < 300; i++) {
        counts c = {.nested = i % 3};
        if (!loop_is_right(&c, 1 + i % THREADS, (size_t)(i * 7 % ITEMS))) {
            atomic_store((atomic_int *)context, 1);
        }
    }
    return NULL;
}

/** Callers of loops of their own, and no more threads in all than the most that one of them asks for has helpers. */
static void callers_share_one_budget(void **state) {
    (void)state;
    pthread_t callers[THREADS];
    atomic_int wrong = 0;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&callers[i], NULL, run_loops, &wrong), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(callers[i], NULL);
    }
    assert_int_equal(atomic_load(&wrong), 0);
    const int cores = pld_available_threads();
    assert_true(pld_pool_threads() < (cores > 2 * THREADS ? cores : 2 * THREADS));
}

static double seconds_of_process(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void idle_threads_sleep(void **state) {
    (void)state;
    counts c = {.wait = 0};
    assert_true(loop_is_right(&c, THREADS, ITEMS));
    wait_a_moment(20000);
    const double before = seconds_of_process();
    wait_a_moment(200000);
    assert_true(seconds_of_process() - before < 0.01);
}

/** In a process of its own: the first loop finds that no thread, or only one, can be made; the work is done. */
static void refused_threads_mean_fewer(void **state) {
    (void)state;
    for (int can_be_made = 0; can_be_made < 3; can_be_made++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            counts c = {.wait = 0};
            bool right = true;
            atomic_store(&allowed, can_be_made);
            atomic_store(&asked, 0);
            for (int i = 0; i < 500; i++) {
                right = right && loop_is_right(&c, THREADS, 100);
            }
            /* a refusal is not asked about again at each loop */
            right = right && pld_pool_threads() == can_be_made && atomic_load(&asked) == can_be_made + 1;
            atomic_store(&allowed, 1 << 20);
            for (int i = 0; i < 1000; i++) {
                right = right && loop_is_right(&c, THREADS, 100);
            }
            _exit(right && pld_pool_threads() == THREADS - 1 ? 0 : 1);
        }
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
}

static void *loop_until_told(void *context) {
    while (!atomic_load((atomic_int *)context)) {
        counts c = {.wait = 0};
        (void)loop_is_right(&c, THREADS, 200);
    }
    return NULL;
}

/** Forked while another thread is in loops, the child has threads of its own, and ends by exit as every program. */
static void child_of_fork_has_threads(void **state) {
    (void)state;
    pthread_t other;
    atomic_int told = 0;
    assert_int_equal(pthread_create(&other, NULL, loop_until_told, &told), 0);
    for (int i = 0; i < 20; i++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            counts c = {.wait = 100};
            const bool right = pld_pool_threads() == 0 && loop_is_right(&c, THREADS, ITEMS) &&
                               pld_pool_threads() == THREADS - 1; /* a busy machine may let few run at once */
            _exit(right ? 0 : 1);
        }
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    atomic_store(&told, 1);
    pthread_join(other, NULL);
    counts c = {.wait = 0};
    assert_true(loop_is_right(&c, THREADS, ITEMS));
}

static pthread_t main_thread;
static atomic_int signals, elsewhere;

static void note_signal(int number) {
    (void)number;
    atomic_fetch_add(&signals, 1);
    atomic_fetch_add(&elsewhere, !pthread_equal(pthread_self(), main_thread));
}

static void signal_itself(void *context, size_t begin, size_t end, int thread) {
    (void)begin;
    (void)end;
    (void)thread;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    const bool is_main = pthread_equal(pthread_self(), main_thread);
    atomic_fetch_add((atomic_int *)context, !is_main && !sigismember(&blocked, SIGUSR1));
    kill(getpid(), SIGUSR1);
    wait_a_moment(300);
}

static void signals_go_to_the_programs_threads(void **state) {
    (void)state;
    atomic_int wrong = 0;
    main_thread = pthread_self();
    struct sigaction former, action = {.sa_handler = note_signal};
    sigaction(SIGUSR1, &action, &former);
    pld_parallel_for(THREADS, 64, signal_itself, &wrong);
    sigaction(SIGUSR1, &former, NULL);
    assert_int_equal(atomic_load(&wrong), 0);
    assert_true(atomic_load(&signals) > 0);
    assert_int_equal(atomic_load(&elsewhere), 0);
}

static void note_rounding(void *context, size_t begin, size_t end, int thread) {
    (void)begin;
    (void)end;
    (void)thread;
    atomic_fetch_add((atomic_int *)context, fegetround() != FE_UPWARD);
    wait_a_moment(300);
}

static void helpers_round_as_their_caller(void **state) {
    (void)state;
    atomic_int wrong = 0;
    fesetround(FE_UPWARD);
    pld_parallel_for(THREADS, 64, note_rounding, &wrong);
    fesetround(FE_TONEAREST);
    assert_int_equal(atomic_load(&wrong), 0);
    counts c = {.wait = 0};
    assert_true(loop_is_right(&c, THREADS, ITEMS));
}

/** A program's loop: backwards, in pieces of its own, on one thread. */
static void go_backwards(void *user, int threads, size_t count, pld_parallel_body body, void *context) {
    *(int *)user += threads;
    for (size_t i = count; i > 0; i--) {
        body(context, i - 1, i, (int)(i % (size_t)threads));
    }
}

static void a_program_brings_its_own_loop(void **state) {
    (void)state;
    int used = 0;
    counts c = {.wait = 0};
    pld_set_parallel_loop(go_backwards, &used);
    assert_true(loop_is_right(&c, THREADS, ITEMS));
    assert_int_equal(used, THREADS);
    assert_true(loop_is_right(&c, THREADS, 2)); /* no more threads than items */
    assert_int_equal(used, THREADS + 2);
    assert_int_equal(atomic_load(&c.most), 1);
    pld_set_parallel_loop(NULL, NULL);
    assert_true(loop_is_right(&c, THREADS, ITEMS));
    assert_int_equal(used, THREADS + 2);
}

typedef struct member {
    void (*share)(void *data);
    void *data;
} member;

static void *be_a_member(void *given) {
    const member *m = given;
    m->share(m->data);
    return NULL;
}

/** What GOMP_parallel of an OpenMP runtime does: a team, of which the caller is one. */
static void parallel_region(void (*share)(void *data), void *data, unsigned threads, unsigned flags) {
    (void)flags;
    member all = {share, data};
    pthread_t team[THREADS];
    assert_in_range(threads, 1, THREADS);
    for (unsigned i = 1; i < threads; i++) {
        assert_int_equal(pthread_create(&team[i], NULL, be_a_member, &all), 0);
    }
    share(data);
    for (unsigned i = 1; i < threads; i++) {
        pthread_join(team[i], NULL);
    }
}

static void threads_of_openmp_compute(void **state) {
    (void)state;
    void (*region)(void (*share)(void *data), void *data, unsigned threads, unsigned flags) = parallel_region;
    void *address = NULL;
    memcpy(&address, &region, sizeof address);
    pld_set_parallel_loop(pld_openmp_loop, address);
    counts c = {.wait = 0};
    for (size_t items = 0; items <= ITEMS; items += items < 70 ? 7 : 193) {
        assert_true(loop_is_right(&c, THREADS, items));
    }
    counts together = {.meet = true};
    assert_true(loop_is_right(&together, THREADS, ITEMS));
    assert_int_equal(atomic_load(&together.most), THREADS);
    pld_set_parallel_loop(NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_is_done_once),
        cmocka_unit_test(several_threads_work_at_once),
        cmocka_unit_test(loops_within_loops_end),
        cmocka_unit_test(callers_share_one_budget),
        cmocka_unit_test(idle_threads_sleep),
        cmocka_unit_test(refused_threads_mean_fewer),
        cmocka_unit_test(child_of_fork_has_threads),
        cmocka_unit_test(signals_go_to_the_programs_threads),
        cmocka_unit_test(helpers_round_as_their_caller),
        cmocka_unit_test(a_program_brings_its_own_loop),
        cmocka_unit_test(threads_of_openmp_compute),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}

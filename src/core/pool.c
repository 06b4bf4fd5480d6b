/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "core/pool.h"

#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/parallel.h"

enum {
    MOST_WORKERS = 1024,
    STACK_BYTES = 1 << 20, /* bodies need a tenth of it; address space may be limited */
    SPINS = 200,           /* looks at what is waited for before sleeping: a few microseconds */
    PATIENCE = 1000        /* loops until a thread is asked for again after one was refused */
};

/** A loop in work, on its caller's stack. */
typedef struct loop {
    pld_parallel_body body;
    void *context;
    size_t count, ranges;
    int threads;
    fenv_t environment;     /* the caller's rounding: a range's result is the same whoever computes it */
    atomic_size_t next;     /* range to be taken */
    atomic_int helpers;     /* workers within */
    int joined;             /* numbers given out; guarded by the pool's mutex, as all below */
    bool open;              /* in the pool's list */
    struct loop *following; /* there */
} loop;

/* The one of the process: sessions that know nothing of each other share the cores. */
static struct pool {
    pthread_mutex_t mutex;
    pthread_cond_t work; /* a loop was opened, or all is over: workers wait for it */
    pthread_cond_t done; /* the last helper has left some loop: callers wait for it */
    bool begun;
    int cores;
    int workers, asleep, spinning;
    int patience; /* loops to come before another thread is asked for */
    loop *first;  /* of the open loops, the oldest */
    pthread_t threads[MOST_WORKERS];
    int waiting; /* callers that sleep until their helpers have left */
    /* these may be read without the mutex */
    atomic_uint opened; /* loops so far: what idle workers look at */
    atomic_int busy;    /* threads that compute, callers and workers */
    atomic_bool stopping;
} pool = {
    .mutex = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};

/** Loops that the thread is within, one in the other. */
static _Thread_local int depth;

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int budget_of(const loop *l) {
    return l->threads > pool.cores ? l->threads : pool.cores;
}

/** Take ranges until none is left; a worker stops early where it is one too many. */
static void work_on(loop *l, int thread) {
    while (thread == 0 || (atomic_load_explicit(&pool.busy, memory_order_relaxed) <= budget_of(l) &&
                           !atomic_load_explicit(&pool.stopping, memory_order_relaxed))) {
        const size_t range = atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed);
        if (range >= l->ranges) {
            break;
        }
        l->body(l->context, l->count * range / l->ranges, l->count * (range + 1) / l->ranges, thread);
    }
}

/** Nobody joins it any more. */
static void close_loop(loop *l) {
    loop **at = &pool.first;
    while (*at != l) {
        at = &(*at)->following;
    }
    *at = l->following;
    l->open = false;
}

/** The oldest open loop that another thread may join now. */
static loop *find_loop(void) {
    const int busy = atomic_load(&pool.busy);
    for (loop *l = pool.first; l; l = l->following) {
        if (busy < budget_of(l)) {
            return l;
        }
    }
    return NULL;
}

/** Help a loop; the mutex is held before and after. */
static void help(loop *l) {
    const int thread = ++l->joined;
    atomic_fetch_add(&l->helpers, 1);
    atomic_fetch_add(&pool.busy, 1);
    if (l->joined + 1 == l->threads) {
        close_loop(l);
    }
    pthread_mutex_unlock(&pool.mutex);
    depth++;
    fesetenv(&l->environment);
    work_on(l, thread);
    depth--;
    atomic_fetch_sub(&pool.busy, 1);
    const bool last = atomic_fetch_sub(&l->helpers, 1) == 1; /* from here on the loop may be gone */
    pthread_mutex_lock(&pool.mutex);
    if (last && pool.waiting > 0) {
        pthread_cond_broadcast(&pool.done);
    }
}

/** Until a loop is opened; the mutex is held before and after, not in between. */
static void wait_for_loop(void) {
    const unsigned seen = atomic_load(&pool.opened);
    pool.spinning++;
    pthread_mutex_unlock(&pool.mutex);
    for (int i = 0; i < SPINS && atomic_load_explicit(&pool.opened, memory_order_relaxed) == seen; i++) {
        pause_briefly();
    }
    pthread_mutex_lock(&pool.mutex);
    pool.spinning--;
    if (!find_loop() && !pool.stopping) {
        pool.asleep++;
        pthread_cond_wait(&pool.work, &pool.mutex);
        pool.asleep--;
    }
}

static void *be_worker(void *unused) {
    (void)unused;
    pthread_mutex_lock(&pool.mutex);
    while (!pool.stopping) {
        loop *l = find_loop();
        if (l) {
            help(l);
        } else {
            wait_for_loop();
        }
    }
    pthread_mutex_unlock(&pool.mutex);
    return NULL;
}

static void lock_before_fork(void) {
    pthread_mutex_lock(&pool.mutex);
}

static void unlock_after_fork(void) {
    pthread_mutex_unlock(&pool.mutex);
}

/** In the child the workers are not there, nor are other threads' loops. */
static void begin_anew(void) {
    pool.mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    pool.work = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    pool.done = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    pool.workers = pool.asleep = pool.spinning = pool.patience = pool.waiting = 0;
    pool.first = NULL;
    atomic_store(&pool.busy, depth > 0);
}

/** Once, and again where it failed: without the handlers there are no workers. */
static bool begin(void) {
    if (!pool.begun && pthread_atfork(lock_before_fork, unlock_after_fork, begin_anew) == 0) {
        pool.cores = pld_available_threads();
        pool.begun = true;
    }
    return pool.begun;
}

/** One more worker, which looks for work by itself. */
static bool make_worker(void) {
    if (pool.workers == MOST_WORKERS || pool.stopping || pool.patience > 0 || !begin()) {
        return false;
    }
    pthread_attr_t attributes;
    sigset_t all, former;
    bool made = false;
    if (pthread_attr_init(&attributes) == 0) {
        /* signals are for the program's own threads */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &former);
        pthread_attr_setstacksize(&attributes, STACK_BYTES);
        made = pthread_create(&pool.threads[pool.workers], &attributes, be_worker, NULL) == 0;
        pthread_sigmask(SIG_SETMASK, &former, NULL);
        pthread_attr_destroy(&attributes);
    }
    pool.workers += made;
    pool.patience = made ? 0 : PATIENCE;
    return made;
}

/** Let so many workers look for work; the mutex is held before, not after. */
static void wake(int wanted) {
    int asleep = pool.asleep;
    pthread_mutex_unlock(&pool.mutex);
    if (wanted > 1 && wanted >= asleep) {
        pthread_cond_broadcast(&pool.work);
        return;
    }
    for (; wanted > 0 && asleep > 0; wanted--, asleep--) {
        pthread_cond_signal(&pool.work);
    }
}

static void open_loop(loop *l) {
    pthread_mutex_lock(&pool.mutex);
    loop **at = &pool.first;
    while (*at) {
        at = &(*at)->following;
    }
    *at = l;
    l->open = true;
    atomic_fetch_add(&pool.opened, 1);
    pool.patience -= pool.patience > 0;
    const int room = budget_of(l) - atomic_load(&pool.busy);
    int wanted = (l->threads - 1 < room ? l->threads - 1 : room) - pool.spinning;
    int makes = wanted - pool.asleep;
    while (makes > 0 && pool.workers < budget_of(l) - 1 && make_worker()) {
        makes--;
        wanted--;
    }
    wake(wanted);
}

/** No more ranges: let nobody in, and wait for those within. */
static void finish_loop(loop *l, bool outermost) {
    pthread_mutex_lock(&pool.mutex);
    if (l->open) {
        close_loop(l);
    }
    /* another loop may have waited for the place in the budget */
    atomic_fetch_sub(&pool.busy, outermost);
    wake(outermost && pool.first ? 1 : 0);
    for (int i = 0; i < SPINS && atomic_load_explicit(&l->helpers, memory_order_acquire) > 0; i++) {
        pause_briefly();
    }
    if (atomic_load(&l->helpers) > 0) {
        pthread_mutex_lock(&pool.mutex);
        pool.waiting++;
        while (atomic_load(&l->helpers) > 0) {
            pthread_cond_wait(&pool.done, &pool.mutex);
        }
        pool.waiting--;
        pthread_mutex_unlock(&pool.mutex);
    }
}

void pld_pool_run(int threads, size_t count, size_t ranges, pld_parallel_body body, void *context) {
    loop l = {.body = body, .context = context, .count = count, .ranges = ranges, .threads = threads};
    const bool outermost = depth == 0;
    fegetenv(&l.environment);
    atomic_fetch_add(&pool.busy, outermost);
    depth++;
    open_loop(&l);
    work_on(&l, 0);
    finish_loop(&l, outermost);
    depth--;
}

int pld_pool_threads(void) {
    pthread_mutex_lock(&pool.mutex);
    const int workers = pool.workers;
    pthread_mutex_unlock(&pool.mutex);
    return workers;
}

/** The library is unloaded, or the process exits: whoever computes still goes on alone. */
__attribute__((destructor)) static void stop_workers(void) {
    pthread_mutex_lock(&pool.mutex);
    atomic_store(&pool.stopping, true);
    const int workers = pool.workers;
    pool.workers = 0;
    pthread_cond_broadcast(&pool.work);
    pthread_mutex_unlock(&pool.mutex);
    for (int i = 0; i < workers; i++) {
        if (!pthread_equal(pool.threads[i], pthread_self())) {
            pthread_join(pool.threads[i], NULL);
        }
    }
}

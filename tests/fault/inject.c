/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded before a program (LD_PRELOAD) it makes one allocation fail: every library's that the program
 * calls, jansson, zlib, libpng, PCRE2 and the C library's own; so is the making of a thread. Not counted is what
 * the dynamic linker asks for, which ends the process itself: its calls are known by the return address, and calls
 * of the C library by the frames above it.
 *
 * PLADIS_FAULT_AT=n: fail allocation n, counted from 0; with PLADIS_FAULT_ON=1 all after it, too.
 * PLADIS_FAULT_THREADS=n: no more than n threads can be made.
 * PLADIS_FAULT_RESULT=f: write to file f "count fired left", and without PLADIS_FAULT_AT the places, one a
 * line: for each way by which the program comes to an allocation (a stack of return addresses) the number of
 * the first one and a hash of the stack. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *memalign(size_t alignment, size_t size);
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

enum { MOST_RANGES = 64, FRAMES = 32, MOST_PLACES = 1 << 16, MOST_LIVE = 1 << 21 };

typedef struct range {
    uintptr_t begin, end;
} range;

static range outside[MOST_RANGES], objects[MOST_RANGES], system_library;
static int outside_count, object_count;
static bool ready, counting_places;
static long fail_at = -1, count, fired;
static bool fail_on;
static atomic_long threads_left = LONG_MAX;
static int (*make_thread)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
static atomic_flag lock = ATOMIC_FLAG_INIT;
static _Thread_local bool inside;

static uint64_t place_hashes[MOST_PLACES], place_order[MOST_PLACES];
static long place_numbers[MOST_PLACES], place_count;
static void *live[MOST_LIVE]; /* open addressing; allocations that were counted and are not freed */
static long live_count;

static bool in_range(const range *where, uintptr_t address) {
    return address >= where->begin && address < where->end;
}

static bool is_outside(uintptr_t address) {
    for (int i = 0; i < outside_count; i++) {
        if (in_range(&outside[i], address)) {
            return true;
        }
    }
    return false;
}

static int note_object(struct dl_phdr_info *object, size_t size, void *unused) {
    static const char *const names[] = {"ld-linux", "ld-musl", "libgcc_s", "inject"};
    (void)size;
    (void)unused;
    range whole = {UINTPTR_MAX, 0};
    for (int i = 0; i < object->dlpi_phnum; i++) {
        if (object->dlpi_phdr[i].p_type == PT_LOAD) {
            uintptr_t begin = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
            uintptr_t end = begin + object->dlpi_phdr[i].p_memsz;
            whole.begin = begin < whole.begin ? begin : whole.begin;
            whole.end = end > whole.end ? end : whole.end;
        }
    }
    if (object_count < MOST_RANGES) {
        objects[object_count++] = whole;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strstr(object->dlpi_name, names[i]) && outside_count < MOST_RANGES) {
            outside[outside_count++] = whole;
        }
    }
    if (strstr(object->dlpi_name, "libc.so")) {
        system_library = whole;
    }
    return 0;
}

static void take(void) {
    while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire)) {
    }
}

static void give(void) {
    atomic_flag_clear_explicit(&lock, memory_order_release);
}

static size_t live_slot(const void *memory) {
    size_t at = ((uintptr_t)memory >> 4) * UINT64_C(0x9e3779b97f4a7c15) % MOST_LIVE;
    while (live[at] && live[at] != memory) {
        at = (at + 1) % MOST_LIVE;
    }
    return at;
}

static void note_live(void *memory) {
    if (memory && live_count < MOST_LIVE / 2) {
        live[live_slot(memory)] = memory;
        live_count++;
    }
}

/** Take out of the table, moving up what follows. */
static void forget_live(const void *memory) {
    size_t at = live_slot(memory);
    if (!live[at]) {
        return;
    }
    live[at] = NULL;
    live_count--;
    for (at = (at + 1) % MOST_LIVE; live[at]; at = (at + 1) % MOST_LIVE) {
        void *moved = live[at];
        live[at] = NULL;
        live[live_slot(moved)] = moved;
    }
}

/** An address within its object: the same in every run, wherever objects are loaded. */
static uint64_t relative(uintptr_t address) {
    for (int i = 0; i < object_count; i++) {
        if (in_range(&objects[i], address)) {
            return (uint64_t)(address - objects[i].begin) ^ (uint64_t)(i + 1) << 48;
        }
    }
    return 0;
}

static void note_place(void *const *frames, int depth) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (int i = 0; i < depth; i++) {
        hash = (hash ^ relative((uintptr_t)frames[i])) * UINT64_C(1099511628211);
    }
    size_t at = hash % MOST_PLACES;
    while (place_hashes[at] && place_hashes[at] != hash) {
        at = (at + 1) % MOST_PLACES;
    }
    if (!place_hashes[at] && place_count < MOST_PLACES / 2) {
        place_hashes[at] = hash;
        place_order[place_count] = hash;
        place_numbers[place_count++] = count;
    }
}

enum verdict { UNCOUNTED, COUNTED, REFUSED };

/** What to do with an allocation that returns to `address`. */
static enum verdict judge(uintptr_t address) {
    if (!ready || inside || is_outside(address)) {
        return UNCOUNTED;
    }
    inside = true;
    void *frames[FRAMES];
    int depth = 0;
    const bool of_system = in_range(&system_library, address);
    if (of_system || counting_places) {
        depth = backtrace(frames, FRAMES);
    }
    bool counted = true;
    for (int i = 2; of_system && i < depth; i++) {
        const uintptr_t frame = (uintptr_t)frames[i];
        counted = counted && !is_outside(frame);
    }
    enum verdict verdict = UNCOUNTED;
    if (counted) {
        take();
        if (counting_places) {
            note_place(frames, depth);
        }
        const bool refused = fail_at >= 0 && (fail_on ? count >= fail_at : count == fail_at);
        fired += refused;
        count++;
        verdict = refused ? REFUSED : COUNTED;
        give();
    }
    inside = false;
    return verdict;
}

static void *made(enum verdict verdict, void *memory) {
    if (verdict == COUNTED) {
        take();
        note_live(memory);
        give();
    }
    return memory;
}

static void *no_memory(void) {
    errno = ENOMEM;
    return NULL;
}

#define JUDGE() judge((uintptr_t)__builtin_return_address(0))

void *malloc(size_t size) {
    enum verdict verdict = JUDGE();
    return verdict == REFUSED ? no_memory() : made(verdict, __libc_malloc(size));
}

void *calloc(size_t items, size_t size) {
    enum verdict verdict = JUDGE();
    return verdict == REFUSED ? no_memory() : made(verdict, __libc_calloc(items, size));
}

void *realloc(void *memory, size_t size) {
    enum verdict verdict = JUDGE();
    if (verdict == REFUSED) {
        return no_memory();
    }
    if (memory && ready) {
        take();
        forget_live(memory);
        give();
    }
    return made(verdict, __libc_realloc(memory, size));
}

void *memalign(size_t alignment, size_t size) {
    enum verdict verdict = JUDGE();
    return verdict == REFUSED ? no_memory() : made(verdict, __libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size) {
    enum verdict verdict = JUDGE();
    return verdict == REFUSED ? no_memory() : made(verdict, __libc_memalign(alignment, size));
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    enum verdict verdict = JUDGE();
    void *block = verdict == REFUSED ? NULL : made(verdict, __libc_memalign(alignment, size));
    if (block) {
        *memory = block;
    }
    return block ? 0 : ENOMEM;
}

void free(void *memory) {
    if (memory && ready) {
        take();
        forget_live(memory);
        give();
    }
    __libc_free(memory);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *context) {
    if (JUDGE() == REFUSED || atomic_fetch_sub(&threads_left, 1) <= 0) {
        return EAGAIN;
    }
    return make_thread(thread, attributes, start, context);
}

__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("PLADIS_FAULT_AT");
    const char *threads = getenv("PLADIS_FAULT_THREADS");
    void *frames[FRAMES];
    fail_at = at ? strtol(at, NULL, 10) : -1;
    fail_on = getenv("PLADIS_FAULT_ON") != NULL;
    counting_places = fail_at < 0;
    inside = true;
    (void)backtrace(frames, FRAMES); /* loads what it needs */
    *(void **)&make_thread = dlsym(RTLD_NEXT, "pthread_create");
    atomic_store(&threads_left, threads ? strtol(threads, NULL, 10) : LONG_MAX);
    dl_iterate_phdr(note_object, NULL);
    inside = false;
    ready = true;
}

__attribute__((destructor)) static void finish(void) {
    const char *path = getenv("PLADIS_FAULT_RESULT");
    inside = true;
    ready = false;
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "%ld %ld %ld\n", count, fired, live_count);
        for (long i = 0; i < place_count; i++) {
            fprintf(file, "%ld %016llx\n", place_numbers[i], (unsigned long long)place_order[i]);
        }
        fclose(file);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/** Who is next: clients in turn, places that are kept for newcomers, jobs that are cancelled while they wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/queue.h"
#include "jobs/store.h"

static uint64_t next_key;

static job *make(const char *client) {
    job_request request = {.count = 1, .retry_key = ++next_key};
    assert_int_equal(pld_options_create(&request.options, NULL), PLD_OK);
    snprintf(request.client, sizeof request.client, "%s", client);
    job *made = job_create(&request);
    assert_non_null(made);
    assert_null(request.options); /* taken over */
    return made;
}

static job *add(job_queue *queue, const char *client, queue_answer expected) {
    job *made = make(client);
    assert_int_equal(job_queue_add(queue, made, 100), expected);
    return made;
}

/** The next job is this one. */
static void expect(job_queue *queue, job *next) {
    job *taken = job_queue_take(queue);
    assert_ptr_equal(taken, next);
    job_release(&taken);
    job_release(&next);
}

static void clients_take_turns(void **state) {
    (void)state;
    job_queue *queue = job_queue_create(10);
    job *a1 = add(queue, "a", QUEUE_TAKEN), *a2 = add(queue, "a", QUEUE_TAKEN),
        *a3 = add(queue, "a", QUEUE_TAKEN);
    job *b1 = add(queue, "b", QUEUE_TAKEN), *c1 = add(queue, "c", QUEUE_TAKEN),
        *b2 = add(queue, "b", QUEUE_TAKEN);
    job *const order[] = {a1, b1, c1, a2, b2, a3};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(job_queue_place(queue, order[i]), i + 1);
    }
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(job_queue_length(queue), 6 - i);
        expect(queue, order[i]);
    }
    /* One that was served lately waits for those that were not. */
    job *b3 = add(queue, "b", QUEUE_TAKEN), *c2 = add(queue, "c", QUEUE_TAKEN),
        *d1 = add(queue, "d", QUEUE_TAKEN);
    expect(queue, d1);
    expect(queue, c2);
    expect(queue, b3);
    job_queue_destroy(&queue);
}

static void places_are_kept_for_newcomers(void **state) {
    (void)state;
    job_queue *queue = job_queue_create(4);
    job *held[8];
    for (int i = 0; i < 4; i++) {
        held[i] = add(queue, "a", QUEUE_TAKEN);
    }
    held[4] = add(queue, "a", QUEUE_FULL);
    held[5] = add(queue, "b", QUEUE_TAKEN);
    held[6] = add(queue, "b", QUEUE_FULL);
    held[7] = add(queue, "c", QUEUE_TAKEN);
    job *none = add(queue, "d", QUEUE_FULL);
    assert_int_equal(job_queue_place(queue, none), 0);
    job_release(&none);
    job_queue_close(queue, true);
    for (int i = 0; i < 8; i++) {
        const bool waited = i != 4 && i != 6;
        assert_int_equal(job_look(held[i]).state, waited ? JOB_CANCELLED : JOB_QUEUED);
        job_release(&held[i]);
    }
    job *late = add(queue, "e", QUEUE_CLOSED);
    job_release(&late);
    assert_null(job_queue_take(queue));
    job_queue_destroy(&queue);
}

/** Send a request again that was refused. */
static queue_answer again(job_queue *queue, uint64_t key, double patience) {
    job *made = make("x");
    made->request.retry_key = key;
    const queue_answer answer = job_queue_add(queue, made, patience);
    job_release(&made);
    return answer;
}

/** Those that were refused first get the places that become free, whoever asks first; who does not come back is forgotten. */
static void refused_ones_stand_in_line(void **state) {
    (void)state;
    job_queue *queue = job_queue_create(1);
    enum { A = 1001, B, C, D };
    assert_int_equal(again(queue, 1, 100), QUEUE_TAKEN);
    assert_int_equal(again(queue, A, 100), QUEUE_FULL);
    assert_int_equal(again(queue, B, 0), QUEUE_FULL); /* will not be waited for */
    assert_int_equal(again(queue, C, 100), QUEUE_FULL);
    job *taken = job_queue_take(queue);
    job_release(&taken);
    assert_int_equal(again(queue, D, 100), QUEUE_FULL);
    assert_int_equal(again(queue, C, 100), QUEUE_FULL);
    assert_int_equal(again(queue, A, 100), QUEUE_TAKEN);
    assert_int_equal(again(queue, C, 100), QUEUE_FULL);
    taken = job_queue_take(queue);
    job_release(&taken);
    assert_int_equal(again(queue, D, 100), QUEUE_FULL);
    assert_int_equal(again(queue, C, 100), QUEUE_TAKEN);
    job_queue_destroy(&queue);
}

static void waiting_jobs_are_cancelled(void **state) {
    (void)state;
    job_queue *queue = job_queue_create(4);
    job *first = add(queue, "a", QUEUE_TAKEN), *second = add(queue, "a", QUEUE_TAKEN);
    job_queue_cancel(queue, first);
    assert_int_equal(job_look(first).state, JOB_CANCELLED);
    assert_int_equal(job_queue_length(queue), 1);
    job_release(&first);
    job *taken = job_queue_take(queue);
    assert_ptr_equal(taken, second);
    job_queue_cancel(queue, second); /* it is asked to end, which is for whoever draws it */
    assert_true(job_is_cancelled(second));
    assert_int_equal(job_look(second).state, JOB_QUEUED);
    job_release(&taken);
    job_release(&second);
    job_queue_destroy(&queue);
}

/** Jobs that are over are kept for a while, but not without end. */
static void store_is_bounded(void **state) {
    (void)state;
    job_store *store = job_store_create();
    char first[SECRET_NAME];
    for (int i = 0; i < 300; i++) {
        job *made = make("a");
        assert_true(job_store_add(store, made));
        job_end(made, JOB_DONE, NULL);
        if (i == 0) {
            memcpy(first, made->id, sizeof first);
        }
        job *found = job_store_find(store, made->id);
        assert_ptr_equal(found, made);
        job_release(&found);
        job_release(&made);
    }
    assert_null(job_store_find(store, first));
    assert_null(job_store_find(store, "nothing"));
    assert_null(job_store_current(store));
    job_store_destroy(&store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_take_turns), cmocka_unit_test(places_are_kept_for_newcomers),
        cmocka_unit_test(refused_ones_stand_in_line), cmocka_unit_test(waiting_jobs_are_cancelled),
        cmocka_unit_test(store_is_bounded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

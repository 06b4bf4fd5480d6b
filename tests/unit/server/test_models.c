/* SPDX-License-Identifier: Apache-2.0 */
/** Models that are open: kept while there is room, given back by least use where there is none, and their LoRAs changed in place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "draw/models.h"

#define MODELS PLADIS_TEST_DATA "/reference/models/"

static pld_engine *engine;
static shelf *things;
static server_counters counters;
static pld_model_options files;

static int start(void **state) {
    static const char *const models[] = {MODELS "sd15", MODELS "sd21", MODELS "sdxl"};
    const shelf_places places = {
        .models = models, .model_count = 3, .lora_dir = PLADIS_TEST_DATA "/loras/files"};
    (void)state;
    pld_model_options_init(&files, sizeof files);
    return pld_engine_create(NULL, &engine, NULL) == PLD_OK && shelf_create(&places, &things, NULL) == PLD_OK
               ? 0
               : -1;
}

static int stop(void **state) {
    (void)state;
    shelf_destroy(&things);
    pld_engine_destroy(&engine);
    return 0;
}

static open_models *make(uint64_t max_memory) {
    const models_setting setting = {engine, &files, things, max_memory, &counters};
    counters = (server_counters){0};
    open_models *made = open_models_create(&setting);
    assert_non_null(made);
    return made;
}

static pld_session *use(open_models *models, const char *name, const char *lora) {
    job_request request = {.count = 1};
    pld_error error = {0};
    lora_list loras;
    model_in_use used = {0};
    assert_int_equal(pld_options_create(&request.options, NULL), PLD_OK);
    assert_int_equal(pld_options_set(request.options, NULL, "prompt", "a fox", &error), PLD_OK);
    if (lora != NULL) {
        assert_int_equal(pld_options_set(request.options, NULL, "lora", lora, &error), PLD_OK);
    }
    snprintf(request.model, sizeof request.model, "%s", name);
    assert_int_equal(lora_list_make(&request, things, &loras, &error), PLD_OK);
    if (open_models_use(models, &request, &loras, &used, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    lora_list_free(&loras);
    job_request_free(&request);
    assert_non_null(used.session);
    return used.session;
}

static void count_name(void *user, const char *name) {
    char *names = user;
    strcat(strcat(names, name), " ");
}

static void are_kept(void **state) {
    (void)state;
    char names[256] = "";
    open_models *models = make(0);
    pld_session *first = use(models, "sd15", NULL);
    use(models, "sd21", NULL);
    assert_ptr_equal(use(models, "sd15", NULL), first);
    assert_int_equal(counters.models_opened, 2);
    assert_int_equal(counters.models_given_back, 0);
    open_models_each(models, count_name, names);
    assert_string_equal(names, "sd15 sd21 ");
    open_models_destroy(&models);
}

static void make_room_for_others(void **state) {
    (void)state;
    open_models *models = make(1); /* never enough for a second one */
    use(models, "sd15", NULL);
    use(models, "sd21", NULL);
    use(models, "sdxl", NULL);
    use(models, "sd15", NULL);
    assert_int_equal(counters.models_opened, 4);
    assert_int_equal(counters.models_given_back, 3);
    open_models_destroy(&models);
}

static void change_their_loras(void **state) {
    (void)state;
    open_models *models = make(0);
    use(models, "sd15", NULL);
    pld_session *with = use(models, "sd15", "kohya.safetensors:0.5");
    assert_ptr_equal(use(models, "sd15", "kohya:0.5"), with);
    use(models, "sd15", "kohya:0.25");
    assert_int_equal(counters.models_opened, 1);
    open_models_destroy(&models);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(are_kept), cmocka_unit_test(make_room_for_others),
                                       cmocka_unit_test(change_their_loras)};
    return cmocka_run_group_tests(tests, start, stop);
}

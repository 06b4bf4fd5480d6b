/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows of an evaluation share a value, and what a network of shared rows looks like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nn/build.h"

/* A network's sites in their order. */
static const pld_site sites[] = {{"down_blocks.0.attn1", PLD_SITE_SELF, 1, 8, -1},
                                 {"down_blocks.0.attn2", PLD_SITE_CROSS, 1, 8, -1},
                                 {"mid_block.attn1", PLD_SITE_SELF, 1, 8, -1},
                                 {"mid_block.attn2", PLD_SITE_CROSS, 1, 8, -1}};
enum { SITES = sizeof sites / sizeof *sites };

static const pld_branch every_branch[] = {PLD_BRANCH_UNCONDITIONAL, PLD_BRANCH_CONDITIONAL,
                                          PLD_BRANCH_IDENTITY, PLD_BRANCH_BLURRED};

typedef struct fixture {
    pld_variant_table tables[2];
    pld_row_sharing_request request;
    pld_row_sharing sharing;
} fixture;

static int open_tables(void **state) {
    static fixture f;
    f = (fixture){0};
    f.request = (pld_row_sharing_request){.branches = every_branch, .rows = 4};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pld_variant_table_init(&f.tables[i], sites, SITES, NULL), PLD_OK);
        f.request.tables[i] = &f.tables[i];
    }
    *state = &f;
    return 0;
}

static int close_tables(void **state) {
    fixture *f = *state;
    pld_row_sharing_free(&f->sharing);
    for (int i = 0; i < 2; i++) {
        pld_variant_table_free(&f->tables[i]);
    }
    return 0;
}

static void put(fixture *f, const char *variant, const char *layers, pld_branch branch) {
    const pld_attention_effect effect = {.variant = variant,
                                         .layers = layers,
                                         .branches = PLD_BRANCH_BIT(branch),
                                         .scale = 1,
                                         .limit = 1,
                                         .blend = 1,
                                         .alpha = 1.5,
                                         .sigma = 2};
    for (int i = 0; i < 2; i++) {
        int count = 0;
        assert_int_equal(pld_variant_table_add_effect(&f->tables[i], &effect, "test", &count, NULL), PLD_OK);
    }
}

/** Groups at the input and after each site, as digits: "0000 0000 0111 …". */
static void groups_text(const pld_row_groups *groups, size_t count, char *text) {
    for (size_t i = 0; i < count; i++) {
        for (int row = 0; row < groups[i].rows; row++) {
            assert_in_range(groups[i].of_row[row], 0, groups[i].count - 1);
            assert_int_equal(groups[i].of_row[groups[i].first[groups[i].of_row[row]]], groups[i].of_row[row]);
            *text++ = (char)('0' + groups[i].of_row[row]);
        }
        *text++ = i + 1 < count ? ' ' : '\0';
    }
}

static void check_groups(fixture *f, const char *expected) {
    assert_int_equal(pld_row_sharing_init(&f->sharing, &f->request, NULL), PLD_OK);
    char text[(PLD_BRANCH_COUNT + 1) * (SITES + 1)];
    assert_int_equal(f->sharing.groups[0].rows, f->request.rows);
    groups_text(f->sharing.groups, SITES + 1, text);
    assert_string_equal(text, expected);
    groups_text(f->sharing.picture_groups, SITES + 1, text);
    assert_string_equal(text, expected); /* without joint attention there is no text beside a picture */
}

static void texts_part_at_cross_attention(void **state) {
    check_groups(*state, "0000 0000 0111 0111 0111");
}

static void texts_that_join_the_time_part_at_once(void **state) {
    fixture *f = *state;
    f->request.text_joins_time = true;
    check_groups(f, "0111 0111 0111 0111 0111");
}

static void variants_part_at_their_sites(void **state) {
    fixture *f = *state;
    put(f, "identity", "mid", PLD_BRANCH_IDENTITY);
    put(f, "blur", "down+mid", PLD_BRANCH_BLURRED);
    check_groups(f, "0000 0001 0112 0123 0123");
}

/** A setting that holds in some steps only parts rows in all of them: one plan serves them. */
static void every_table_counts(void **state) {
    fixture *f = *state;
    const pld_pladis_request pladis = {
        .lambda = 2, .alpha = 1.5, .blocks = "mid", .branches = PLD_BRANCH_BIT(PLD_BRANCH_CONDITIONAL)};
    int count = 0;
    assert_int_equal(pld_variant_table_add_pladis(&f->tables[1], &pladis, &count, NULL), PLD_OK);
    check_groups(f, "0000 0000 0111 0111 0122");
}

static void equality_sees_groups(void **state) {
    fixture *f = *state;
    pld_row_sharing other;
    check_groups(f, "0000 0000 0111 0111 0111");
    assert_int_equal(pld_row_sharing_init(&other, &f->request, NULL), PLD_OK);
    assert_true(pld_row_sharing_equal(&f->sharing, &other));
    pld_row_sharing_free(&other);
    put(f, "identity", "mid", PLD_BRANCH_IDENTITY);
    assert_int_equal(pld_row_sharing_init(&other, &f->request, NULL), PLD_OK);
    assert_false(pld_row_sharing_equal(&f->sharing, &other));
    pld_row_sharing_free(&other);
}

/** The negative branch's picture is the conditional one's for as long as NAG makes one of both; then it parts, for good. */
static void pictures_stay_together(void **state) {
    static const pld_site joint[] = {{"transformer_blocks.0.attn", PLD_SITE_JOINT, 1, 8, 0},
                                     {"transformer_blocks.1.attn", PLD_SITE_JOINT, 1, 8, 1},
                                     {"transformer_blocks.2.attn", PLD_SITE_JOINT, 1, 8, 2}};
    static const pld_branch branches[] = {PLD_BRANCH_UNCONDITIONAL, PLD_BRANCH_CONDITIONAL,
                                          PLD_BRANCH_NEGATIVE};
    static const pld_attention_effect nag = {.variant = "nag",
                                             .layers = "0+2",
                                             .branches = PLD_BRANCHES_PROMPTED,
                                             .joint_branches = PLD_BRANCH_BIT(PLD_BRANCH_CONDITIONAL) |
                                                               PLD_BRANCH_BIT(PLD_BRANCH_NEGATIVE)};
    static const char *const expected[2][2] = {{"000 012 012 012", "000 011 012 012"},
                                               {"012 012 012 012", "011 011 012 012"}};
    (void)state;
    for (int joins_time = 0; joins_time < 2; joins_time++) {
        pld_variant_table table;
        pld_row_sharing sharing;
        int count = 0;
        assert_int_equal(pld_variant_table_init(&table, joint, 3, NULL), PLD_OK);
        assert_int_equal(pld_variant_table_add_effect(&table, &nag, "test", &count, NULL), PLD_OK);
        assert_int_equal(count, 2);
        const pld_row_sharing_request request = {
            .branches = branches, .rows = 3, .tables = {&table, &table}, .text_joins_time = joins_time};
        assert_int_equal(pld_row_sharing_init(&sharing, &request, NULL), PLD_OK);
        char text[64];
        groups_text(sharing.groups, 4, text);
        assert_string_equal(text, expected[joins_time][0]);
        groups_text(sharing.picture_groups, 4, text);
        assert_string_equal(text, expected[joins_time][1]);
        pld_row_sharing_free(&sharing);
        pld_variant_table_free(&table);
    }
}

/** A value has a row for each group; where rows have parted it is copied, once, and not where they have not.
 */
static void a_plan_parts(void **state) {
    fixture *f = *state;
    pld_error error = {0};
    pld_plan plan;
    pld_builder b;
    check_groups(f, "0000 0000 0111 0111 0111");
    pld_plan_init(&plan, NULL);
    pld_builder_init(&b, &plan, &error);
    b.sharing = &f->sharing;
    const pld_value_id in = pld_input(&b, 4, 8, 8, 8);
    const pld_value_id x = pld_linear(&b, "first", in, 8, PLD_BIAS);
    const pld_value_id self = pld_attend(&b, pld_self_attention(x, x, x, 1));
    const pld_value_id cross = pld_attend(&b, pld_cross_attention(self, 1));
    const pld_value_id y = pld_rows_like(&b, x, cross);
    assert_int_equal(b.status, PLD_OK);
    assert_int_equal(plan.values[in].batch, 1);
    assert_int_equal(plan.values[self].batch, 1);
    assert_int_equal(plan.values[cross].batch, 2);
    assert_int_equal(plan.values[y].batch, 2);
    assert_true(y != x && pld_rows_like(&b, x, self) == x);
    assert_int_equal(pld_group_of_row(&plan.values[y].groups, 3), 1);
    assert_int_equal(pld_row_of_group(&plan.values[y].groups, 1), 1);
    pld_plan_free(&plan);
}

/* Those of a transformer: blocks of one site, the last of two. */
static const pld_site blocks[] = {{"transformer_blocks.0.attn", PLD_SITE_JOINT, 1, 8, 0},
                                  {"transformer_blocks.1.attn", PLD_SITE_JOINT, 1, 8, 1},
                                  {"transformer_blocks.2.attn", PLD_SITE_JOINT, 1, 8, 2},
                                  {"transformer_blocks.2.attn2", PLD_SITE_SELF, 1, 8, 2}};
enum { BLOCK_SITES = sizeof blocks / sizeof *blocks };

static const pld_branch skipping[] = {PLD_BRANCH_UNCONDITIONAL, PLD_BRANCH_CONDITIONAL, PLD_BRANCH_SKIPPED};

static int open_blocks(void **state) {
    static fixture f;
    f = (fixture){0};
    f.request = (pld_row_sharing_request){.branches = skipping, .rows = 3, .text_joins_time = true};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pld_variant_table_init(&f.tables[i], blocks, BLOCK_SITES, NULL), PLD_OK);
        f.request.tables[i] = &f.tables[i];
    }
    *state = &f;
    return 0;
}

static void leave_out(fixture *f, const char *layers, pld_branch_set branches) {
    const pld_block_effect effect = {layers, branches};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pld_variant_table_skip(&f->tables[i], &effect, "test", NULL), PLD_OK);
    }
}

/** What a group is called: a row that leaves a block out is in none. */
static void check_block_groups(fixture *f, const char *expected) {
    assert_int_equal(pld_row_sharing_init(&f->sharing, &f->request, NULL), PLD_OK);
    char text[(3 + 1) * (BLOCK_SITES + 1)];
    size_t used = 0;
    for (size_t i = 0; i <= BLOCK_SITES; i++) {
        for (int row = 0; row < 3; row++) {
            const int group = f->sharing.groups[i].of_row[row];
            text[used++] = (char)(group < 0 ? '-' : '0' + group);
        }
        text[used++] = i < BLOCK_SITES ? ' ' : '\0';
    }
    assert_string_equal(text, expected);
}

/** A row that leaves a block out is that of its text up to there, and its own from there on. */
static void rows_leave_blocks_out(void **state) {
    fixture *f = *state;
    leave_out(f, "1", PLD_BRANCH_BIT(PLD_BRANCH_SKIPPED));
    check_block_groups(f, "011 011 01- 012 012");
}

/** A block is meant by any of its sites, and all of them are left out. */
static void a_site_means_its_block(void **state) {
    fixture *f = *state;
    leave_out(f, "transformer_blocks.2.attn2+0", PLD_BRANCH_BIT(PLD_BRANCH_SKIPPED));
    check_block_groups(f, "011 01- 012 01- 01-");
}

static void equality_sees_what_is_left_out(void **state) {
    fixture *f = *state;
    pld_row_sharing other;
    leave_out(f, "2", PLD_BRANCH_BIT(PLD_BRANCH_SKIPPED));
    check_block_groups(f, "011 011 011 01- 01-");
    leave_out(f, "1", PLD_BRANCH_BIT(PLD_BRANCH_SKIPPED));
    assert_int_equal(pld_row_sharing_init(&other, &f->request, NULL), PLD_OK);
    assert_false(pld_row_sharing_equal(&f->sharing, &other));
    pld_row_sharing_free(&other);
}

static void layers_that_are_none_are_refused(void **state) {
    fixture *f = *state;
    pld_error error = {0};
    const pld_block_effect effect = {"3", PLD_BRANCH_BIT(PLD_BRANCH_SKIPPED)};
    assert_int_equal(pld_variant_table_skip(&f->tables[0], &effect, "slg", &error), PLD_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "guidance slg: layers: '3' matches no"));
}

/** In front of a block the row takes leave, and behind it comes back with what it had. */
static void a_plan_leaves_rows_out(void **state) {
    fixture *f = *state;
    pld_error error = {0};
    pld_plan plan;
    pld_builder b;
    leave_out(f, "0", PLD_BRANCH_BIT(PLD_BRANCH_SKIPPED));
    check_block_groups(f, "011 01- 012 012 012");
    pld_plan_init(&plan, NULL);
    pld_builder_init(&b, &plan, &error);
    b.sharing = &f->sharing;
    const pld_value_id in = pld_input(&b, 3, 8, 8, 8);
    const pld_value_id inside = pld_rows_inside(&b, in);
    const pld_value_id out = pld_attend(&b, pld_self_attention(inside, inside, inside, 1));
    const pld_value_id x = pld_rows_rejoined(&b, out, in);
    assert_int_equal(b.status, PLD_OK);
    assert_int_equal(plan.values[in].batch, 2);
    assert_int_equal(plan.values[inside].batch, 2);
    assert_int_equal(pld_group_of_row(&plan.values[inside].groups, 2), -1);
    assert_int_equal(plan.values[x].batch, 3);
    assert_int_equal(pld_group_of_row(&plan.values[x].groups, 2), 2);
    assert_true(pld_rows_inside(&b, x) == x && pld_rows_rejoined(&b, x, in) == x);
    pld_plan_free(&plan);
}

static void no_row_is_an_error(void **state) {
    fixture *f = *state;
    pld_error error = {0};
    pld_plan plan;
    pld_builder b;
    leave_out(f, "0", PLD_BRANCHES_ALL);
    assert_int_equal(pld_row_sharing_init(&f->sharing, &f->request, NULL), PLD_OK);
    pld_plan_init(&plan, NULL);
    pld_builder_init(&b, &plan, &error);
    b.sharing = &f->sharing;
    pld_rows_inside(&b, pld_input(&b, 3, 8, 8, 8));
    assert_int_equal(b.status, PLD_ERROR_INTERNAL);
    pld_plan_free(&plan);
}

#define WITH_BLOCKS(test) cmocka_unit_test_setup_teardown(test, open_blocks, close_tables)
#define WITH_TABLES(test) cmocka_unit_test_setup_teardown(test, open_tables, close_tables)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_TABLES(texts_part_at_cross_attention),  WITH_TABLES(texts_that_join_the_time_part_at_once),
        WITH_TABLES(variants_part_at_their_sites),   WITH_TABLES(every_table_counts),
        WITH_TABLES(equality_sees_groups),           WITH_TABLES(a_plan_parts),
        WITH_BLOCKS(rows_leave_blocks_out),          WITH_BLOCKS(a_site_means_its_block),
        WITH_BLOCKS(equality_sees_what_is_left_out), WITH_BLOCKS(layers_that_are_none_are_refused),
        WITH_BLOCKS(a_plan_leaves_rows_out),         WITH_BLOCKS(no_row_is_an_error),
        cmocka_unit_test(pictures_stay_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluate/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "terminal/message.h"

size_t evaluate_settings_column(const evaluate_settings *settings, const char *name) {
    size_t i = 0;
    while (i < settings->column_count && strcmp(settings->columns[i]->name, name) != 0) {
        i++;
    }
    return i;
}

static bool collect_columns(const evaluate_request *request, evaluate_settings *settings) {
    for (size_t i = 0; i < request->grid_count; i++) {
        for (size_t j = 0; j < request->grids[i].count; j++) {
            const option *row = request->grids[i].axes[j].row;
            if (evaluate_settings_column(settings, row->name) < settings->column_count) {
                continue;
            }
            if (settings->column_count == EVALUATE_MOST_COLUMNS) {
                message_usage("--grid: expected at most %d varied options, found more",
                              EVALUATE_MOST_COLUMNS);
                return false;
            }
            settings->columns[settings->column_count++] = row;
        }
    }
    return true;
}

/** Whether an option does nothing in this setting; such options do not tell settings apart. */
static bool is_moot(const option *row, const generate_request *settings) {
    if (settings->pladis_scale == 0 && strncmp(row->name, "pladis-", strlen("pladis-")) == 0) {
        return true;
    }
    return settings->cfg_scale <= 1 && settings->guidance_count == 0 && strcmp(row->name, "cfg-rescale") == 0;
}

/** Texts of the columns, and the key that they make. */
static bool describe(const evaluate_settings *settings, const json_t *typed, evaluate_setting *setting) {
    size_t used = 0;
    setting->key[0] = '\0';
    for (size_t i = 0; i < settings->column_count; i++) {
        const option *row = settings->columns[i];
        setting->values[i][0] = '\0';
        if (is_moot(row, &setting->request)) {
            continue;
        }
        evaluate_value_text(row, &setting->request, typed, setting->values[i], EVALUATE_VALUE);
        int length = snprintf(setting->key + used, EVALUATE_KEY - used, "%s%s=%s", used > 0 ? " " : "",
                              row->name, setting->values[i]);
        used += length > 0 ? (size_t)length : 0;
        if (used >= EVALUATE_KEY || strlen(setting->values[i]) + 1 == EVALUATE_VALUE) {
            message_usage("--grid: the values of %s are too long", row->name);
            return false;
        }
    }
    return true;
}

/** Combination `cell` of a grid, as a setting. */
static bool make_setting(const evaluate_request *request, const evaluate_grid *grid, size_t cell,
                         const evaluate_settings *settings, evaluate_setting *setting) {
    json_t *typed = json_copy(request->typed);
    *setting = (evaluate_setting){.baseline = 0};
    bool done = typed != NULL && generate_options_copy(&request->base, &setting->request);
    if (!done) {
        message_failure("out of memory for a setting");
    }
    for (size_t i = 0; done && i < grid->count; i++) {
        const sweep_axis *axis = &grid->axes[i];
        const size_t index = cell % axis->count;
        cell /= axis->count;
        done = sweep_axis_apply(axis, index, &setting->request);
        evaluate_note_typed(typed, axis->row->name, axis->values[index]);
    }
    done = done && generate_options_check(&setting->request) && describe(settings, typed, setting);
    json_decref(typed);
    return done;
}

/** The setting of the same key, or this one, which is taken over. */
static size_t find_or_add(evaluate_settings *settings, evaluate_setting *setting) {
    size_t i = 0;
    while (i < settings->count && strcmp(settings->items[i].key, setting->key) != 0) {
        i++;
    }
    if (i == settings->count) {
        settings->items[settings->count++] = *setting;
    } else {
        generate_options_free_copy(&setting->request);
    }
    return i;
}

static bool add_grid(const evaluate_request *request, size_t index, evaluate_settings *settings) {
    const evaluate_grid *grid = &request->grids[index];
    size_t cells = 1;
    for (size_t i = 0; i < grid->count && cells <= EVALUATE_MOST_SETTINGS; i++) {
        cells *= grid->axes[i].count;
    }
    if (cells > EVALUATE_MOST_SETTINGS) {
        message_usage("--grid: expected at most %d combinations, found more", EVALUATE_MOST_SETTINGS);
        return false;
    }
    evaluate_setting *setting = malloc(sizeof *setting);
    evaluate_setting *items = realloc(settings->items, (settings->count + cells) * sizeof *items);
    settings->items = items != NULL ? items : settings->items;
    settings->cells[index] = calloc(cells, sizeof *settings->cells[index]);
    settings->cell_counts[index] = cells;
    bool done = setting != NULL && items != NULL && settings->cells[index] != NULL;
    if (!done) {
        message_failure("out of memory for %zu settings", cells);
    }
    for (size_t cell = 0; done && cell < cells; cell++) {
        done = make_setting(request, grid, cell, settings, setting);
        if (done) {
            settings->cells[index][cell] = find_or_add(settings, setting);
        } else {
            generate_options_free_copy(&setting->request);
        }
    }
    free(setting);
    return done;
}

/** Whether two settings differ in nothing but PLADIS. */
static bool same_but_pladis(const evaluate_settings *settings, const evaluate_setting *a,
                            const evaluate_setting *b) {
    for (size_t i = 0; i < settings->column_count; i++) {
        if (strncmp(settings->columns[i]->name, "pladis", strlen("pladis")) != 0 &&
            strcmp(a->values[i], b->values[i]) != 0) {
            return false;
        }
    }
    return true;
}

static void find_baselines(evaluate_settings *settings) {
    for (size_t i = 0; i < settings->count; i++) {
        settings->items[i].baseline = i;
        for (size_t j = 0; j < settings->count; j++) {
            if (settings->items[j].request.pladis_scale == 0 &&
                same_but_pladis(settings, &settings->items[i], &settings->items[j])) {
                settings->items[i].baseline = j;
            }
        }
    }
}

bool evaluate_settings_make(const evaluate_request *request, evaluate_settings *settings) {
    *settings = (evaluate_settings){0};
    if (!collect_columns(request, settings)) {
        return false;
    }
    for (size_t i = 0; i < request->grid_count; i++) {
        if (!add_grid(request, i, settings)) {
            return false;
        }
    }
    find_baselines(settings);
    return true;
}

void evaluate_settings_free(evaluate_settings *settings) {
    for (size_t i = 0; i <= EVALUATE_MOST_GRIDS; i++) {
        free(settings->cells[i]);
    }
    for (size_t i = 0; i < settings->count; i++) {
        generate_options_free_copy(&settings->items[i].request);
    }
    free(settings->items);
    *settings = (evaluate_settings){0};
}

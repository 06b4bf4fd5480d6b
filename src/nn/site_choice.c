/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/site_choice.h"

#include <stdio.h>
#include <string.h>

/** One name of a list. */
typedef struct site_name {
    const char *text;
    size_t length;
} site_name;

static bool is_text(site_name name, const char *text) {
    return name.length == strlen(text) && memcmp(name.text, text, name.length) == 0;
}

/** Read digits from `*at` on, before `end`; false: there are none, or too many. */
static bool read_number(const char **at, const char *end, int *number) {
    enum { MOST_DIGITS = 6 };
    const char *begin = *at;
    *number = 0;
    for (; *at < end && **at >= '0' && **at <= '9' && *at - begin < MOST_DIGITS; (*at)++) {
        *number = *number * 10 + (**at - '0');
    }
    return *at > begin;
}

/** Whether a name is a number or a range of numbers. */
static bool read_range(site_name name, int *first, int *last) {
    const char *at = name.text, *end = name.text + name.length;
    if (!read_number(&at, end, first)) {
        return false;
    }
    *last = *first;
    return at == end || (*at++ == '-' && read_number(&at, end, last) && at == end && *first <= *last);
}

/** A kind of blocks, of which there are some at a site; NULL: another name. */
static const char *block_kind(site_name name) {
    static const char *const kinds[] = {"down", "mid", "up"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (is_text(name, kinds[i])) {
            return kinds[i];
        }
    }
    return NULL;
}

static bool matches(const pld_site *site, site_name name) {
    int first, last;
    const char *kind = block_kind(name);
    if (is_text(name, "all")) {
        return true;
    }
    if (kind) {
        return strncmp(site->name, kind, name.length) == 0 && site->name[name.length] == '_';
    }
    if (read_range(name, &first, &last)) {
        return site->block >= first && site->block <= last;
    }
    return name.length > 0 && strncmp(site->name, name.text, name.length) == 0 &&
           (site->name[name.length] == '.' || site->name[name.length] == 0);
}

/** Whether there are sites of a kind, which match the name unless it is NULL. */
static bool has_kind(const pld_site *sites, size_t count, pld_site_kind kind, const site_name *name) {
    for (size_t i = 0; i < count; i++) {
        if (sites[i].kind == kind && (!name || matches(&sites[i], *name))) {
            return true;
        }
    }
    return false;
}

static pld_status refuse(const pld_site *sites, size_t count, const pld_site_choice *choice, site_name name,
                         pld_error *error) {
    int last = -1;
    if (choice->kinds & PLD_SITES_SELF && has_kind(sites, count, PLD_SITE_LINEAR, &name)) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: '%.*s': the self-attention of this model is linear: it has no map of tokens by "
                        "tokens that could be changed; leave it out",
                        choice->option, (int)(name.length < 200 ? name.length : 200), name.text);
    }
    if (!(choice->kinds & PLD_SITES_JOINT) && has_kind(sites, count, PLD_SITE_JOINT, &name)) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: '%.*s': in this model text and picture share one attention, the joint one, on which "
            "this does not act; leave it out",
            choice->option, (int)(name.length < 200 ? name.length : 200), name.text);
    }
    for (size_t i = 0; i < count; i++) {
        last = sites[i].block > last ? sites[i].block : last;
    }
    char blocks[48] = "down, mid, up";
    if (last >= 0) {
        snprintf(blocks, sizeof blocks, "numbers of blocks from 0 to %d", last);
    }
    return pld_fail(
        error, PLD_ERROR_ARGUMENT,
        "%s: '%.*s' matches no %s of this model; use all, %s, or names as 'pladis info' prints them",
        choice->option, (int)(name.length < 200 ? name.length : 200), name.text,
        !(choice->kinds & PLD_SITES_TEXT)              ? "self-attention"
        : has_kind(sites, count, PLD_SITE_JOINT, NULL) ? "joint attention"
        : !(choice->kinds & PLD_SITES_SELF)            ? "cross-attention"
                                                       : "attention",
        blocks);
}

pld_status pld_sites_choose(const pld_site *sites, size_t count, const pld_site_choice *choice, bool *chosen,
                            pld_error *error) {
    for (const char *at = choice->names;; at++) {
        const site_name name = {at, strcspn(at, choice->separator)};
        bool found = false;
        for (size_t i = 0; i < count; i++) {
            if ((choice->kinds >> (unsigned)sites[i].kind & 1) && matches(&sites[i], name)) {
                chosen[i] = true;
                found = true;
            }
        }
        if (!found) {
            return refuse(sites, count, choice, name, error);
        }
        at += name.length;
        if (*at == 0) {
            return PLD_OK;
        }
    }
}

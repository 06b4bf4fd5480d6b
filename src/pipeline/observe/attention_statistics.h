/* SPDX-License-Identifier: Apache-2.0 */
/** What the rows of attention look like: exact zeros of α-entmax and entropies, by site and head. It computes
 * maps, a few rows at a time, which an ordinary run never does. */
#ifndef PLD_PIPELINE_OBSERVE_ATTENTION_STATISTICS_H
#define PLD_PIPELINE_OBSERVE_ATTENTION_STATISTICS_H

#include "pipeline/engine.h"

typedef struct pld_attention_statistics pld_attention_statistics;

/** Watch the conditional branch at cross-attentions, and where `self` at self-attentions too. `sites` is
 *  borrowed. */
pld_status pld_attention_statistics_create(const pld_site *sites, size_t site_count, bool self, double alpha,
                                           pld_attention_statistics **statistics, pld_error *error);
void pld_attention_statistics_destroy(pld_attention_statistics **statistics);

/** Let a run be watched, after whoever watches it already. */
void pld_attention_statistics_watch(pld_attention_statistics *statistics, const pld_engine *engine,
                                    pld_run *run);

/** What went wrong while watching, PLD_OK otherwise. */
pld_status pld_attention_statistics_status(const pld_attention_statistics *statistics, pld_error *error);

/** Write a table: CSV when the name ends in .csv, else JSON. */
pld_status pld_attention_statistics_write(const pld_attention_statistics *statistics, const char *path,
                                          const volatile int *cancel, pld_error *error);

#endif

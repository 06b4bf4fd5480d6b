/* SPDX-License-Identifier: Apache-2.0 */
/** What `pladis info` prints of models and of single files alike. */
#ifndef PLADIS_CLI_INFO_TABLES_H
#define PLADIS_CLI_INFO_TABLES_H

#include <jansson.h>

#include <pladis/pladis.h>

void info_print_parts(const pld_model_part *const *parts, size_t count);
void info_print_sites(const pld_attention_site *const *sites, size_t count);

json_t *info_json_parts(const pld_model_part *const *parts, size_t count);
json_t *info_json_sites(const pld_attention_site *const *sites, size_t count);

#endif

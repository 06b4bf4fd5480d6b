/* SPDX-License-Identifier: Apache-2.0 */
/** Samplers and sigma schedules as the web interface of A1111 calls them, by which sites sort pictures. */
#ifndef PLADIS_CLI_COMMON_NAMES_H
#define PLADIS_CLI_COMMON_NAMES_H

/** A1111's name of a sampler or schedule of ours; `name` itself where there is none. */
const char *common_name(const char *name);

/** Our name of a sampler of A1111, whatever its case; NULL: there is none. Of several the first. */
const char *common_name_sampler(const char *common);

/** Our name of a schedule of A1111; NULL: there is none. "Automatic" is the sampler's own: "". */
const char *common_name_schedule(const char *common);

#endif

/**
 * What the tracks of an ADM file are, from its chna and axml chunks (ITU-R BS.2088, BS.2076): for every track the channel of
 * the bed, or that it carries an object. Nothing is rendered, nothing else of the metadata is believed. Internal to
 * worker/media; runs in the executor only.
 */
#ifndef WORKER_MEDIA_ADM_READ_H
#define WORKER_MEDIA_ADM_READ_H

#include "common/media/media_facts.h"

#include <stddef.h>

/** axml of a feature with objects that move may have over 1 GiB. */
enum { ADM_CHNA_BYTES_MAX = 4 + 40 * 1024, ADM_AXML_MIB_MAX = 2048, ADM_DBMD_BYTES_MAX = 1 << 16 };

/**
 * Fills out_adm but its axml_size; what is wrong stands in its problem, and its tracks are then of no use. channel_count: of
 * the file.
 */
void adm_read(const adm_document *document, const uint8_t *chna, size_t chna_size, uint32_t channel_count, media_adm *out_adm);

#endif

/* What the metadata of ADM files break: those of received files as they were probed, those of our own as they are written. */
#include "coordinator/verdict/verdict_parts.h"

#include "common/base/byte_reader.h"
#include "common/base/program_part.h"

#include <string.h>

static void tell_breaches(judgement *self, const adm_profile *profile, const char *name, int32_t reel)
{
    const spec_limit *limit = judgement_limit(self, "adm.profile");
    for (uint32_t i = 0; i < profile->breach_count; i++) {
        const adm_breach *broken = &profile->breaches[i];
        finding *item = judgement_add(self, "adm.profile", limit == NULL ? FINDING_WARN : judgement_breach(limit));
        if (limit != NULL)
            judgement_limits(item, limit);
        else
            item->clause = broken->rule < ADM_RULE_EBU_STREAM ? "ITU-R BS.2076, BS.2088"
                           : broken->rule < ADM_RULE_AUDIO    ? "ITU-R BS.2127 as the EBU ADM renderer reads it"
                                                              : "Dolby Atmos Master ADM Profile 1.0, as far as it is public";
        item->subject = adm_rule_name((adm_rule)broken->rule);
        item->reel = reel;
        item->message = arena_format(self->memory, "The ADM of %s breaks rule %s: %s. Export it again from the tool that made it.",
                                     name, item->subject, broken->what);
    }
}

static void tell_unknown(judgement *self, const char *name, const char *why)
{
    finding *item = judgement_add(self, "adm.profile", FINDING_NOT_CHECKED);
    item->message = arena_format(self->memory, "The ADM of %s was not judged: %s.", name, why);
}

/* A chunk of those that a file of ours carries; they are whole. */
static const uint8_t *chunk_of(const output_header *header, const char *id, size_t *out_size)
{
    byte_reader reader;
    byte_reader_init(&reader, header->chunks, header->chunks_size);
    while (byte_reader_left(&reader) >= 8) {
        const uint8_t *name = byte_reader_view(&reader, 4);
        const uint8_t *bytes = byte_reader_blob(&reader, header->chunks_size, out_size);
        if (bytes != NULL && memcmp(name, id, 4) == 0)
            return bytes;
        (void)byte_reader_view(&reader, *out_size % 2);
    }
    return NULL;
}

static void judge_own(judgement *self, const plan_file *file)
{
    const output_header *header = &file->header;
    adm_chunks chunks = {0};
    chunks.chna = chunk_of(header, "chna", &chunks.chna_size);
    size_t axml_size = 0;
    const uint8_t *axml = chunk_of(header, "axml", &axml_size);
    chunks.dbmd = chunk_of(header, "dbmd", &chunks.dbmd_size);
    chunks.dbmd_size = chunks.dbmd == NULL ? 0 : chunks.dbmd_size;
    if (header->object_count > 0) /* its metadata were judged where they were made */
        return;
    if (chunks.chna == NULL || axml == NULL)
        return;
    const adm_audio audio = {header->sample_rate, sample_encoding_bits(header->encoding), header->channel_count,
                             header->frame_count};
    adm_profile profile;
    error_detail detail = {0};
    void (*judge)(const adm_source *, const adm_chunks *, const adm_audio *, adm_profile *) = NULL;
    /* By the part that brings libxml2: few jobs make such files. */
    if (program_part_function("reelmill-adm", "adm_profile_judge_axml", &judge, &detail) != STATUS_OK) {
        tell_unknown(self, file->display, detail.message);
        return;
    }
    judge(&(adm_source){.bytes = axml, .size = axml_size}, &chunks, &audio, &profile);
    tell_breaches(self, &profile, file->display, file->reel);
}

void judge_adm(judgement *self)
{
    const plan *made = self->facts->plan;
    const plan_deliverable *deliverable = self->deliverable;
    for (uint32_t i = 0; deliverable->rendered && i < deliverable->file_count; i++)
        judge_own(self, &made->files[deliverable->first_file + i]);
    for (uint32_t i = 0; !deliverable->rendered && i < deliverable->input_count; i++) {
        const media_adm *adm = &made->facts[deliverable->first_input + i].adm;
        const plan_input *input = &made->inputs.items[deliverable->first_input + i];
        if (adm->present && !adm->profile.judged)
            tell_unknown(self, input->display, adm->problem[0] != '\0' ? adm->problem : "its axml was not read");
        else if (adm->present)
            tell_breaches(self, &adm->profile, input->display, input->reel);
    }
}

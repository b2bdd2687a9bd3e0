/* What a received ADM file holds: programme, bed and objects by name and track. */
#include "coordinator/report/report_adm.h"

#include "common/media/channel_layout.h"

/* NULL: the deliverable was rendered, or its file says nothing of its tracks. */
static const media_adm *adm_of(const report_model *model, uint32_t deliverable)
{
    const plan_deliverable *made = model->plan == NULL ? NULL : &model->plan->deliverables[deliverable];
    if (made == NULL || made->rendered || made->input_count == 0)
        return NULL;
    const media_adm *adm = &model->plan->facts[made->first_input].adm;
    return adm->present && adm->problem[0] == '\0' ? adm : NULL;
}

json_t *report_adm_json(const report_model *model, uint32_t deliverable)
{
    const media_adm *adm = adm_of(model, deliverable);
    if (adm == NULL)
        return json_null();
    const channel_layout *layout = channel_layout_get(model->plan->deliverables[deliverable].layout);
    json_t *tracks = json_array();
    json_t *objects = json_array();
    for (uint32_t i = 0; i < layout->channel_count; i++)
        json_array_append_new(tracks, json_pack("{s:s, s:i}", "channel", channel_label_name(layout->labels[i]), "track",
                                                media_adm_track(adm, (uint8_t)layout->labels[i]) + 1));
    for (uint32_t i = 0; i < adm->object_count; i++)
        json_array_append_new(objects, json_pack("{s:o, s:i}", "name", report_json_text(media_adm_object_name(adm, i)), "track",
                                                 media_adm_object_track(adm, i) + 1));
    return json_pack("{s:o, s:b, s:o, s:o, s:o}", "programme", report_json_text(adm->programme), "dolby_profile", adm->profile.dolby,
                     "bed", report_json_text(adm->bed), "bed_tracks", tracks, "objects", objects);
}

void report_adm_page(page *self, const report_model *model, uint32_t deliverable)
{
    static const page_column columns[] = {{"Track", 1.0, true}, {"Is", 2.0, false}, {"Name", 4.0, false}, {"Judged", 5.0, false}};
    const media_adm *adm = adm_of(model, deliverable);
    if (adm == NULL)
        return;
    const plan_deliverable *made = &model->plan->deliverables[deliverable];
    page_subheading(self, "ADM");
    page_paragraph(self);
    page_format(self, STYLE_SOFT, "Programme \"%s\"%s", adm->programme,
                adm->profile.dolby ? ", held against the Dolby Atmos Master ADM Profile as far as it is public" : "");
    page_table(self, columns, sizeof columns / sizeof columns[0]);
    page_row(self);
    page_add(self, STYLE_PLAIN, "");
    page_next_cell(self);
    page_format(self, STYLE_PLAIN, "bed of %s", channel_layout_get(made->layout)->name);
    page_next_cell(self);
    page_add(self, STYLE_PLAIN, adm->bed);
    page_next_cell(self);
    page_add(self, STYLE_PLAIN, "yes: the figures are its own");
    for (uint32_t i = 0; i < adm->object_count; i++) {
        page_row(self);
        page_format(self, STYLE_PLAIN, "%d", media_adm_object_track(adm, i) + 1);
        page_next_cell(self);
        page_add(self, STYLE_PLAIN, "object");
        page_next_cell(self);
        page_add(self, STYLE_PLAIN, media_adm_object_name(adm, i));
        page_next_cell(self);
        page_add(self, STYLE_PLAIN, "metadata alone; it was not rendered");
    }
}

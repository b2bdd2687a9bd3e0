#include "coordinator/report/report.h"

#include "coordinator/report/html_text.h"
#include "coordinator/report/loudness_plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* One self-contained page without script: the policy forbids everything that is not in the file itself. */
static const char page_head[] =
    "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>"
    ":root{--ink:#16202a;--soft:#5b6b7a;--line:#d8dfe6;--paper:#fff;--shade:#f4f6f8;--pass:#17753b;--warn:#9a6200;"
    "--fail:#b3211d;--inc:#5a3d9e;--curve:#14589b}"
    "*{box-sizing:border-box}body{margin:0;background:var(--shade);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"
    "'Segoe UI',Roboto,'DejaVu Sans',sans-serif}main{max-width:1040px;margin:0 auto;padding:24px 16px 64px}"
    "header,section{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:20px 24px;margin:0 0 18px}"
    "h1{font-size:27px;line-height:1.2;margin:0 0 4px}h2{font-size:19px;margin:0 0 2px;display:flex;gap:10px;align-items:center;"
    "flex-wrap:wrap}h3{font-size:14px;margin:18px 0 6px;color:var(--soft);text-transform:uppercase;letter-spacing:.05em}"
    "p{margin:4px 0}.soft{color:var(--soft)}.badge{color:#fff;border-radius:6px;padding:3px 12px;font-size:14px;font-weight:700;"
    "text-transform:uppercase;letter-spacing:.04em}.big{font-size:22px;padding:8px 22px;display:inline-block;margin:12px 0 4px}"
    ".pass{background:var(--pass)}.warn{background:var(--warn)}.fail{background:var(--fail)}.incomplete,.not_checked{background:var(--inc)}"
    ".info{background:var(--soft)}.signoff{display:grid;grid-template-columns:1fr 1fr;gap:18px;margin-top:10px}.signoff div{border-bottom:1px solid var(--ink);"
    "min-height:52px}.signoff .wide{grid-column:1/-1;min-height:120px}.signoff span{font-size:12px;color:var(--soft)}.waived{opacity:.55;text-decoration:line-through}.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(112px,1fr));gap:10px;margin:14px 0}"
    ".figures div{background:var(--shade);border-radius:8px;padding:8px 12px}.figures b{display:block;font-size:20px;"
    "font-variant-numeric:tabular-nums}.figures span{font-size:12px;color:var(--soft)}table{border-collapse:collapse;width:100%;"
    "font-size:13.5px}th{text-align:left;color:var(--soft);font-weight:600}th,td{border-bottom:1px solid var(--line);"
    "padding:6px 10px 6px 0;vertical-align:top}td.n{font-variant-numeric:tabular-nums;white-space:nowrap}.scroll{overflow-x:auto}"
    "code{font:12.5px ui-monospace,'DejaVu Sans Mono',monospace;overflow-wrap:anywhere}td:first-child code,td:nth-child(2) code{white-space:nowrap}.plot{width:100%;min-width:560px;height:auto;margin-top:6px}"
    ".plot text{font:11px system-ui,'DejaVu Sans',sans-serif;fill:var(--soft);stroke:none}.plot text.ytick{text-anchor:end}"
    ".plot path{fill:none}.grid{stroke:var(--line)}path.reel{stroke:#90a0b0;stroke-dasharray:3 4}.shortterm{stroke:var(--curve);"
    "stroke-width:1.8}.momentary{stroke:#9cc0e2;stroke-width:1}.integrated{stroke:var(--pass);stroke-width:1.5;"
    "stroke-dasharray:7 4}path.limit{stroke:var(--fail);stroke-dasharray:2 3}.legend{font-size:12px;color:var(--soft)}"
    ".k{display:inline-block;width:22px;height:0;border-top:3px solid;margin:0 5px 3px 12px}.k.shortterm{border-color:var(--curve)}"
    ".k.momentary{border-color:#9cc0e2}.k.integrated{border-color:var(--pass)}.k.limit{border-color:var(--fail)}"
    "@media print{body{background:#fff}main{max-width:none;padding:0}header,section{border:0;border-radius:0;border-top:2px solid "
    "var(--ink);padding:12px 0;break-inside:auto}tr,svg,.figures{break-inside:avoid}.badge{-webkit-print-color-adjust:exact;"
    "print-color-adjust:exact}}"
    "@media(max-width:600px){table.list,table.list tbody,table.list tr,table.list td{display:block;border:0}table.list th{display:none}"
    "table.list tr{border-bottom:1px solid var(--line);padding:8px 0}table.list td{padding:2px 0}"
    "header,section{padding:16px 14px}h1{font-size:22px}}</style><title>";

static void put(byte_writer *writer, const char *markup)
{
    byte_writer_bytes(writer, markup, strlen(markup));
}

static void put_badge(byte_writer *writer, const char *word, const char *more)
{
    html_markup(writer, "<span class=\"badge %s%s\">%s</span>", word, more, strcmp(word, "not_checked") == 0 ? "not checked" : word);
}

static void put_figure(byte_writer *writer, double value, const char *unit, const char *name)
{
    if (isfinite(value))
        html_markup(writer, "<div><b>%.1f</b><span>%s &middot; %s</span></div>", verdict_displayed(value), unit, name);
    else
        html_markup(writer, "<div><b>&ndash;</b><span>%s &middot; %s</span></div>", unit, name);
}

static void put_cell(byte_writer *writer, double value)
{
    if (isfinite(value))
        html_markup(writer, "<td class=\"n\">%.1f</td>", verdict_displayed(value));
    else
        put(writer, "<td class=\"n\">&ndash;</td>");
}

static void put_place(byte_writer *writer, const report_model *model, const plan_timeline *timeline, const finding *item)
{
    put(writer, "<td class=\"n\">");
    if (item->has_range && timeline != NULL) {
        char text[TIMECODE_TEXT_SIZE];
        if (timeline->has_start && model->show->rate.num != 0) {
            timecode_format(timeline->start_frame +
                                timecode_frame_of_sample(item->start_sample, &model->show->rate, timeline->sample_rate),
                            &model->show->rate, text);
            html_text(writer, text);
        } else {
            html_markup(writer, "%.3f s", (double)item->start_sample / (double)timeline->sample_rate);
        }
        if (item->reel >= 0 && model->show->reels[item->reel].name[0] != '\0') {
            put(writer, "<br><span class=\"soft\">");
            html_text(writer, model->show->reels[item->reel].name);
            put(writer, "</span>");
        }
    } else {
        put(writer, "<span class=\"soft\">whole programme</span>");
    }
    put(writer, "</td>");
}

static void put_waiver(byte_writer *writer, const finding *item)
{
    const show_waiver *waiver = item->waiver != NULL ? item->waiver : item->stale;
    if (waiver == NULL)
        return;
    put(writer, item->waiver != NULL ? "<br><b>Waived</b> by " : "<br><b>Waiver does not hold</b>, the figure is another: by ");
    html_text(writer, waiver->who);
    put(writer, ", ");
    html_text(writer, waiver->when);
    put(writer, ": ");
    html_text(writer, waiver->why);
}

static void put_findings(byte_writer *writer, const report_model *model, const plan_timeline *timeline,
                         const finding_list *list)
{
    if (list->count == 0) {
        put(writer, "<p class=\"soft\">No findings.</p>");
        return;
    }
    put(writer, "<h3>Findings</h3><div class=\"scroll\"><table class=\"list\"><tr><th>Severity</th><th>Check</th><th>Where</th><th>What</th></tr>");
    for (size_t i = 0; i < list->count; i++) {
        const finding *item = &list->items[i];
        put(writer, "<tr><td>");
        put_badge(writer, finding_severity_name(item->severity), item->waiver != NULL ? " waived" : "");
        put(writer, "</td><td><code>");
        html_text(writer, item->check);
        put(writer, "</code><br><span class=\"soft\">");
        html_text(writer, item->id);
        put(writer, "</span></td>");
        put_place(writer, model, timeline, item);
        put(writer, "<td>");
        html_text(writer, item->message);
        put_waiver(writer, item);
        if (item->clause != NULL && item->clause[0] != '\0') {
            put(writer, "<br><span class=\"soft\">");
            html_text(writer, item->clause);
            put(writer, "</span>");
        }
        if (item->netflix_code != NULL) {
            put(writer, " <span class=\"soft\">Netflix ");
            html_text(writer, item->netflix_code);
            put(writer, "</span>");
        }
        if (item->ebu_qc != NULL) {
            put(writer, " <span class=\"soft\">EBU QC ");
            html_text(writer, item->ebu_qc);
            put(writer, "</span>");
        }
        put(writer, "</td></tr>");
    }
    put(writer, "</table></div>");
}

static double figure_of(const programme_verdict *verdict, const char *check)
{
    const struct {
        const char *check;
        double value;
    } figures[] = {{"loudness.integrated", verdict->loudness.integrated_lufs},
                   {"loudness.range", verdict->loudness.range_lu},
                   {"loudness.dialogue", verdict->dialogue.lufs},
                   {"loudness.dialogue_range", verdict->dialogue.range_lu},
                   {"loudness.max_momentary", verdict->loudness.max_momentary_lufs},
                   {"loudness.max_short_term", verdict->loudness.max_short_term_lufs},
                   {"peak.true", measure_db(verdict->peaks.true_peak)},
                   {"peak.sample", measure_db(verdict->peaks.sample_peak)}};
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        if (strcmp(figures[i].check, check) == 0)
            return figures[i].value;
    return NAN;
}

static void put_limit(byte_writer *writer, const spec_limit *limit)
{
    for (uint32_t i = 0; i < limit->word_count; i++) {
        put(writer, i == 0 ? "" : ", ");
        html_text(writer, limit->words[i]);
    }
    if (limit->word_count == 0 && isfinite(limit->min) && isfinite(limit->max))
        html_markup(writer, "%.6g to %.6g ", limit->min, limit->max);
    else if (limit->word_count == 0 && isfinite(limit->max))
        html_markup(writer, "at most %.6g ", limit->max);
    else if (limit->word_count == 0 && isfinite(limit->min))
        html_markup(writer, "at least %.6g ", limit->min);
    html_text(writer, limit->unit == NULL ? "" : limit->unit);
}

/* Everything the spec asks for, with what was found: a reader sees what was checked, not only what failed. */
static void put_limits(byte_writer *writer, const spec *rules, const programme_verdict *verdict)
{
    if (rules == NULL || rules->limit_count == 0)
        return;
    put(writer, "<h3>Checked against the spec</h3><div class=\"scroll\"><table class=\"list\"><tr><th>Check</th><th>Allowed</th><th>Found</th>"
                "<th>Result</th><th>Clause</th></tr>");
    for (uint32_t i = 0; i < rules->limit_count; i++) {
        const spec_limit *limit = &rules->limits[i];
        const char *result = "pass";
        const char *found = NULL;
        for (size_t k = verdict->findings.count; k-- > 0;) /* worst first: the first one stays */
            if (verdict->findings.items[k].rule == limit) {
                result = finding_severity_name(verdict->findings.items[k].severity);
                found = verdict->findings.items[k].measured_word;
            }
        double figure = figure_of(verdict, limit->check);
        put(writer, "<tr><td><code>");
        html_text(writer, limit->check);
        put(writer, "</code></td><td class=\"n\">");
        put_limit(writer, limit);
        put(writer, "</td><td class=\"n\">");
        if (isfinite(figure))
            html_markup(writer, "%.1f", verdict_displayed(figure));
        else
            html_text(writer, found != NULL                        ? found
                              : !verdict_measures(limit->check) ? ""
                              : strcmp(result, "pass") == 0     ? "as allowed"
                                                                : "see findings");
        put(writer, "</td><td>");
        bool in_force = verdict_in_force(verdict, limit);
        bool outside = verdict_displayed(figure) < limit->min || verdict_displayed(figure) > limit->max;
        if (!in_force)
            html_markup(writer, "<span class=\"soft\">not in force with %.1f %% of speech</span>",
                        verdict_displayed(verdict->dialogue.speech_share * 100.0));
        else if (strcmp(result, "pass") == 0 && limit->group >= 0 && (outside || !verdict_measures(limit->check)))
            put(writer, outside ? "<span class=\"soft\">outside; another limit of its group holds</span>"
                                : "<span class=\"soft\">not measured; another limit of its group holds</span>");
        else
            put_badge(writer, result, "");
        put(writer, "</td><td class=\"soft\">");
        html_text(writer, limit->clause);
        put(writer, limit->evidence == EVIDENCE_PRIMARY ? "" : limit->evidence == EVIDENCE_SECONDARY
                                                                   ? " (secondary source)" : " (unverified)");
        put(writer, "</td></tr>");
    }
    put(writer, "</table></div>");
}

static void put_channels(byte_writer *writer, const plan_deliverable *made, const peak_figures *peaks)
{
    const channel_layout *layout = channel_layout_get(made->layout);
    put(writer, "<h3>Channels</h3><div class=\"scroll\"><table><tr><th>Channel</th>");
    for (uint32_t c = 0; c < layout->channel_count; c++)
        html_markup(writer, "<th>%s</th>", channel_label_name(layout->labels[c]));
    put(writer, "</tr><tr><td>True peak, dBTP</td>");
    for (uint32_t c = 0; c < layout->channel_count; c++)
        put_cell(writer, measure_db(peaks->channels[c].true_peak));
    put(writer, "</tr><tr><td>Sample peak, dBFS</td>");
    for (uint32_t c = 0; c < layout->channel_count; c++)
        put_cell(writer, measure_db(peaks->channels[c].sample_peak));
    put(writer, "</tr></table></div>");
}

static void put_reels(byte_writer *writer, const report_model *model, const report_programme *programme,
                      const plan_timeline *timeline)
{
    if (programme->measure == NULL || timeline->piece_count < 2)
        return;
    put(writer, "<h3>Reels (information)</h3><div class=\"scroll\"><table><tr><th>Reel</th><th>Integrated, LUFS</th><th>Dialogue, LUFS</th><th>Speech, %</th><th>Range, LU</th>"
                "<th>Max short-term, LUFS</th><th>True peak, dBTP</th></tr>");
    for (uint32_t i = 0; i < timeline->piece_count; i++) {
        const plan_piece *piece = &timeline->pieces[i];
        uint64_t end = piece->programme_frame + piece->frame_count;
        loudness_figures loudness = programme_measure_loudness(programme->measure, piece->programme_frame, end);
        peak_figures peaks = programme_measure_peaks_between(programme->measure, piece->programme_frame, end);
        put(writer, "<tr><td>");
        html_text(writer, piece->spans_reels ? "all" : model->show->reels[piece->reel].name);
        put(writer, "</td>");
        dialogue_figures dialogue =
            speech_measure_dialogue(programme->measure, programme->speech, piece->programme_frame, end);
        put_cell(writer, loudness.integrated_lufs);
        put_cell(writer, dialogue.lufs);
        put_cell(writer, dialogue.speech_share * 100.0);
        put_cell(writer, loudness.range_lu);
        put_cell(writer, loudness.max_short_term_lufs);
        put_cell(writer, measure_db(peaks.true_peak));
        put(writer, "</tr>");
    }
    put(writer, "</table></div>");
}

/* Two meters side by side; only ours is judged. */
static void put_second_meter(byte_writer *writer, const report_model *model, const report_programme *programme)
{
    if (model->meter == NULL)
        return;
    put(writer, "<h3>Second meter (information)</h3>");
    if (programme->second == NULL) {
        put(writer, "<p class=\"soft\">");
        html_text(writer, model->meter);
        put(writer, " has no figures: the programme was not published, or its task failed.</p>");
        return;
    }
    const task_meter_result *second = programme->second;
    const loudness_figures *ours = &programme->verdict.loudness;
    put(writer, "<div class=\"scroll\"><table><tr><th>Meter</th><th>Integrated, LUFS</th><th>Range, LU</th><th>Max momentary, LUFS</th>"
                "<th>Max short-term, LUFS</th><th>True peak, dBTP</th></tr><tr><td>reelmill</td>");
    put_cell(writer, ours->integrated_lufs);
    put_cell(writer, ours->range_lu);
    put_cell(writer, ours->max_momentary_lufs);
    put_cell(writer, ours->max_short_term_lufs);
    put_cell(writer, measure_db(programme->verdict.peaks.true_peak));
    put(writer, "</tr><tr><td>");
    html_text(writer, model->meter);
    put(writer, "</td>");
    put_cell(writer, second->integrated_lufs);
    put_cell(writer, isfinite(second->integrated_lufs) ? second->range_lu : (double)NAN);
    put_cell(writer, second->max_momentary_lufs);
    put_cell(writer, second->max_short_term_lufs);
    put_cell(writer, measure_db(second->true_peak));
    put(writer, "</tr></table></div>");
}

static void put_programme(byte_writer *writer, const report_model *model, const report_programme *programme)
{
    const show_deliverable *wanted = &model->show->deliverables[programme->deliverable];
    const plan_deliverable *made = model->plan == NULL ? NULL : &model->plan->deliverables[programme->deliverable];
    const plan_timeline *timeline =
        made == NULL || made->timeline == 0xFFFF ? NULL : &model->plan->timelines[made->timeline];
    const programme_verdict *verdict = &programme->verdict;
    put(writer, "<section><h2>");
    html_text(writer, wanted->name);
    put_badge(writer, verdict_word_name(verdict->word), "");
    put(writer, "</h2><p class=\"soft\">");
    if (made != NULL)
        html_text(writer, channel_layout_get(made->layout)->name);
    put(writer, wanted->recipe_name != NULL ? " by recipe " : " received as ");
    html_text(writer, wanted->recipe_name != NULL ? wanted->recipe_name : wanted->file);
    if (made != NULL && made->gain_source != PLAN_DELIVERABLE_NONE && isfinite(programme->gain_db)) {
        html_markup(writer, ", gain %+.2f dB", programme->gain_db);
        put(writer, made->gain_scanned ? ", found for the spec of " : ", that of ");
        html_text(writer, model->show->deliverables[made->gain_source].name);
    }
    if (wanted->spec != NULL) {
        put(writer, ", judged by ");
        html_text(writer, wanted->spec->title != NULL ? wanted->spec->title : wanted->spec->name);
        put(writer, ", version ");
        html_text(writer, wanted->spec->version);
    }
    put(writer, "</p>");
    if (programme->failure != NULL) {
        put(writer, "<p><b>");
        html_text(writer, programme->failure);
        put(writer, "</b></p>");
    }
    if (timeline != NULL && programme->measure != NULL) {
        put(writer, "<div class=\"figures\">");
        put_figure(writer, verdict->loudness.integrated_lufs, "LUFS", "integrated");
        put_figure(writer, verdict->dialogue.lufs, "LUFS", "dialogue");
        if (!isnan(verdict->dialogue.speech_share))
            put_figure(writer, verdict->dialogue.speech_share * 100.0, "%", "speech");
        put_figure(writer, verdict->loudness.range_lu, "LU", "loudness range");
        put_figure(writer, verdict->loudness.max_short_term_lufs, "LUFS", "max short-term");
        put_figure(writer, verdict->loudness.max_momentary_lufs, "LUFS", "max momentary");
        put_figure(writer, measure_db(verdict->peaks.true_peak), "dBTP", "true peak");
        put(writer, "</div>");
        loudness_plot(writer, model, programme);
    }
    put_findings(writer, model, timeline, &verdict->findings);
    put_limits(writer, wanted->spec, verdict);
    if (timeline != NULL && programme->measure != NULL) {
        put_channels(writer, made, &verdict->peaks);
        put_second_meter(writer, model, programme);
        put_reels(writer, model, programme, timeline);
    }
    put(writer, "</section>");
}

/* Stems of which there is something to say. */
static void put_stems(byte_writer *writer, const report_model *model)
{
    for (uint32_t i = 0; i < model->stem_count; i++) {
        const report_stem *stem = &model->stems[i];
        if (stem->verdict.findings.count == 0)
            continue;
        put(writer, "<section><h2>Stem ");
        html_text(writer, model->show->stems[stem->stem].name);
        put(writer, " ");
        html_text(writer, model->show->reels[stem->reel].name);
        put(writer, "</h2>");
        put_findings(writer, model, stem->verdict.timeline, &stem->verdict.findings);
        put(writer, "</section>");
    }
}

static void put_files(byte_writer *writer, const report_model *model)
{
    put(writer, "<section><h2>Files</h2><p class=\"soft\">Digests are XXH3-128 of every byte; rendered files were read back from the medium after writing, received files were read as they are.</p>"
                "<div class=\"scroll\"><table><tr><th>File</th><th>Form</th><th>Length</th><th>Digest of the file</th></tr>");
    for (uint32_t i = 0; i < model->file_count; i++) {
        const report_file *file = &model->files[i];
        char digest[CONTENT_HASH_TEXT_SIZE];
        content_hash_to_text(&file->file_digest, digest);
        put(writer, "<tr><td><code>");
        html_text(writer, file->path);
        put(writer, "</code></td><td>");
        html_text(writer, file->container);
        put(writer, " ");
        html_text(writer, file->encoding);
        html_markup(writer, ", %u Hz, %u ch</td><td class=\"n\">%.3f s</td><td><code>", file->sample_rate, file->channels,
                    file->sample_rate == 0 ? 0.0 : (double)file->frames / (double)file->sample_rate);
        html_text(writer, file->failure != NULL ? file->failure : file->has_digests ? digest : "");
        put(writer, "</code></td></tr>");
    }
    put(writer, "</table></div></section>");
}

static void put_problems(byte_writer *writer, const report_model *model)
{
    static const char *const words[] = {"info", "warn", "fail"};
    if (model->problems == NULL || model->problems->count == 0)
        return;
    put(writer, "<section><h2>Handoff</h2><table>");
    for (size_t i = 0; i < model->problems->count; i++) {
        put(writer, "<tr><td>");
        put_badge(writer, words[model->problems->items[i].severity], "");
        put(writer, "</td><td><code>");
        html_text(writer, model->problems->items[i].file);
        put(writer, "</code></td><td>");
        html_text(writer, model->problems->items[i].message);
        put(writer, "</td></tr>");
    }
    put(writer, "</table></section>");
}

/* Specs by name, version and digest: what was judged by can be told from what has the same name. */
static void put_specs(byte_writer *writer, const report_model *model)
{
    put(writer, "<h3>Specs</h3><div class=\"scroll\"><table><tr><th>Spec</th><th>Version</th><th>Digest</th><th>Source</th></tr>");
    for (uint32_t i = 0; i < model->programme_count; i++) {
        const spec *rules = model->show->deliverables[model->programmes[i].deliverable].spec;
        bool told = rules == NULL;
        for (uint32_t k = 0; k < i; k++)
            told = told || model->show->deliverables[model->programmes[k].deliverable].spec == rules;
        if (told)
            continue;
        char digest[CONTENT_HASH_TEXT_SIZE];
        content_hash_to_text(&rules->digest, digest);
        put(writer, "<tr><td><code>");
        html_text(writer, rules->name);
        put(writer, "</code></td><td>");
        html_text(writer, rules->version);
        put(writer, "</td><td><code>");
        html_text(writer, digest);
        put(writer, "</code></td><td class=\"soft\">");
        html_text(writer, rules->source);
        put(writer, "</td></tr>");
    }
    put(writer, "</table></div>");
}

static void put_sign_off(byte_writer *writer)
{
    static const char *const lines[] = {"Listened to by", "Date", "Remarks", "Signature"};
    put(writer, "<section><h2>Sign-off</h2><div class=\"signoff\">");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        html_markup(writer, "<div%s><span>%s</span></div>", i == 2 ? " class=\"wide\"" : "", lines[i]);
    put(writer, "</div></section>");
}

static void put_method(byte_writer *writer, const report_model *model)
{
    put(writer, "<section><h2>Method</h2><p>Loudness by ITU-R BS.1770-5 (400 ms blocks, gates at -70 LUFS and -10 LU), maxima in 10 ms steps "
                "(EBU Tech 3341), loudness range by EBU Tech 3342, dialogue loudness over the blocks in which the dialogue stem speaks (our own gate by "
                "stem, BS.1770-1 without level gates; not Dolby's), true peak by BS.1770-5 Annex 2 (4 x, 12 taps per phase). Levels are judged "
                "as displayed, at 0.1 dB. Programme limits apply from the first to the last frame of action of all reels.</p><p class=\"soft\">");
    html_text(writer, model->engine);
    put(writer, ", job ");
    html_text(writer, model->job_id);
    html_markup(writer, ": %u tasks, %u retries, %u workers, %.1f s. ", model->task_count, model->retry_count,
                model->worker_count, model->wall_seconds);
    html_text(writer, model->finished_text);
    put(writer, "</p>");
    put_specs(writer, model);
    put(writer, "</section>");
}

status report_html(const report_model *model, byte_writer *writer)
{
    put(writer, page_head);
    html_text(writer, model->show->title);
    put(writer, " QC report</title></head><body><main><header><p class=\"soft\">Audio QC report</p><h1>");
    html_text(writer, model->show->title);
    put(writer, "</h1><p class=\"soft\">");
    html_text(writer, model->show->slug);
    put(writer, " ");
    html_text(writer, model->show->version);
    if (model->show->date[0] != '\0') {
        put(writer, ", ");
        html_text(writer, model->show->date);
    }
    if (model->show->rate.num != 0)
        html_markup(writer, ", %s fps", frame_rate_name(&model->show->rate));
    put(writer, "</p>");
    put_badge(writer, verdict_word_name(model->verdict), " big");
    put(writer, "<div class=\"scroll\"><table><tr><th>Deliverable</th><th>Verdict</th><th>Spec</th><th>Integrated, LUFS</th><th>True peak, dBTP</th><th>Findings</th></tr>");
    for (uint32_t i = 0; i < model->programme_count; i++) {
        const report_programme *programme = &model->programmes[i];
        const show_deliverable *wanted = &model->show->deliverables[programme->deliverable];
        put(writer, "<tr><td><b>");
        html_text(writer, wanted->name);
        put(writer, "</b></td><td>");
        put_badge(writer, verdict_word_name(programme->verdict.word), "");
        put(writer, "</td><td>");
        html_text(writer, wanted->spec_name);
        put(writer, "</td>");
        put_cell(writer, programme->verdict.loudness.integrated_lufs);
        put_cell(writer, measure_db(programme->verdict.peaks.true_peak));
        html_markup(writer, "<td class=\"n\">%zu</td></tr>", programme->verdict.findings.count);
    }
    put(writer, "</table></div></header>");
    put_problems(writer, model);
    for (uint32_t i = 0; i < model->programme_count; i++)
        put_programme(writer, model, &model->programmes[i]);
    put_stems(writer, model);
    put_files(writer, model);
    put_method(writer, model);
    put_sign_off(writer);
    put(writer, "</main></body></html>\n");
    return writer->failed ? STATUS_LIMIT : STATUS_OK;
}

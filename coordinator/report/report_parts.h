/** What the files that make the page of a report share. Not for others. */
#ifndef COORDINATOR_REPORT_REPORT_PARTS_H
#define COORDINATOR_REPORT_REPORT_PARTS_H

#include "coordinator/report/page.h"
#include "coordinator/report/report.h"

/** The picture rate that a timeline counts; the show's for NULL. */
const frame_rate *report_rate(const report_model *model, const plan_timeline *timeline);
/** "01:00:12:04" of a programme frame, or "12.345 s" and "0:01:12.345" where there is no timecode. */
const char *report_place(const report_model *model, const plan_timeline *timeline, uint64_t frame, arena *memory);
/** Timecode of a finding within its reel: from the reel's FFOA on, as the reel's own files count. False: there is none. */
bool report_reel_frame(const report_model *model, const plan_timeline *timeline, const finding *item, uint64_t *out_frame);
/** Of a deliverable; NULL where it has none. */
const plan_timeline *report_timeline(const report_model *model, uint16_t deliverable);

/** A qc of files, which has no title of its own (show_for_qc.c). */
bool report_is_of_files(const report_model *model);
/** What people call a programme: in a qc of files its file. */
const char *report_name(const report_model *model, uint16_t deliverable);
/** What the report is of, in a line. */
const char *report_title(const report_model *model, arena *memory);
/** Of its programmes, the worst first: [programme_count] indices. */
const uint32_t *report_order(const report_model *model, arena *memory);
/** sections: of how many programmes in that order there is a section, which the cover leads to. */
void report_cover(page *self, const report_model *model, const uint32_t *order, uint32_t sections);

/** By which links name the section of a programme. */
const char *report_mark(const report_programme *programme, arena *memory);

/** The findings of a programme or a stem as a table; programme NULL: of a stem, without pictures. */
void report_findings(page *self, const report_model *model, const report_programme *programme, const plan_timeline *timeline,
                     const finding_list *list);
/** Everything the spec asks for, with what was found. */
void report_limits(page *self, const spec *rules, const programme_verdict *verdict);
void report_programme_section(page *self, const report_model *model, const report_programme *programme);

/** A frame of a plot over programme time: axis below, grid left, reels above. */
typedef struct time_plot {
    drawing *picture;
    const plan_timeline *timeline;
    double left, right, top, bottom; /**< of the plotted area */
} time_plot;
time_plot time_plot_begin(const report_model *model, const plan_timeline *timeline, double width, double height, double left,
                          double right, const char *label, arena *memory);
double time_plot_x(const time_plot *self, uint64_t frame);

/** Loudness over time with gates, limits and reels. All charts: NULL where there is nothing to show. */
const drawing *chart_loudness(const report_model *model, const report_programme *programme, arena *memory);
/** Largest true peak of each stretch of time, channel by channel, with what lies above the limit. */
const drawing *chart_true_peak(const report_model *model, const report_programme *programme, arena *memory);
/** RMS of each channel over time. */
const drawing *chart_levels(const report_model *model, const report_programme *programme, arena *memory);
/** What was found to leak between stems, and how little would have been found. */
const drawing *chart_bleed(const report_model *model, const report_programme *programme, arena *memory);
/** Offset over time against the reference, measured and fitted, of one track. */
const drawing *chart_sync(const report_model *model, uint32_t listen, arena *memory);
/** Momentary loudness around a finding, with its place marked: a thumbnail. */
const drawing *chart_thumbnail(const report_programme *programme, const finding *item, arena *memory);
/** What was read again that shows a finding, or NULL. */
const task_excerpt_item *report_excerpt(const report_model *model, const report_programme *programme, const finding *item);
/** The spectrogram of an excerpt with the place of a finding in it: small, or as wide as a page with its axes. */
const drawing *chart_excerpt_small(const task_excerpt_item *excerpt, const finding *item, arena *memory);
const drawing *chart_excerpt(const report_model *model, const plan_timeline *timeline, const task_excerpt_item *excerpt,
                             const finding *item, arena *memory);
/** Spectra of the cells around a finding in the channels it names, or all. */
const drawing *chart_spectrum(const report_model *model, const report_programme *programme, const plan_timeline *timeline,
                              const finding *item, arena *memory);

#endif

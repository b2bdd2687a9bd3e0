/** Loudness over time as an inline SVG: short-term and momentary curves, the spec's lines, reel boundaries. */
#ifndef COORDINATOR_REPORT_LOUDNESS_PLOT_H
#define COORDINATOR_REPORT_LOUDNESS_PLOT_H

#include "coordinator/report/report.h"

/** Draws one programme; nothing when it was not measured. */
void loudness_plot(byte_writer *writer, const report_model *model, const report_programme *programme);

#endif

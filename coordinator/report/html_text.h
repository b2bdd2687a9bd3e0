/** One escaping function for the one context that untrusted text enters in report.html: element text and quoted attributes. */
#ifndef COORDINATOR_REPORT_HTML_TEXT_H
#define COORDINATOR_REPORT_HTML_TEXT_H

#include "common/base/byte_writer.h"
#include "common/base/status.h"

/** Writes text with & < > " ' escaped, control characters and bytes that are not UTF-8 replaced by '?'. */
void html_text(byte_writer *writer, const char *text);
/** Markup of our own making; numbers only. Never pass text from outside here: use html_text. */
void html_markup(byte_writer *writer, const char *format, ...) PRINTF_LIKE(2, 3);
/** A coordinate, to a tenth: pictures have thousands of them. */
void html_coordinate(byte_writer *writer, double value);

#endif

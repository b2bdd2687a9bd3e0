/** Texts of a PDF's sheets. Not for others than page_pdf.c. */
#ifndef COORDINATOR_REPORT_PAGE_PDF_TEXT_H
#define COORDINATOR_REPORT_PAGE_PDF_TEXT_H

#include "coordinator/report/page.h"

typedef struct _PangoLayout PangoLayout; /* as pango has it */

/** The fonts, and what was laid out with them. */
typedef struct pdf_text pdf_text;
pdf_text *pdf_text_create(void);
void pdf_text_destroy(pdf_text *self);

/** What pango can show, to be freed by g_free; the ends of our own lines come between these texts. */
char *pdf_text_clean(const char *text);
/** A layout of these texts, to be given back. */
PangoLayout *pdf_text_make(pdf_text *self, const page_spans *spans, double size, double width);
/** As above; what was laid out once is taken again. Not to be changed. */
PangoLayout *pdf_text_layout(pdf_text *self, const page_spans *spans, double size, double width);
PangoLayout *pdf_text_line(pdf_text *self, page_style style, const char *text, double size, double width);
double pdf_text_height(PangoLayout *layout);
double pdf_text_width(PangoLayout *layout);
/** Letters laid out that no font of this machine has: boxes with their numbers. */
int pdf_text_missing(const pdf_text *self);

#endif

/* page_pdf() by the part that brings pango and cairo. */
#include "common/base/program_part.h"
#include "coordinator/report/page.h"

#ifdef REELMILL_SANITIZED
/* What fontconfig loads once and never gives back (2.14.1: one pattern of 256 bytes) is no leak of ours. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\n";
}
#endif

typedef status (*page_pdf_fn)(const page *, byte_writer *, error_detail *);

static status load(page_pdf_fn *out_draw, error_detail *detail)
{
    return program_part_function("reelmill-pdf", "page_pdf", out_draw, detail);
}

status page_pdf_ready(error_detail *detail)
{
    page_pdf_fn draw = NULL;
    return load(&draw, detail);
}

status page_pdf(const page *self, byte_writer *writer, error_detail *detail)
{
    page_pdf_fn draw = NULL;
    status code = load(&draw, detail);
    return code == STATUS_OK ? draw(self, writer, detail) : code;
}

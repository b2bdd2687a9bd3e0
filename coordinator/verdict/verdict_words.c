#include "coordinator/verdict/verdict.h"

#include <math.h>
#include <string.h>

const char *finding_severity_name(finding_severity severity)
{
    static const char *const names[] = {"info", "not_checked", "warn", "fail"};
    return severity <= FINDING_FAIL ? names[severity] : "not_checked";
}

const char *verdict_word_name(verdict_word word)
{
    static const char *const names[] = {"pass", "warn", "incomplete", "fail"};
    return word <= VERDICT_FAIL ? names[word] : "incomplete";
}

verdict_word verdict_worst(verdict_word a, verdict_word b)
{
    return a > b ? a : b;
}

bool finding_alike(const finding *a, const finding *b)
{
    if (strcmp(a->check, b->check) != 0 || a->severity != b->severity || (a->waiver == NULL) != (b->waiver == NULL))
        return false;
    if (strcmp(a->check, "stems.null") != 0 || a->subject == NULL || b->subject == NULL)
        return true;
    return strcspn(a->subject, " ") == strcspn(b->subject, " ") && strncmp(a->subject, b->subject, strcspn(a->subject, " ")) == 0;
}

double finding_excess(const finding *item)
{
    return fmax(fmax(item->measured - item->max, item->min - item->measured), 0.0); /* fmax leaves out what is NAN */
}

bool finding_worse(const finding *a, const finding *b)
{
    bool placed = a->has_range && !b->has_range; /* how many more there are says less than any of them */
    return finding_excess(a) > finding_excess(b) || (placed && !(finding_excess(b) > 0.0));
}

int verdict_rank_compare(const void *a, const void *b)
{
    const verdict_rank *left = a;
    const verdict_rank *right = b;
    if (left->word != right->word)
        return left->word > right->word ? -1 : 1;
    if (left->fails != right->fails)
        return left->fails > right->fails ? -1 : 1;
    if (left->warnings != right->warnings)
        return left->warnings > right->warnings ? -1 : 1;
    return left->place < right->place ? -1 : left->place > right->place;
}

double verdict_displayed(double value)
{
    if (!isfinite(value))
        return value;
    /*
     * Half away from zero, of the decimal number a person would write down: -25.05 is stored a little nearer to zero
     * than it reads, so a value within 1e-9 of a half counts as that half.
     */
    double tenths = floor(fabs(value) * 10.0 + 0.5 + 1e-9) / 10.0;
    return tenths == 0.0 ? 0.0 : copysign(tenths, value);
}

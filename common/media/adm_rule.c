/* Beside adm_profile.c, for programs that name what was broken and read no XML themselves. */
#include "common/media/adm_profile.h"

const char *adm_rule_name(adm_rule rule)
{
    static const char *const names[ADM_RULE_COUNT] = {"axml",    "chna",    "identifier", "reference", "uid", "ebu_stream", "ebu_lfe",
                                                      "audio",   "counts",  "programme",  "content",   "object",
                                                      "pack",    "bed",     "bed_block",  "object_block", "stream", "format", "track", "block", "dbmd"};
    return (unsigned)rule < ADM_RULE_COUNT ? names[rule] : "?";
}

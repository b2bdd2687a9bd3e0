#include "coordinator/access/access_rule.h"

#include <string.h>

typedef struct access_rule {
    message_type type;
    const char *verb; /* of a COMMAND, or what a QUERY asks; NULL = whatever it holds */
    access_right rights[ACCESS_ROLE_COUNT];
} access_rule;

/* Short words, so that the table reads as one. */
#define NO RIGHT_NONE
#define OWN RIGHT_OWN
#define ALL RIGHT_ALL

static const access_rule rules[] = {
    /*                              worker submitter operator viewer local */
    {MESSAGE_HELLO, NULL,           {ALL,  NO,       NO,      NO,    ALL}},
    {MESSAGE_HEARTBEAT, NULL,       {ALL,  NO,       NO,      NO,    ALL}},
    {MESSAGE_CELL, NULL,            {ALL,  NO,       NO,      NO,    ALL}},
    {MESSAGE_RESULT, NULL,          {ALL,  NO,       NO,      NO,    ALL}},
    {MESSAGE_FETCH, NULL,           {ALL,  NO,       NO,      NO,    ALL}},
    {MESSAGE_GOODBYE, NULL,         {ALL,  NO,       NO,      NO,    ALL}},
    {MESSAGE_QUERY, "about",        {ALL,  ALL,      ALL,     ALL,   ALL}}, /* engine and time: `doctor` with a node's key */
    {MESSAGE_QUERY, NULL,           {NO,   ALL,      ALL,     ALL,   ALL}},
    {MESSAGE_SUBMIT_BEGIN, NULL,    {NO,   ALL,      ALL,     NO,    ALL}},
    {MESSAGE_SUBMIT_APPEND, NULL,   {NO,   ALL,      ALL,     NO,    ALL}},
    {MESSAGE_SUBMIT_COMMIT, NULL,   {NO,   ALL,      ALL,     NO,    ALL}},
    {MESSAGE_COMMAND, "cancel",     {NO,   OWN,      ALL,     NO,    ALL}},
    {MESSAGE_COMMAND, "retry",      {NO,   OWN,      ALL,     NO,    ALL}},
    {MESSAGE_COMMAND, "hold",       {NO,   OWN,      ALL,     NO,    ALL}},
    {MESSAGE_COMMAND, "release",    {NO,   OWN,      ALL,     NO,    ALL}},
    {MESSAGE_COMMAND, "prio",       {NO,   OWN,      ALL,     NO,    ALL}},
    {MESSAGE_COMMAND, "drain",      {NO,   NO,       ALL,     NO,    ALL}},
    {MESSAGE_COMMAND, "undrain",    {NO,   NO,       ALL,     NO,    ALL}},
    {MESSAGE_COMMAND, "root-moved", {NO,   NO,       ALL,     NO,    ALL}},
    {MESSAGE_COMMAND, "backup",     {NO,   NO,       ALL,     NO,    ALL}},
    {MESSAGE_COMMAND, "shutdown",   {NO,   NO,       NO,      NO,    ALL}}, /* and only of a private farm */
    {MESSAGE_COMMAND, NULL,         {NO,   NO,       ALL,     NO,    ALL}}, /* any other: told that there is none */
};

access_right access_rule_right(access_role role, const message *said)
{
    if (role >= ACCESS_ROLE_COUNT)
        return RIGHT_NONE;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].type != said->type)
            continue;
        const char *verb = said->type == MESSAGE_QUERY ? said->query.what : said->command.verb;
        if (rules[i].verb == NULL || strcmp(rules[i].verb, verb) == 0)
            return rules[i].rights[role];
    }
    return RIGHT_NONE;
}

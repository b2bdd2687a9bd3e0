/**
 * What each role may say to the coordinator: one table over the types of messages and the verbs of commands. What is
 * not in it is denied.
 *
 * Pure.
 */
#ifndef COORDINATOR_ACCESS_ACCESS_RULE_H
#define COORDINATOR_ACCESS_ACCESS_RULE_H

#include "coordinator/access/allow_list.h"
#include "proto/message_types.h"

typedef enum access_right {
    RIGHT_NONE,
    RIGHT_OWN, /**< about jobs that were submitted under the same name */
    RIGHT_ALL
} access_right;

access_right access_rule_right(access_role role, const message *said);

#endif

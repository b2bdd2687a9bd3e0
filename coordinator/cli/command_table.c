#include "coordinator/cli/command_table.h"

#include "coordinator/show/show_file.h"

#include <string.h>

/* How a command reaches a farm. */
#define FARM_LINK_OPTIONS                                                                                              \
    {"farm", OPTION_TEXT, "ENDPOINT", "the coordinator (default: $REELMILL_FARM)"},                                    \
    {"key", OPTION_TEXT, "FILE", "your secret key (default: $REELMILL_KEY)"},                                          \
    {"coordinator-key", OPTION_TEXT, "KEY", "its public key, or the file of it (default: $REELMILL_COORDINATOR_KEY)"}, \
    {"plain", OPTION_FLAG, NULL, "no keys: a coordinator on this machine that runs with --plain ($REELMILL_PLAIN=1)"}

static const cli_option farm_options[] = {
    {"out", OPTION_TEXT, "DIR", "where deliverables and report go (default: the show file's `output`)"},
    {"workers", OPTION_NUMBER, "N", "worker processes (default: one per core)"},
    {"only", OPTION_TEXT, "NAME,...", "make only these deliverables"},
    {"checks", OPTION_TEXT, "LIST", "only checks of these kinds: loudness,peak,...; no verdict is then a pass"},
    {"replace", OPTION_FLAG, NULL, "replace published files whose bytes differ"},
    {"cells-per-task", OPTION_NUMBER, "N", "size of render tasks (default: chosen; bytes do not depend on it)"},
    {"audition", OPTION_FLAG, NULL, "two seconds of audio of each place found, in audition/ beside the report"},
    {"meter", OPTION_TEXT, "NAME", "a second meter's figures in the report, beside ours: libebur128"},
    {"cpu", OPTION_TEXT, "LEVEL", "cap the instruction set: scalar, avx2, avx512, neon"},
    {"json", OPTION_FLAG, NULL, "print the report as JSON on stdout"},
    {"verbose", OPTION_FLAG, NULL, "show the farm's log on stderr"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option qc_options[] = {
    {"spec", OPTION_TEXT, "NAME|FILE", "judge by this spec (default: none, figures only)"},
    {"show", OPTION_TEXT, "SHOW.yaml", "judge the received programmes of this show; FILE is then not given"},
    {"checks", OPTION_TEXT, "LIST", "only findings of these kinds: loudness,peak,format,..."},
    {"layout", OPTION_TEXT, "L", "what the files are: mono, stereo, 5.1, 7.1, 7.1.2 (default: from the file)"},
    {"order", OPTION_TEXT, "O", "with --layout: smpte, film or wave (default: the file's mask, else smpte)"},
    {"frame-rate", OPTION_TEXT, "R", "picture frame rate, for timecode in findings"},
    {"out", OPTION_TEXT, "DIR", "write report.json, report.html, report.pdf and measures.bin there"},
    {"workers", OPTION_NUMBER, "N", "worker processes (default: one per core)"},
    {"cells-per-task", OPTION_NUMBER, "N", "size of inspect tasks (default: chosen)"},
    {"audition", OPTION_FLAG, NULL, "with --out: two seconds of audio of each place found, in DIR/audition/"},
    {"meter", OPTION_TEXT, "NAME", "a second meter's figures in the report, beside ours: libebur128"},
    {"cpu", OPTION_TEXT, "LEVEL", "cap the instruction set: scalar, avx2, avx512, neon"},
    {"json", OPTION_FLAG, NULL, "print the report as JSON on stdout"},
    {"verbose", OPTION_FLAG, NULL, "show the farm's log on stderr"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option show_options[] = {
    {"workers", OPTION_NUMBER, "N", "worker processes (default: one per core)"},
    {"cells-per-task", OPTION_NUMBER, "N", "size of render tasks (default: chosen)"},
    {"only", OPTION_TEXT, "NAME,...", "only these deliverables"},
    {"json", OPTION_FLAG, NULL, "print one JSON document on stdout"},
    {"verbose", OPTION_FLAG, NULL, "show the farm's log on stderr"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option plan_options[] = {
    {"farm", OPTION_TEXT, "ENDPOINT", "plan for this farm, and say when it would be ready there (default: this machine, no forecast)"},
    {"key", OPTION_TEXT, "FILE", "with --farm: your secret key (default: $REELMILL_KEY)"},
    {"coordinator-key", OPTION_TEXT, "KEY", "with --farm: its public key, or the file of it (default: $REELMILL_COORDINATOR_KEY)"},
    {"plain", OPTION_FLAG, NULL, "with --farm: no keys ($REELMILL_PLAIN=1)"},
    {"by", OPTION_TEXT, "HH:MM", "with --farm: how many slots and nodes have it ready by then"},
    {"workers", OPTION_NUMBER, "N", "worker processes on this machine (default: one per core)"},
    {"cells-per-task", OPTION_NUMBER, "N", "size of render tasks (default: chosen)"},
    {"only", OPTION_TEXT, "NAME,...", "only these deliverables"},
    {"json", OPTION_FLAG, NULL, "print one JSON document on stdout"},
    {"verbose", OPTION_FLAG, NULL, "show the farm's log on stderr"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option init_options[] = {
    {"workers", OPTION_NUMBER, "N", "worker processes that open the files (default: one per core)"},
    {"verbose", OPTION_FLAG, NULL, "show the farm's log on stderr"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option submit_options[] = {
    FARM_LINK_OPTIONS,
    {"priority", OPTION_NUMBER, "N", "higher runs first (default 0)"},
    {"deadline", OPTION_TEXT, "TIME", "HH:MM, or like 2026-11-22T06:00+01:00: of one priority the earliest runs first"},
    {"at-once", OPTION_NUMBER, "N", "at most N of its tasks at once (default: as many as there are slots)"},
    {"only", OPTION_TEXT, "NAME,...", "make only these deliverables"},
    {"replace", OPTION_FLAG, NULL, "replace published files whose bytes differ"},
    {"audition", OPTION_FLAG, NULL, "two seconds of audio of each place found, in audition/ beside the report"},
    {"meter", OPTION_TEXT, "NAME", "a second meter's figures in the report, beside ours: libebur128"},
    {"wait", OPTION_FLAG, NULL, "wait for the end and exit as `run` would"},
    {"json", OPTION_FLAG, NULL, "print one JSON document on stdout"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option reasoned_options[] = {
    FARM_LINK_OPTIONS,
    {"reason", OPTION_TEXT, "TEXT", "why, for those who look at `status`, `logs` or `nodes`"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option shown_options[] = {
    FARM_LINK_OPTIONS,
    {"json", OPTION_FLAG, NULL, "print one JSON document on stdout"},
    {"watch", OPTION_FLAG, NULL, "show it again and again until everything has ended"},
    {"by", OPTION_TEXT, "HH:MM", "of one job: how many slots and nodes have it ready by then"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option logs_options[] = {
    FARM_LINK_OPTIONS,
    {"follow", OPTION_FLAG, NULL, "go on with what is added, until the job has ended"},
    {"f", OPTION_FLAG, NULL, "the same"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option report_options[] = {
    FARM_LINK_OPTIONS,
    {"html", OPTION_FLAG, NULL, "the HTML report instead of the JSON one"},
    {"pdf", OPTION_FLAG, NULL, "the PDF report, for a file: > report.pdf"},
    {"json", OPTION_FLAG, NULL, "the JSON report (this is the default)"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option plain_options[] = {
    FARM_LINK_OPTIONS,
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option watch_options[] = {
    FARM_LINK_OPTIONS,
    {"preset", OPTION_TEXT, "FILE", "a show file for folders without one; {folder} in it becomes the folder's name"},
    {"marker", OPTION_TEXT, "NAME", "the file that says that a folder is complete (default: READY)"},
    {"settle", OPTION_NUMBER, "SECONDS", "and nothing in it may have changed for so long (default: 30)"},
    {"priority", OPTION_NUMBER, "N", "of the jobs; higher runs first (default 0)"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option authorize_options[] = {
    {"role", OPTION_TEXT, "ROLE", "what the key may do: worker, submitter, operator, viewer"},
    {"name", OPTION_TEXT, "NAME", "whose it is, for the audit log and for `revoke`"},
    {"roots", OPTION_TEXT, "LIST", "of a submitter: media roots its jobs may use, like shows,library:ro, or *"},
    {"authorized", OPTION_TEXT, "FILE", "its allow-list (default: $REELMILL_AUTHORIZED, else /etc/reelmill/authorized)"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option revoke_options[] = {
    {"authorized", OPTION_TEXT, "FILE", "its allow-list (default: $REELMILL_AUTHORIZED, else /etc/reelmill/authorized)"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option workers_options[] = {
    {"on", OPTION_TEXT, "ENGINE", "what starts and limits them: slurm"},
    {"n", OPTION_NUMBER, "N", "how many (stop: all, if not given; those that wait first)"},
    {"script", OPTION_TEXT, "FILE", "the batch script (default: /usr/share/reelmill/reelmill-worker.sbatch)"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option doctor_options[] = {
    {"config", OPTION_TEXT, "FILE", "its worker's file (default: $REELMILL_WORKER_CONFIG, else /etc/reelmill/worker.yaml)"},
    {"pair", OPTION_TEXT, "1|2", "only the mounts, together with a second machine: start it with 1 here and 2 there"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option restore_options[] = {
    {"state", OPTION_TEXT, "DIR", "the state folder to make: empty, or not there yet"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option judge_options[] = {
    FARM_LINK_OPTIONS,
    {"from", OPTION_TEXT, "PLACE", "judge levels from here on: a timecode of the programme, seconds like 12.5, or 0:01:12.5"},
    {"to", OPTION_TEXT, "PLACE", "and up to here, which is left out"},
    {"spec", OPTION_TEXT, "NAME|FILE", "judge by this spec"},
    {"json", OPTION_FLAG, NULL, "print one JSON document on stdout"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option audition_options[] = {
    FARM_LINK_OPTIONS,
    {"out", OPTION_TEXT, "DIR", "write audition/FINDING.wav there (default: in this folder)"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option sign_options[] = {
    {"by", OPTION_TEXT, "NAME", "who signs"},
    {"remark", OPTION_TEXT, "TEXT", "what there is to say"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option waive_options[] = {
    {"who", OPTION_TEXT, "NAME", "who accepts it"},
    {"why", OPTION_TEXT, "TEXT", "why it is accepted"},
    {"report", OPTION_TEXT, "FILE", "the report.json with the finding (default: the show's latest)"},
    {NULL, OPTION_FLAG, NULL, NULL},
};
static const cli_option no_options[] = {{NULL, OPTION_FLAG, NULL, NULL}};

static const cli_command commands[] = {
    {"run", "SHOW.yaml", "render a show on this machine and judge it", 1, 1, farm_options, command_run},
    {"qc", "FILE...", "measure and judge finished files", 0, CLI_WORDS_MAX, qc_options, command_qc},
    {"check", "SHOW.yaml", "handoff check: everything there, complete, consistent? renders nothing", 1, 1,
     show_options, command_check},
    {"plan", "SHOW.yaml", "the tasks that a run would make, and when a farm would have them done", 1, 1, plan_options, command_plan},
    {"init", "DIR", "write a show.yaml for a folder of stems, read from their names", 1, 1, init_options, command_init},
    {"demo", "DIR", "write a small complete show to try", 1, 1, no_options, command_demo},
    {"submit", "SHOW.yaml", "give a show to a farm; prints the job's number", 1, 1, submit_options, command_submit},
    {"status", "[JOB...]", "jobs of a farm (PD waits, R runs, H held, CG stops, CD done, F failed, CA cancelled), or 3, 1-10, last, all",
     0, CLI_WORDS_MAX, shown_options, command_status},
    {"report", "JOB", "the QC report of a job", 1, 1, report_options, command_report},
    {"logs", "JOB", "what happened to a job, as logfmt lines", 1, 1, logs_options, command_logs},
    {"watch", "DIR", "make a job of every folder dropped into DIR; it goes to done or failed when the job ends", 1, 1,
     watch_options, command_watch},
    {"wait", "JOB...", "wait until jobs have ended; exits as the worst of them", 1, CLI_WORDS_MAX, plain_options, command_wait},
    {"cancel", "JOB...", "stop jobs (3, 1-10, last, all); nothing of them is published any more", 1, CLI_WORDS_MAX,
     reasoned_options, command_cancel},
    {"retry", "JOB...", "run again what failed or was cancelled in ended jobs", 1, CLI_WORDS_MAX, reasoned_options,
     command_retry},
    {"hold", "JOB...", "begin nothing more of jobs until `release`; what runs goes on", 1, CLI_WORDS_MAX, reasoned_options, command_hold},
    {"release", "JOB...", "let held jobs go on", 1, CLI_WORDS_MAX, reasoned_options, command_release},
    {"prio", "N JOB...", "set the priority of jobs: higher runs first, 0 is usual", 2, CLI_WORDS_MAX, reasoned_options, command_prio},
    {"nodes", "", "the farm's workers (idle, mixed, alloc, draining, drained, quarantined, down)", 0, 0, shown_options, command_nodes},
    {"drain", "NODE...", "give nodes no new work", 1, CLI_WORDS_MAX, reasoned_options, command_drain},
    {"undrain", "NODE...", "give drained nodes work again", 1, CLI_WORDS_MAX, reasoned_options, command_undrain},
    {"root-moved", "ROOT...", "a media root is on other storage now: nodes that start from now on say on which", 1, CLI_WORDS_MAX,
     reasoned_options, command_root_moved},
    {"workers", "start|stop", "place workers on a cluster's engine, or drain them", 1, 1, workers_options, command_workers},
    {"doctor", "", "look at this machine as a node: coordinator, keys, clock, versions, mounts, codecs; says what to mend", 0, 0,
     doctor_options, command_doctor},
    {"backup", "DIR", "save the running coordinator's state into a new folder of its machine", 1, 1, plain_options, command_backup},
    {"restore", "DIR", "make a coordinator's state folder from a backup; on its machine, while it is stopped", 1, 1, restore_options,
     command_restore},
    {"specs", "[NAME]", "list the specs, or print one with its sources", 0, 1, no_options, command_specs},
    {"recipes", "[NAME]", "list the recipes, or print one with its sources", 0, 1, no_options, command_recipes},
    {"judge", "SHOW.yaml|REPORT.json|JOB", "judge what was measured by another spec, without any audio", 1, 1, judge_options,
     command_judge},
    {"explain", "JOB[.TASK] | SHOW.yaml|REPORT.json|JOB FINDING",
     "why a job or a task waits or failed; of a finding: what made its figure, and the smallest change that would pass", 1, 2,
     plain_options, command_explain},
    {"audition", "SHOW.yaml|REPORT.json|JOB FINDING", "two seconds to listen to around a finding, cut from the files of its programme; prints the WAV's path",
     2, 2, audition_options, command_audition},
    {"waive", "SHOW.yaml FINDING", "accept a finding as it is: writes who, when and why into the show file", 2, 2, waive_options,
     command_waive},
    {"sign", "SHOW.yaml|REPORT.json", "sign a report off, with remarks; they are kept beside it and stand in all its forms", 1, 1, sign_options,
     command_sign},
    {"keygen", "DIR", "make a key pair: DIR/reelmill.secret and DIR/reelmill.public; prints the public key", 1, 1,
     no_options, command_keygen},
    {"authorize", "KEY", "let a public key (or the file of one) into a farm; on the coordinator's machine", 1, 1,
     authorize_options, command_authorize},
    {"revoke", "KEY|NAME", "take a key off the allow-list; takes effect within a second", 1, 1, revoke_options,
     command_revoke},
    {"completions", "SHELL", "completions for bash, zsh or fish, on stdout", 1, 1, no_options, command_completions},
    {"manual", "", "the manual page, on stdout (`reelmill manual | man -l -`)", 0, 0, no_options, command_manual},
};

const cli_command *command_table(size_t *out_count)
{
    *out_count = sizeof commands / sizeof commands[0];
    return commands;
}

const cli_command *command_table_find(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

const char *command_table_suggest(const char *name)
{
    const char *names[sizeof commands / sizeof commands[0]];
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        names[i] = commands[i].name;
    return word_suggest(name, names, sizeof commands / sizeof commands[0]);
}

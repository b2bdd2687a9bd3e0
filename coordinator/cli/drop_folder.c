#define _GNU_SOURCE
#include "coordinator/cli/drop_folder.h"

#include "common/base/content_hash.h"
#include "coordinator/cli/job_document_write.h"
#include "coordinator/shell/job_json.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOTE_BYTES_MAX = 128, PATH_BYTES = PATH_MAX_BYTES + 320, FILE_NAME_MAX = 255, NAMESAKES_MAX = 1000 };

static bool path_make(char out[PATH_BYTES], const char *folder, const char *name)
{
    int size = snprintf(out, PATH_BYTES, "%s/%s", folder, name);
    return size > 0 && size < PATH_BYTES;
}

status drop_note_read(drop_note *out_note, const char *folder, error_detail *detail)
{
    char path[PATH_BYTES], line[NOTE_BYTES_MAX] = "";
    *out_note = (drop_note){0};
    if (!path_make(path, folder, DROP_NOTE))
        return error_detail_set(detail, STATUS_LIMIT, "'%s': the name is too long", folder);
    /* Who fills the folder may have made a link or a pipe of that name: neither is followed or waited for. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0 && errno == ENOENT)
        return STATUS_OK;
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "r");
    if (file == NULL) {
        status code = error_detail_set(detail, STATUS_STORAGE_DENIED, "cannot read its '%s': %s", DROP_NOTE, strerror(errno));
        if (descriptor >= 0)
            (void)close(descriptor);
        return code;
    }
    bool good = fgets(line, sizeof line, file) != NULL && strlen(line) > 2 * DROP_REQUEST_BYTES;
    (void)fclose(file);
    for (int i = 0; good && i < DROP_REQUEST_BYTES; i++) {
        unsigned byte = 0;
        good = sscanf(line + 2 * i, "%2x", &byte) == 1;
        out_note->request[i] = (uint8_t)byte;
    }
    good = good && sscanf(line + 2 * DROP_REQUEST_BYTES, " job %u", &out_note->job) == 1;
    out_note->present = true;
    return good ? STATUS_OK
                : error_detail_set(detail, STATUS_STORAGE_MISMATCH,
                                   "its '%s' is damaged; look at `reelmill status` whether the folder is a job already, then remove that file",
                                   DROP_NOTE);
}

/* Whole, on disk, under its name: or the old one. Always a new file: a link of either name is replaced, never followed. */
static status write_synced(const char *folder, const char *name, const char *text, size_t size, bool replace, error_detail *detail)
{
    char path[PATH_BYTES], fresh[PATH_BYTES];
    bool fits = path_make(path, folder, name) && snprintf(fresh, sizeof fresh, "%s/.reelmill-new", folder) < (int)sizeof fresh;
    if (!fits)
        return error_detail_set(detail, STATUS_LIMIT, "'%s': the name is too long", folder);
    (void)unlink(fresh);
    int descriptor = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    bool good = descriptor >= 0 && write(descriptor, text, size) == (ssize_t)size && fsync(descriptor) == 0;
    if (descriptor >= 0)
        good = close(descriptor) == 0 && good;
    if (good && !replace)
        good = link(fresh, path) == 0 && unlink(fresh) == 0;
    else if (good)
        good = rename(fresh, path) == 0;
    int place = good ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    good = good && place >= 0 && fsync(place) == 0;
    if (place >= 0)
        (void)close(place);
    return good ? STATUS_OK : error_detail_set(detail, STATUS_STORAGE_DENIED, "cannot write its '%s': %s", name, strerror(errno));
}

status drop_note_write(const drop_note *note, const char *folder, error_detail *detail)
{
    char text[NOTE_BYTES_MAX];
    for (int i = 0; i < DROP_REQUEST_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", note->request[i]);
    snprintf(text + 2 * DROP_REQUEST_BYTES, sizeof text - 2 * DROP_REQUEST_BYTES, " job %u\n", note->job);
    return write_synced(folder, DROP_NOTE, text, strlen(text), true, detail);
}

status drop_result_write(const char *folder, const char *text, error_detail *detail)
{
    return write_synced(folder, "reelmill-result.json", text, strlen(text), true, detail);
}

bool drop_has_show(const char *folder, const char *text, size_t size, arena *memory)
{
    char path[PATH_BYTES];
    const char *own = NULL;
    size_t own_size = 0;
    int descriptor = path_make(path, folder, "show.yaml") ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
    if (descriptor < 0)
        return false;
    status code = read_text_file(arena_format(memory, "/proc/self/fd/%d", descriptor), SHOW_TEXT_MAX, memory, &own, &own_size, NULL);
    (void)close(descriptor);
    return code == STATUS_OK && own_size == size && memcmp(own, text, size) == 0;
}

const char *drop_refusal(const char *why, const problem_list *problems, const char *folder, arena *memory)
{
    problem told[DROP_PROBLEMS_MAX];
    problem_list errors = {.items = told};
    const char *show_path = arena_format(memory, "%s/show.yaml", folder);
    for (size_t i = 0; i < problems->count && errors.count < DROP_PROBLEMS_MAX; i++)
        if (problems->items[i].severity == PROBLEM_ERROR && strcmp(problems->items[i].file, show_path) == 0) {
            told[errors.count] = problems->items[i];
            told[errors.count++].file = "show.yaml";
        }
    if (why[0] == '\0' && errors.count == 0)
        why = "the show file is wrong; `reelmill check` says what";
    else if (why[0] == '\0')
        why = arena_format(memory, "the show file is wrong in %zu place%s: `problems` says where%s", problems->error_count,
                           problems->error_count == 1 ? "" : "s",
                           problems->error_count > errors.count ? " for the first of them, `reelmill check` for all" : "");
    json_t *list = json_array();
    job_problems_json(list, &errors);
    json_t *said = json_pack("{s:i, s:n, s:o, s:o}", "reelmill", 1, "job", "message", job_text_json(why), "problems", list);
    char *text = json_dumps(said, JSON_COMPACT);
    json_decref(said);
    const char *kept = text == NULL ? "" : arena_copy_text(memory, text);
    free(text);
    return kept;
}

/* Order of the entries does not matter: what each says is added up. */
static status fingerprint_in(int parent, const char *name, int depth, uint32_t *count, uint64_t *sum, error_detail *detail)
{
    int descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *folder = descriptor < 0 ? NULL : fdopendir(descriptor);
    if (folder == NULL) {
        status code = error_detail_set(detail, STATUS_STORAGE_DENIED, "cannot look into it or a folder in it: %s", strerror(errno));
        if (descriptor >= 0)
            (void)close(descriptor);
        return code;
    }
    status code = STATUS_OK;
    for (struct dirent *entry = readdir(folder); code == STATUS_OK && entry != NULL; entry = readdir(folder)) {
        struct stat facts;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(descriptor, entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        char said[384];
        snprintf(said, sizeof said, "%d %.255s %lld %lld %ld", depth, entry->d_name, (long long)facts.st_size,
                 (long long)facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec);
        content_hash hash = content_hash_of(said, strlen(said));
        uint64_t part = 0;
        memcpy(&part, hash.bytes, sizeof part);
        *sum += part;
        if (++*count > DROP_ENTRIES_MAX || depth > DROP_DEPTH_MAX)
            code = error_detail_set(detail, STATUS_LIMIT, "it holds more than %d files, or folders deeper than %d", DROP_ENTRIES_MAX,
                                    DROP_DEPTH_MAX);
        else if (S_ISDIR(facts.st_mode))
            code = fingerprint_in(descriptor, entry->d_name, depth + 1, count, sum, detail);
    }
    (void)closedir(folder);
    return code;
}

status drop_fingerprint(const char *folder, uint64_t *out_fingerprint, error_detail *detail)
{
    uint32_t count = 0;
    *out_fingerprint = 0;
    return fingerprint_in(AT_FDCWD, folder, 0, &count, out_fingerprint, detail);
}

status drop_make_show(const char *folder, const char *name, const char *preset, error_detail *detail)
{
    static const char word[] = "{folder}";
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ._-";
    char path[PATH_BYTES];
    if (!path_make(path, folder, "show.yaml"))
        return error_detail_set(detail, STATUS_LIMIT, "'%s': the name is too long", folder);
    if (access(path, F_OK) == 0)
        return STATUS_OK;
    if (preset == NULL)
        return error_detail_set(detail, STATUS_INPUT_MISSING, "it has no show.yaml; put one in, or give `watch` a --preset");
    if (strspn(name, allowed) != strlen(name))
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "'%.80s': the name becomes the title; it may have letters without accents, digits, space and . _ -", name);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    for (const char *at = preset; *at != '\0';) {
        const char *next = strstr(at, word);
        size_t part = next == NULL ? strlen(at) : (size_t)(next - at);
        (void)fwrite(at, 1, part, out);
        if (next != NULL)
            (void)fputs(name, out);
        at += part + (next == NULL ? 0 : sizeof word - 1);
    }
    status code = fclose(out) == 0 ? write_synced(folder, "show.yaml", text, size, false, detail)
                                   : error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    free(text);
    return code;
}

bool drop_note_is_of(const drop_note *note, const char *request_digest)
{
    char text[CONTENT_HASH_TEXT_SIZE];
    content_hash digest = content_hash_of(note->request, sizeof note->request);
    content_hash_to_text(&digest, text);
    return strcmp(text, request_digest) == 0;
}

/* Where that name is taken: with its job and, from the second on, a number behind; cut between letters to what a name may have. */
static void name_again(const char *name, uint32_t job, uint32_t number, char out[FILE_NAME_MAX + 1])
{
    char behind[32] = "";
    if (number == 1)
        snprintf(behind, sizeof behind, "-job%u", job);
    else if (number > 1)
        snprintf(behind, sizeof behind, "-job%u-%u", job, number);
    size_t size = strlen(name);
    size_t most = FILE_NAME_MAX - strlen(behind);
    for (size = size < most ? size : most; size > 0 && ((unsigned char)name[size] & 0xC0) == 0x80;)
        size--;
    snprintf(out, FILE_NAME_MAX + 1, "%.*s%s", (int)size, name, behind);
}

/*
 * Without RENAME_NOREPLACE (NFS): a folder takes the place of an empty one only. EEXIST where the name is taken.
 */
static bool rename_kept(int watched, const char *name, int folder, const char *free_name)
{
    if (renameat2(watched, name, folder, free_name, RENAME_NOREPLACE) == 0)
        return true;
    if ((errno == EINVAL || errno == ENOSYS) && renameat(watched, name, folder, free_name) == 0)
        return true;
    if (errno == ENOTEMPTY || errno == ENOTDIR)
        errno = EEXIST;
    return false;
}

/* done and failed are folders of the watched one itself: a link of that name would lead what was dropped anywhere. */
static status move_into(int watched, const char *name, const char *where, uint32_t job, error_detail *detail)
{
    char free_name[FILE_NAME_MAX + 1];
    if (mkdirat(watched, where, 0777) != 0 && errno != EEXIST)
        return error_detail_set(detail, STATUS_STORAGE_DENIED, "cannot make '%s': %s", where, strerror(errno));
    int folder = openat(watched, where, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return error_detail_set(detail, STATUS_STORAGE_DENIED, "'%s' is no folder of the watched one (%s); remove what has that name",
                                where, strerror(errno));
    bool moved = false;
    errno = EEXIST;
    for (uint32_t number = 0; !moved && errno == EEXIST && number < NAMESAKES_MAX; number++) {
        name_again(name, job, number, free_name);
        moved = rename_kept(watched, name, folder, free_name);
    }
    status code = moved ? STATUS_OK
                        : error_detail_set(detail, STATUS_STORAGE_DENIED, "cannot move it to '%s': %s", where, strerror(errno));
    (void)close(folder);
    return code;
}

status drop_move(const char *watched, const char *name, const char *where, uint32_t job, error_detail *detail)
{
    int folder = open(watched, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return error_detail_set(detail, STATUS_STORAGE_DENIED, "cannot open '%s': %s", watched, strerror(errno));
    status code = move_into(folder, name, where, job, detail);
    (void)close(folder);
    return code;
}

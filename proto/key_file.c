#define _GNU_SOURCE
#include "proto/key_file.h"

#include "common/base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

enum { Z85_BYTES = 41, KEY_FILE_MAX = 256 };
static const char secret_word[] = "secret ";

/* libzmq makes and derives keys as Z85 text only. */
static bool key_from_z85(const char z85[Z85_BYTES], uint8_t out_key[KEY_BYTES])
{
    return zmq_z85_decode(out_key, z85) != NULL;
}

status key_pair_make(key_pair *out_pair, error_detail *detail)
{
    char public_text[Z85_BYTES];
    char secret_text[Z85_BYTES];
    if (zmq_curve_keypair(public_text, secret_text) != 0)
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "no keys can be made: this ZeroMQ has no CURVE (%s)",
                                zmq_strerror(errno));
    bool made = key_from_z85(public_text, out_pair->public_key) && key_from_z85(secret_text, out_pair->secret_key);
    explicit_bzero(secret_text, sizeof secret_text);
    return made ? STATUS_OK : error_detail_set(detail, STATUS_DEFECT, "ZeroMQ made a key that it cannot read");
}

void key_pair_forget(key_pair *self)
{
    explicit_bzero(self, sizeof *self);
}

void key_format(const uint8_t key[KEY_BYTES], char out_text[KEY_TEXT_BYTES])
{
    for (size_t i = 0; i < KEY_BYTES; i++)
        snprintf(out_text + 2 * i, 3, "%02x", key[i]);
}

static int digit_of(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

bool key_parse(const char *text, size_t size, uint8_t out_key[KEY_BYTES])
{
    uint8_t key[KEY_BYTES];
    if (size != 2 * KEY_BYTES)
        return false;
    for (size_t i = 0; i < KEY_BYTES; i++) {
        int high = digit_of(text[2 * i]);
        int low = digit_of(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        key[i] = (uint8_t)(high * 16 + low);
    }
    memcpy(out_key, key, KEY_BYTES);
    return true;
}

/* ---- writing ---- */

static status write_new(const char *folder, const char *name, mode_t mode, const char *text, error_detail *detail)
{
    char path[PATH_MAX_BYTES];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path)
        return error_detail_set(detail, STATUS_LIMIT, "the folder name '%.200s...' is too long", folder);
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (descriptor < 0)
        return error_detail_set(detail, errno == EEXIST ? STATUS_INPUT_CONFLICT : STATUS_STORAGE_DENIED,
                                "the key file '%s' cannot be made: %s%s", path, strerror(errno),
                                errno == EEXIST ? "; a key is never replaced: choose another folder" : "");
    size_t size = strlen(text);
    bool written = write(descriptor, text, size) == (ssize_t)size && fsync(descriptor) == 0;
    int failure = errno;
    close(descriptor);
    if (written)
        return STATUS_OK;
    unlink(path);
    return error_detail_set(detail, STATUS_STORAGE_IO, "the key file '%s' cannot be written: %s", path,
                            strerror(failure));
}

status key_pair_write(const key_pair *self, const char *folder, error_detail *detail)
{
    char text[KEY_FILE_MAX];
    char digits[KEY_TEXT_BYTES];
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return error_detail_set(detail, STATUS_STORAGE_DENIED, "the folder '%.400s' cannot be made: %s", folder,
                                strerror(errno));
    key_format(self->secret_key, digits);
    snprintf(text, sizeof text, "%s%s\n", secret_word, digits);
    status code = write_new(folder, "reelmill.secret", 0600, text, detail);
    explicit_bzero(text, sizeof text);
    explicit_bzero(digits, sizeof digits);
    if (code != STATUS_OK)
        return code;
    key_format(self->public_key, digits);
    snprintf(text, sizeof text, "%s\n", digits);
    return write_new(folder, "reelmill.public", 0644, text, detail);
}

/* ---- reading ---- */

/* The one line of a small file, without its end. */
static status read_line(const char *path, bool secret, char out_line[KEY_FILE_MAX], error_detail *detail)
{
    struct stat facts;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return error_detail_set(detail, STATUS_INPUT_MISSING, "the key file '%.400s' cannot be read: %s", path,
                                strerror(errno));
    status code = STATUS_OK;
    ssize_t size = 0;
    if (fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode))
        code = error_detail_set(detail, STATUS_INPUT_INVALID, "'%.400s' is no key file: it is no regular file", path);
    /* Reading by a group is left to the administrator: services get their secrets that way. */
    else if (secret && (facts.st_mode & 037) != 0)
        code = error_detail_set(detail, STATUS_INPUT_INVALID,
                                "the secret key '%.400s' is open to others (mode %03o): `chmod 600` it, and make a new "
                                "one if somebody may have read it",
                                path, (unsigned)facts.st_mode & 0777);
    else
        size = read(descriptor, out_line, KEY_FILE_MAX - 1);
    close(descriptor);
    if (code != STATUS_OK)
        return code;
    out_line[size < 0 ? 0 : size] = '\0';
    out_line[strcspn(out_line, "\r\n")] = '\0';
    return STATUS_OK;
}

/* The public key that belongs to a secret one. */
static bool derive_public(key_pair *pair)
{
    char secret_text[Z85_BYTES];
    char public_text[Z85_BYTES];
    bool derived = zmq_z85_encode(secret_text, pair->secret_key, KEY_BYTES) != NULL &&
                   zmq_curve_public(public_text, secret_text) == 0 && key_from_z85(public_text, pair->public_key);
    explicit_bzero(secret_text, sizeof secret_text);
    return derived;
}

status key_pair_read(key_pair *out_pair, const char *path, error_detail *detail)
{
    char line[KEY_FILE_MAX];
    key_pair pair;
    size_t word = strlen(secret_word);
    status code = read_line(path, true, line, detail);
    if (code == STATUS_OK && (strncmp(line, secret_word, word) != 0 ||
                              !key_parse(line + word, strlen(line + word), pair.secret_key) || !derive_public(&pair)))
        code = error_detail_set(detail, STATUS_INPUT_SYNTAX,
                                "'%.400s' is no secret key: expected the file reelmill.secret that `reelmill keygen` "
                                "writes",
                                path);
    if (code == STATUS_OK)
        *out_pair = pair;
    explicit_bzero(line, sizeof line);
    key_pair_forget(&pair);
    return code;
}

status key_public_read(uint8_t out_key[KEY_BYTES], const char *text, error_detail *detail)
{
    char line[KEY_FILE_MAX];
    if (key_parse(text, strlen(text), out_key))
        return STATUS_OK;
    status code = read_line(text, false, line, detail);
    if (code == STATUS_INPUT_MISSING && strpbrk(text, "./") != NULL) /* no key has these */
        return error_detail_set(detail, code, "the key file '%.200s' cannot be read: %s; `reelmill keygen` writes the public key as "
                                "reelmill.public, and its 64 hexadecimal digits may be given in place of the file", text, strerror(errno));
    if (code != STATUS_OK)
        return error_detail_set(detail, code, "'%.200s' is neither a public key (64 hexadecimal digits) nor the file of "
                                "one: `reelmill keygen` writes it as reelmill.public", text);
    if (!key_parse(line, strlen(line), out_key)) {
        bool secret = strncmp(line, secret_word, strlen(secret_word)) == 0;
        explicit_bzero(line, sizeof line);
        return error_detail_set(detail, STATUS_INPUT_SYNTAX,
                                secret ? "'%.400s' is a secret key: expected the public one, reelmill.public beside it"
                                       : "'%.400s' holds no public key: expected 64 hexadecimal digits, as "
                                         "`reelmill keygen` writes them into reelmill.public",
                                text);
    }
    return STATUS_OK;
}

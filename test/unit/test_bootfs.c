// SPDX-License-Identifier: BSD-2-Clause
// The boot file system: which archives it refuses, and why; what its objects answer.
#include "test/unit/service_bed.h"

#include "core/cap.h"
#include "services/bootfs.h"
#include "test/unit/files_bed.h"

// --- Archives -----------------------------------------------------------------------------------------------------

static void two_files(struct bed_cpio *a)
{
    a->len = 0;
    bed_entry(a, 0040755, ".", NULL, 0);
    bed_file(a, "./hello", "hello world", 11);
    bed_file(a, "empty", NULL, 0);
    bed_end(a);
}

// An exact copy on the heap: the sanitizer sees one byte too far.
static const char *check(const void *bytes, size_t len, unsigned *files)
{
    void *copy = malloc(len ? len : 1);
    memcpy(copy, bytes, len);
    const char *why = cpio_check(copy, len, files);
    struct cpio_file f;
    for (unsigned i = 0; !why && i < *files; i++)
        assert_true(cpio_get(copy, len, i, &f));
    assert_false(!why && cpio_get(copy, len, *files, &f));
    free(copy);
    return why;
}

static void assert_why(const struct bed_cpio *a, const char *part)
{
    unsigned files;
    const char *why = check(a->bytes, a->len, &files);
    if (!part) {
        assert_null(why);
        return;
    }
    assert_non_null(why);
    if (!strstr(why, part))
        print_error("expected \"%s\", got \"%s\"\n", part, why);
    assert_non_null(strstr(why, part));
}

static void files_are_found_and_directories_passed_over(void **state)
{
    (void)state;
    struct bed_cpio a;
    struct cpio_file f;
    unsigned files;
    two_files(&a);
    assert_null(check(a.bytes, a.len, &files));
    assert_int_equal(files, 2);
    assert_true(cpio_get(a.bytes, a.len, 0, &f));
    assert_string_equal(f.name, "hello");
    assert_int_equal(f.len, 11);
    assert_memory_equal(f.bytes, "hello world", 11);
    assert_true(cpio_get(a.bytes, a.len, 1, &f));
    assert_string_equal(f.name, "empty");
    assert_int_equal(f.len, 0);
}

static void an_archive_of_nothing_is_sound(void **state)
{
    (void)state;
    struct bed_cpio a = {.len = 0};
    unsigned files;
    bed_end(&a);
    assert_null(check(a.bytes, a.len, &files));
    assert_int_equal(files, 0);
    memset(a.bytes + a.len, 0, 400); // cpio pads its output to 512
    assert_null(check(a.bytes, a.len + 400, &files));
}

#define REFUSED(change, part)                                                                                          \
    do {                                                                                                               \
        struct bed_cpio a;                                                                                             \
        two_files(&a);                                                                                                 \
        uint8_t *file = a.bytes + 112; /* behind "." */                                                                \
        change;                                                                                                        \
        assert_why(&a, part);                                                                                          \
        (void)file;                                                                                                    \
    } while (0)

static void each_malformed_field_is_refused_by_name(void **state)
{
    (void)state;
    REFUSED(a.bytes[0] = '1', "not a cpio archive");
    REFUSED(a.bytes[5] = '2', "not a cpio archive"); // with checksums: another format
    REFUSED(file[0] = 'x', "does not begin with 070701");
    REFUSED(file[14] = 'g', "not hexadecimal");
    REFUSED(file[54] = ' ', "not hexadecimal");
    REFUSED(file[101] = '-', "not hexadecimal");
    REFUSED(memcpy(file + 94, "00000000", 8), "length of a name");
    REFUSED(memcpy(file + 94, "00001021", 8), "length of a name");
    REFUSED(memcpy(file + 94, "ffffffff", 8), "length of a name");
    REFUSED(memcpy(file + 94, "00001020", 8), "a name passes the end");
    REFUSED(memcpy(file + 94, "00000007", 8), "a name has no end, or more than one");
    REFUSED(file[112] = 0, "a name has no end, or more than one");
    REFUSED(memcpy(file + 54, "ffffffff", 8), "contents of a file pass the end");
    REFUSED(memcpy(file + 14, "0000a1ff", 8), "neither a file nor a directory"); // a symbolic link
    REFUSED(file[113] = '\a', "not printable");
    REFUSED(a.bytes[a.len - 1] = 0, NULL);
    REFUSED(a.bytes[a.len++] = 1, "bytes behind its trailer");
}

static void names_are_those_of_a_directory(void **state)
{
    (void)state;
    struct bed_cpio a = {.len = 0};
    bed_file(&a, "0123456789012345678901234567890", "x", 1); // 31
    bed_end(&a);
    assert_why(&a, NULL);
    a.len = 0;
    bed_file(&a, "01234567890123456789012345678901", "x", 1);
    bed_end(&a);
    assert_why(&a, "longer than 31");
    a.len = 0;
    bed_file(&a, "./", "x", 1);
    bed_end(&a);
    assert_why(&a, "empty name");
    a.len = 0;
    bed_file(&a, "a", "x", 1);
    bed_file(&a, "./a", "y", 1);
    bed_end(&a);
    assert_why(&a, "the same name");
}

static void every_prefix_is_refused(void **state)
{
    (void)state;
    struct bed_cpio a;
    unsigned files;
    two_files(&a);
    size_t needed = a.len - 3; // the last bytes are padding
    for (size_t len = 0; len < needed; len++)
        assert_non_null(check(a.bytes, len, &files));
    assert_null(check(a.bytes, needed, &files));
}

static void the_number_of_files_has_a_limit(void **state)
{
    (void)state;
    static uint8_t bytes[(CPIO_FILES_MAX + 2) * 124];
    struct bed_cpio one;
    size_t len = 0;
    unsigned files;
    for (unsigned i = 0; i <= CPIO_FILES_MAX; i++) {
        char name[8];
        snprintf(name, sizeof name, "f%u", i);
        one.len = 0;
        bed_file(&one, name, NULL, 0);
        memcpy(bytes + len, one.bytes, one.len);
        len += one.len;
    }
    one.len = 0;
    bed_end(&one);
    memcpy(bytes + len, one.bytes, one.len);
    assert_string_equal(check(bytes, len + one.len, &files), "it has more than 256 files");
}

// --- The service --------------------------------------------------------------------------------------------------

static int setup(void **state)
{
    const struct host_options o = {.clock = unit_clock, .seed = 1};
    return bed_setup_with(state, &o);
}
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, bed_teardown)

static void empty_body(struct node *n, void *arg)
{
    (void)arg;
    struct dir_entry e;
    struct cap c = bed_lookup(n, "bootfs");
    assert_int_equal(bed_call(n, c, OP_DIR_LIST, 0, 0, NULL, 0, &e, sizeof e), 0);
    assert_int_equal(bed_result.len, 0);
    assert_int_equal(bed_call(n, c, OP_DIR_LOOKUP, 0, 0, "hello", 5, &e, sizeof e), -E_NAME);
}
static void without_an_archive_the_store_is_empty(void **state)
{
    struct node *n = unit_node(state);
    bed_run(n, empty_body, NULL);
    assert_non_null(bootfs_give(n, "nonsense", 8));
    bed_run(n, empty_body, NULL); // refused: as if none had been given
}

static void files_body(struct node *n, void *arg)
{
    (void)arg;
    struct cap c = bed_lookup(n, "bootfs"), f, weak;
    struct dir_entry e[4];
    char text[100];
    assert_int_equal(cap_rights(&c), RIGHT_READ);
    assert_int_equal(bed_call(n, c, OP_DIR_LIST, 0, 0, NULL, 0, e, sizeof e), 0);
    assert_int_equal(bed_result.len, 2 * sizeof e[0]);
    assert_string_equal(e[0].name, "hello");
    assert_string_equal(e[1].name, "empty");
    assert_int_equal(bed_call(n, c, OP_DIR_LOOKUP, 0, 0, "hello", 5, &f, sizeof f), 0);
    assert_memory_equal(&f, &e[0].cap, sizeof f);
    assert_int_equal(bed_call(n, f, OP_SIZE, 0, 0, NULL, 0, NULL, 0), 0);
    assert_int_equal(bed_result.res[0], 11);
    assert_int_equal(bed_call(n, f, OP_READ, 6, 100, NULL, 0, text, sizeof text), 0);
    assert_int_equal(bed_result.len, 5);
    assert_memory_equal(text, "world", 5);
    assert_int_equal(bed_call(n, f, OP_READ, 0, 4, NULL, 0, text, sizeof text), 0);
    assert_int_equal(bed_result.len, 4);
    assert_int_equal(bed_call(n, f, OP_READ, 0, 0, NULL, 0, text, sizeof text), 0);
    assert_int_equal(bed_call(n, f, OP_READ, 11, 1, NULL, 0, text, sizeof text), -E_EOF);
    assert_int_equal(bed_call(n, f, OP_READ, UINT64_MAX, UINT64_MAX, NULL, 0, text, sizeof text), -E_EOF);
    assert_int_equal(bed_call(n, e[1].cap, OP_READ, 0, 1, NULL, 0, text, sizeof text), -E_EOF);
    memset(text, 0, sizeof text);
    assert_int_equal(bed_call(n, f, OP_INFO, 0, 0, NULL, 0, text, sizeof text), 0);
    assert_non_null(strstr(text, "file hello of n1: 11 bytes"));
    assert_int_equal(bed_call(n, c, OP_INFO, 0, 0, NULL, 0, text, sizeof text), 0);
    assert_non_null(strstr(text, "2 files"));

    assert_int_equal(bed_call(n, c, OP_READ, 0, 1, NULL, 0, text, sizeof text), -E_OP);
    assert_int_equal(bed_call(n, f, OP_DIR_LIST, 0, 0, NULL, 0, e, sizeof e), -E_OP);
    assert_int_equal(bed_call(n, f, OP_DIR_LOOKUP, 0, 0, "hello", 5, &f, sizeof f), -E_OP);
    assert_int_equal(bed_call(n, f, OP_WRITE, 0, 0, "x", 1, NULL, 0), -E_OP);
    memset(text, 'x', sizeof text);
    assert_int_equal(bed_call(n, c, OP_DIR_LOOKUP, 0, 0, text, 40, &f, sizeof f), -E_ARG);
    assert_int_equal(bed_call(n, c, OP_DIR_LOOKUP, 0, 0, text, 32, &f, sizeof f), -E_NAME);
    assert_int_equal(bed_call(n, c, OP_RESTRICT, 0, 0, NULL, 0, &weak, sizeof weak), 0);
    assert_int_equal(bed_call(n, weak, OP_DIR_LIST, 0, 0, NULL, 0, e, sizeof e), -E_RIGHTS);
    e[0].cap.obj_rights += 2u << 8; // a file that is not there
    assert_int_equal(bed_call(n, e[0].cap, OP_SIZE, 0, 0, NULL, 0, NULL, 0), -E_OBJECT);
    e[1].cap.obj_rights -= 1u << 8; // another file
    assert_int_equal(bed_call(n, e[1].cap, OP_SIZE, 0, 0, NULL, 0, NULL, 0), -E_CAP);
}
static void each_file_is_an_object_that_is_read(void **state)
{
    static struct bed_cpio a;
    two_files(&a);
    assert_null(bootfs_give(unit_node(state), a.bytes, a.len));
    bed_run(unit_node(state), files_body, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_found_and_directories_passed_over),
        cmocka_unit_test(an_archive_of_nothing_is_sound),
        cmocka_unit_test(each_malformed_field_is_refused_by_name),
        cmocka_unit_test(names_are_those_of_a_directory),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(the_number_of_files_has_a_limit),
        TEST(without_an_archive_the_store_is_empty),
        TEST(each_file_is_an_object_that_is_read),
    };
    return UNIT_RUN(tests);
}

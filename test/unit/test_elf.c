// SPDX-License-Identifier: BSD-2-Clause
// The loader: what it refuses, and why; what it makes of what it accepts.
#include "test/unit/unit.h"

#include "core/desc.h"
#include "core/thread.h"
#include "services/program.h"
#include "test/unit/files_bed.h"

static int64_t read_exact(void *arg, uint64_t off, void *dst, size_t len)
{
    memcpy(dst, (const char *)arg + off, len);
    return 0;
}

static int64_t read_nothing(void *arg, uint64_t off, void *dst, size_t len)
{
    (void)arg, (void)off, (void)dst, (void)len;
    return -E_IO;
}

// An exact copy on the heap: the sanitizer sees one byte too far.
static const char *parse(const void *file, size_t len, struct elf *out)
{
    void *copy = malloc(len ? len : 1);
    memcpy(copy, file, len);
    struct elf_file f = {.read = read_exact, .arg = copy, .len = len};
    const char *why = elf_parse(out, &f);
    free(copy);
    return why;
}

static void assert_why(const struct bed_elf *b, const char *part)
{
    struct elf e;
    const char *why = parse(b, sizeof *b, &e);
    if (!part) {
        assert_null(why);
        return;
    }
    assert_non_null(why);
    if (!strstr(why, part))
        print_error("expected \"%s\", got \"%s\"\n", part, why);
    assert_non_null(strstr(why, part));
}

#define REFUSED(change, part)                                                                                          \
    do {                                                                                                               \
        struct bed_elf b;                                                                                              \
        bed_elf(&b);                                                                                                   \
        change;                                                                                                        \
        assert_why(&b, part);                                                                                          \
    } while (0)

static void a_good_file_is_accepted_and_laid_out(void **state)
{
    (void)state;
    struct bed_elf b;
    struct elf e;
    bed_elf(&b);
    assert_null(parse(&b, sizeof b, &e));
    assert_int_equal(e.entry, BED_ENTRY);
    assert_int_equal(e.nloads, 2);
    assert_int_equal(e.load[0].va, BED_TEXT);
    assert_int_equal(e.load[0].flags, MAP_READ | MAP_EXEC);
    assert_int_equal(e.load[0].off, offsetof(struct bed_elf, text));
    assert_int_equal(e.load[1].flags, MAP_READ | MAP_WRITE); // Sv39 has no write-only page
    assert_int_equal(e.load[1].file_len, sizeof b.data);
    assert_int_equal(e.load[1].mem_len, 3 * PAGE_SIZE);
    assert_int_equal(e.end, 0x16000);
}

static void each_field_of_the_header_is_refused_by_name(void **state)
{
    (void)state;
    REFUSED(b.h.magic[0] = 'E', "not an ELF file");
    REFUSED(b.h.class = 1, "32-bit");
    REFUSED(b.h.data = 2, "byte order");
    REFUSED(b.h.id_version = 0, "byte order or ELF version");
    REFUSED(b.h.machine = 62, "another processor");
    REFUSED(b.h.flags |= ELF_FLAG_RVE, "RV64E");
    REFUSED(b.h.type = ELF_TYPE_DYN, "position-independent");
    REFUSED(b.h.type = ELF_TYPE_REL, "object file");
    REFUSED(b.h.type = 4, "not an executable");
    REFUSED(b.h.version = 2, "not an executable");
    REFUSED(b.h.ehsize = 52, "header sizes");
    REFUSED(b.h.phentsize = 32, "header sizes");
    REFUSED(b.h.phnum = 0, "no program headers");
    REFUSED(b.h.phoff = sizeof b - 60, "program headers lie beyond");
    REFUSED(b.h.phoff = UINT64_MAX - 8, "program headers lie beyond");
    REFUSED(b.h.entry++, "odd address");
    REFUSED(b.h.entry = BED_DATA, "in no executable segment");
    REFUSED(b.h.entry = BED_TEXT + sizeof b.text, "in no executable segment");
}

static void each_field_of_a_segment_is_refused_by_name(void **state)
{
    (void)state;
    REFUSED(b.p[0].memsz = 63, "longer in the file than in memory");
    REFUSED(b.p[0].offset = sizeof b, "beyond the end of the file");
    REFUSED(b.p[0].offset = UINT64_MAX - 4, "beyond the end of the file");
    REFUSED(b.p[0].vaddr = 0xf000, "first 64 KiB");
    REFUSED(b.p[1].vaddr = USER_END, "above the addresses");
    REFUSED(b.p[1].vaddr = USER_END - PAGE_SIZE, "above the addresses");
    REFUSED(b.p[1].memsz = SEG_MAX_BYTES, "longer than 1 GiB");
    REFUSED(b.p[1].flags = 0, "neither read, written nor executed");
    REFUSED(b.p[1].vaddr = BED_TEXT + 0x800, "share a page");
    REFUSED((b.p[0].vaddr = BED_DATA + 0x10000, b.h.entry = BED_DATA + 0x10010), "out of order");
    REFUSED(b.p[2].type = ELF_PT_INTERP, "dynamic linker");
    REFUSED(b.p[0].type = b.p[1].type = 7, "nothing to load");
    REFUSED((b.p[0].memsz = b.p[0].filesz = 0), "in no executable segment"); // an empty one is none
}

static void more_segments_than_a_process_has_room_for_are_refused(void **state)
{
    (void)state;
    struct {
        struct elf_header h;
        struct elf_phdr p[ELF_LOADS_MAX + 1];
    } many;
    struct bed_elf b;
    struct elf e;
    bed_elf(&b);
    many.h = b.h;
    many.h.phoff = sizeof many.h;
    many.h.phnum = ELF_LOADS_MAX + 1;
    for (unsigned i = 0; i <= ELF_LOADS_MAX; i++) {
        many.p[i] = b.p[0];
        many.p[i].offset = 0;
        many.p[i].vaddr += i * PAGE_SIZE;
    }
    assert_string_equal(parse(&many, sizeof many, &e), "it has more than 16 segments");
    many.h.phnum--;
    assert_null(parse(&many, sizeof many, &e));
}

static void every_prefix_of_a_good_file_is_refused(void **state)
{
    (void)state;
    struct bed_elf b;
    struct elf e;
    bed_elf(&b);
    size_t needed = offsetof(struct bed_elf, sym); // names of functions may be missing
    for (size_t len = 0; len < needed; len++)
        assert_non_null(parse(&b, len, &e));
    assert_null(parse(&b, needed, &e));
}

static void a_file_that_cannot_be_read_says_so(void **state)
{
    (void)state;
    struct elf e;
    struct elf_file f = {.read = read_nothing, .len = 4096};
    char name[8];
    uint64_t off;
    assert_string_equal(elf_parse(&e, &f), "it cannot be read");
    assert_false(elf_function(&f, BED_ENTRY, name, sizeof name, &off));
}

// --- Names of functions ------------------------------------------------------------------------------------------

static bool function(const struct bed_elf *b, uint64_t pc, char name[8], uint64_t *off)
{
    struct bed_elf copy = *b;
    struct elf_file f = {.read = read_exact, .arg = &copy, .len = sizeof copy};
    return elf_function(&f, pc, name, 8, off);
}

static void an_address_is_named_after_its_function(void **state)
{
    (void)state;
    struct bed_elf b;
    char name[8];
    uint64_t off;
    bed_elf(&b);
    assert_true(function(&b, BED_ENTRY + 6, name, &off));
    assert_string_equal(name, "start");
    assert_int_equal(off, 6);
    assert_true(function(&b, BED_ENTRY + 16, name, &off)); // no size: one instruction
    assert_string_equal(name, "work");
    assert_false(function(&b, BED_ENTRY + 20, name, &off));
    memset(b.strings + 1, 'n', sizeof b.strings - 1); // no end
    assert_true(function(&b, BED_ENTRY, name, &off));
    assert_string_equal(name, "nnnnnnn");
}

static void a_broken_table_of_names_is_as_good_as_none(void **state)
{
    (void)state;
#define UNNAMED(change)                                                                                                \
    do {                                                                                                               \
        struct bed_elf b;                                                                                              \
        char name[8];                                                                                                  \
        uint64_t off;                                                                                                  \
        bed_elf(&b);                                                                                                   \
        change;                                                                                                        \
        assert_why(&b, NULL); /* it still runs */                                                                      \
        assert_false(function(&b, BED_ENTRY, name, &off));                                                             \
    } while (0)
    UNNAMED(b.h.shoff = UINT64_MAX - 3);
    UNNAMED(b.h.shnum = 0);
    UNNAMED(b.h.shentsize = 40);
    UNNAMED(b.s[1].entsize = 0);
    UNNAMED(b.s[1].link = 3);
    UNNAMED(b.s[1].size = UINT64_MAX - 100);
    UNNAMED(b.s[1].offset = sizeof b);
    UNNAMED(b.s[2].type = 1);
    UNNAMED(b.s[2].size = sizeof b);
    UNNAMED(b.sym[1].name = sizeof b.strings);
}

// --- The descriptor -----------------------------------------------------------------------------------------------

static void the_descriptor_passes_the_kernels_own_check(void **state)
{
    struct node *n = unit_node(state);
    static _Alignas(8) uint8_t desc[PROGRAM_DESC_MAX];
    struct bed_elf b;
    struct elf e;
    bed_elf(&b);
    assert_null(parse(&b, sizeof b, &e));
    const char *argv[] = {"prog", "arg"};
    struct program p = {.name = "prog", .elf = &e, .argc = 2, .argv = argv};
    const struct cap file = {.port = {{1, 2}}}, startup = {.port = {{3, 4}}}, owner = {.obj_rights = 0};
    memset(desc, 0, sizeof desc);
    uint64_t len = program_descriptor(&p, &file, &startup, &owner, desc);
    const char *why = "";
    struct desc_info info;
    struct buf bytes = buf_kernel(desc, len);
    assert_int_equal(desc_check(n, &bytes, arch_isa(), &info, &why), 0);
    struct desc_fill fills[DESC_SEGS_MAX];
    unsigned nfills;
    struct proc *proc;
    assert_int_equal(desc_decode(n, &bytes, &proc, fills, &nfills), 0);
    assert_int_equal(nfills, 3); // text, data, startup block; the heap is empty
    assert_int_equal(proc->nmaps, 4);
    assert_int_equal(fills[1].dest_off, BED_DATA & PAGE_MASK);
    assert_memory_equal(&fills[2].source, &startup, sizeof startup);
    const struct thread *t = LIST_ENTRY(proc->threads.next, struct thread, link);
    assert_int_equal(t->regs.pc, BED_ENTRY);
    assert_int_equal(t->regs.x[REG_SP], PROGRAM_STACK_TOP - program_startup_size(&p));
    assert_int_equal(t->regs.x[REG_SP] % 16, 0);
    proc_destroy(n, proc, true);
}

static const char *string_at(const uint8_t *block, uint64_t at, uint64_t va)
{
    return (const char *)block + (va - at);
}

static void the_startup_block_names_everything_by_guest_address(void **state)
{
    struct node *n = unit_node(state);
    struct elf e = {.end = 0x16000};
    const char *argv[] = {"prog", "", "three"}, *env[] = {"A=1", "B=2"};
    struct startup_cap caps[2];
    const struct cap c = {.port = {{7, 8}}};
    assert_true(program_cap(&caps[0], "tty", &c));
    assert_true(program_cap(&caps[1], "a name of thirty-one characters", &c));
    assert_false(program_cap(&caps[1], "a name of thirty-two characters!", &c));
    struct program p = {
        .name = "prog", .elf = &e, .argc = 3, .argv = argv, .nenv = 2, .env = env, .ncaps = 2, .cap = caps};
    uint64_t size = program_startup_size(&p), at = PROGRAM_STACK_TOP - size;
    uint8_t *block = malloc(size);
    struct buf to = buf_kernel(block, size);
    assert_int_equal(program_startup(n, &p, &to), 0);
    const struct startup *s = (const void *)block;
    assert_int_equal(s->magic, STARTUP_MAGIC);
    assert_int_equal(s->argc, 3);
    assert_int_equal(s->ncaps, 2);
    assert_int_equal(s->heap_base, 0x200000);
    assert_memory_equal(string_at(block, at, s->caps), caps, sizeof caps);
    const uint64_t *va = (const void *)string_at(block, at, s->argv);
    assert_string_equal(string_at(block, at, va[0]), "prog");
    assert_string_equal(string_at(block, at, va[1]), "");
    assert_string_equal(string_at(block, at, va[2]), "three");
    assert_int_equal(va[3], 0);
    va = (const void *)string_at(block, at, s->envp);
    assert_string_equal(string_at(block, at, va[1]), "B=2");
    assert_int_equal(va[2], 0);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_is_accepted_and_laid_out),
        cmocka_unit_test(each_field_of_the_header_is_refused_by_name),
        cmocka_unit_test(each_field_of_a_segment_is_refused_by_name),
        cmocka_unit_test(more_segments_than_a_process_has_room_for_are_refused),
        cmocka_unit_test(every_prefix_of_a_good_file_is_refused),
        cmocka_unit_test(a_file_that_cannot_be_read_says_so),
        cmocka_unit_test(an_address_is_named_after_its_function),
        cmocka_unit_test(a_broken_table_of_names_is_as_good_as_none),
        UNIT_TEST(the_descriptor_passes_the_kernels_own_check),
        UNIT_TEST(the_startup_block_names_everything_by_guest_address),
    };
    return UNIT_RUN(tests);
}
